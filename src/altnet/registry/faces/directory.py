"""People, in LDAP, as the acts ask for them: bound as the service account ``portal``, over TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, SUBTREE, Connection
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from ...authenticator.ldap import LOCKED, USER, Ldap
from ...authenticator.people import DirectoryError
from ...authenticator.settings import DirectorySettings
from ...directory.model import group_dn
from ..acts.desk import Person
from ..domain.errors import Fault, RegistryError, refuse

_FOUND: Final = "(objectClass=inetOrgPerson)"
_ATTRIBUTES: Final = ("uid", "cn", "mail", "pwdAccountLockedTime")
#: LDAP's result codes (RFC 4511 §4.1.9).
_NO_SUCH_ATTRIBUTE, _CONSTRAINT, _EXISTS, _NO_SUCH_OBJECT, _DENIED, _THERE = 16, 19, 20, 32, 50, 68
_SIZE_LIMIT: Final = 4

Answer = TypeVar("Answer")


class LdapDirectory:
    """The directory's servers, the first that answers; see :class:`altnet.registry.acts.desk.Directory`."""

    def __init__(self, settings: DirectorySettings, password: str) -> None:
        self.settings, self.password = settings, password
        self.ldap = Ldap(settings, password)
        self.base = settings.base

    def person(self, uid: str) -> Person | None:
        """Return somebody with their groups."""
        if not USER.fullmatch(uid):
            return None

        def ask(connection: Connection) -> Person | None:
            connection.search(self._dn(uid), _FOUND, BASE, attributes=_ATTRIBUTES)
            self._judge(connection, fine=(0, _NO_SUCH_OBJECT))
            entries = [entry for entry in connection.response or () if "attributes" in entry]
            return self._person(connection, entries[0]) if entries else None

        return self._asked(ask)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        """Return those whose uid or name contains ``part``."""
        like = escape_filter_chars(part)
        wanted = f"(&{_FOUND}(|(uid=*{like}*)(cn=*{like}*)))" if part else _FOUND

        def ask(connection: Connection) -> tuple[Person, ...]:
            place = f"ou=people,{self.base}"
            connection.search(place, wanted, SUBTREE, attributes=_ATTRIBUTES, size_limit=most)
            self._judge(connection, fine=(0, _SIZE_LIMIT))
            entries = [entry for entry in connection.response or () if "attributes" in entry]
            return tuple(self._person(connection, entry) for entry in entries[:most])

        return self._asked(ask)

    def authenticate(self, uid: str, password: str) -> bool:
        """Bind as somebody; ppolicy counts what was wrong."""
        if "\0" in password or len(password.encode(errors="replace")) > 4096:
            return False
        try:
            return self.ldap.authenticate(uid, password)
        except DirectoryError:
            raise _unavailable() from None

    def create(self, person: Person, password: str) -> None:
        """Make an entry and its memberships; RegistryError("conflict") where the uid is somebody's."""
        attributes = {
            "objectClass": ["inetOrgPerson", "ldapPublicKey"],
            "uid": person.uid,
            "cn": person.name,
            "sn": person.name.split()[-1],
            "userPassword": password,
            **({"mail": person.mail} if person.mail else {}),
        }

        def ask(connection: Connection) -> None:
            connection.add(self._dn(person.uid), attributes=attributes)
            if connection.result["result"] == _THERE:
                raise refuse("conflict", "Somebody has this name already", "take another", at="uid", code="taken")
            self._judge(connection, at="password")
            for group in sorted(person.groups):
                connection.modify(group_dn(group, self.base), {"member": [(MODIFY_ADD, [self._dn(person.uid)])]})
                self._judge(connection, fine=(0, _EXISTS))

        self._asked(ask)

    def set_password(self, uid: str, password: str) -> None:
        """Change a password, by the operation that lets the server hash it (RFC 3062)."""

        def ask(connection: Connection) -> None:
            connection.extend.standard.modify_password(self._dn(uid), new_password=password)
            self._judge(connection, at="password")

        self._asked(ask)

    def lock(self, uid: str, *, locked: bool) -> None:
        """Shut somebody out, or let them in again, as ppolicy writes it."""
        if not USER.fullmatch(uid):
            return
        how = (MODIFY_REPLACE, [LOCKED]) if locked else (MODIFY_DELETE, [])

        def ask(connection: Connection) -> None:
            connection.modify(self._dn(uid), {"pwdAccountLockedTime": [how]})
            self._judge(connection, fine=(0, _NO_SUCH_ATTRIBUTE, _NO_SUCH_OBJECT))

        self._asked(ask)

    def delete(self, uid: str) -> None:
        """Remove an entry; its memberships go with it (refint)."""

        def ask(connection: Connection) -> None:
            connection.delete(self._dn(uid))
            self._judge(connection, fine=(0, _NO_SUCH_OBJECT))

        self._asked(ask)

    def _asked(self, ask: Callable[[Connection], Answer]) -> Answer:
        """Ask the first server that answers, on a connection for this question."""

        def one(uri: str) -> Answer:
            connection = self.ldap._connection(uri, self.settings.bind_dn, self.password, read_only=False)
            if not connection.bind():
                raise LDAPException(f"bind as {self.settings.bind_dn}: {connection.result['description']}")
            try:
                return ask(connection)
            finally:
                connection.unbind()

        try:
            return self.ldap._first(one)
        except DirectoryError:
            raise _unavailable() from None

    @staticmethod
    def _judge(connection: Connection, *, fine: tuple[int, ...] = (0,), at: str = "") -> None:
        """Raise what an answer means: the asker's mistake as RegistryError, a server's trouble as LDAPException."""
        code = int(connection.result["result"])
        if code in fine:
            return
        if code == _CONSTRAINT:
            said = str(connection.result["message"]) or "the directory refuses it"
            fault = Fault(at, "refused", f"The directory refuses this: {said}", "take another")
            raise RegistryError("invalid", (fault,))
        if code == _NO_SUCH_OBJECT:
            raise refuse("missing", "The directory has no such account")
        if code == _DENIED:
            what = "The directory does not let the portal change this"
            raise refuse("forbidden", what, "operators' accounts are changed by operators alone", code="protected")
        raise LDAPException(str(connection.result["description"]))

    def _person(self, connection: Connection, entry: Any) -> Person:  # noqa: ANN401 - ldap3's
        raw = entry["raw_attributes"]
        dn = str(entry["dn"])
        wanted = f"(&(objectClass=groupOfNames)(member={escape_filter_chars(dn)}))"
        connection.search(f"ou=groups,{self.base}", wanted, SUBTREE, attributes=["cn"])
        self._judge(connection)
        groups = [found["raw_attributes"]["cn"][0] for found in connection.response if "raw_attributes" in found]
        return Person(
            _first(raw, "uid"),
            _first(raw, "cn"),
            _first(raw, "mail"),
            frozenset(group.decode() for group in groups),
            _first(raw, "pwdAccountLockedTime") == LOCKED,
        )

    def _dn(self, uid: str) -> str:
        return self.ldap._person(uid)


def _first(raw: Any, name: str) -> str:  # noqa: ANN401
    values = raw.get(name) or [b""]
    return bytes(values[0]).decode(errors="replace")


def _unavailable() -> RegistryError:
    return refuse("unavailable", "The directory does not answer", "try again in a minute")
