"""From the settings to a desk: the store, the directory, and those who are asked about delegations."""

from __future__ import annotations

from .acts.desk import Desk
from .settings import Settings
from .storage.store import Store


def desk_of(settings: Settings) -> Desk:
    """Return where acts are done. Nothing is asked yet; the directory's password is read now."""
    from .faces.directory import LdapDirectory  # noqa: PLC0415 - ldap3, which not every verb needs
    from .writer.delegations import Asking  # noqa: PLC0415

    password = settings.secret("directory_password_file").decode() if settings.directory_password_file else ""
    directory = LdapDirectory(settings.directory, password)
    return Desk(Store.open(settings.database), settings.policy, directory, Asking(settings.policy))
