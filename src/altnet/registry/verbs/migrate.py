"""Brings the database's schema up to this code's."""

from __future__ import annotations

from ..settings import Settings
from ..storage.store import Store


def main(settings: Settings) -> int:
    """Migrate; nothing happens where it is up to date."""
    store = Store.open(settings.database)
    try:
        store.migrate()
    finally:
        store.close()
    return 0
