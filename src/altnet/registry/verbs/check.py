"""Says whether the registry could start as it is set: its settings, its secrets, its database's schema."""

from __future__ import annotations

from ..settings import Settings
from ..storage.store import Store


def main(settings: Settings) -> int:
    """Raise what is wrong, or say that nothing is."""
    for name in ("zone_secret_file", "signing_key_file", "signin_secret_file", "seals_file", "directory_password_file"):
        if getattr(settings, name):
            settings.secret(name)
    if settings.signing_key_file:
        settings.signing_key()
    store = Store.open(settings.database)
    try:
        store.check()
    finally:
        store.close()
    print("settings, secrets and schema are in order")  # noqa: T201
    return 0
