"""From the settings to a desk: the store, the directory, and those who are asked about delegations."""

from __future__ import annotations

from ..errors import Problem
from .acts.desk import Desk
from .settings import Settings, SettingsError
from .storage.store import Store


def desk_of(settings: Settings) -> Desk:
    """Return where acts are done. Nothing is asked yet; the directory's password is read now."""
    from ldap3.core.exceptions import LDAPException  # noqa: PLC0415 - which not every verb needs

    from .faces.directory import LdapDirectory  # noqa: PLC0415
    from .writer.delegations import Asking  # noqa: PLC0415

    password = settings.secret("directory_password_file").decode() if settings.directory_password_file else ""
    try:
        directory = LdapDirectory(settings.directory, password)
    except LDAPException as error:
        what = f"cannot be used: {error}"
        remedy = "run the role registry (site.yml), which brings the network's root"
        raise SettingsError(Problem("", settings.directory.roots, what, remedy)) from None
    return Desk(Store.open(settings.database), settings.policy, directory, Asking(settings.policy))
