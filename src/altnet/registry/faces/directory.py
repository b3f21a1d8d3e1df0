"""People, in LDAP, as the acts ask for them: bound as the service account ``portal``, over TLS."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, SUBTREE, Connection
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from ...authenticator.ldap import LOCKED, USER, Ldap, prepared
from ...authenticator.people import DirectoryError
from ...authenticator.settings import DirectorySettings
from ...directory.model import group_dn
from ..acts.desk import Person
from ..domain.errors import Fault, RegistryError, refuse

_log: Final = logging.getLogger(__name__)
_FOUND: Final = "(objectClass=inetOrgPerson)"
_ATTRIBUTES: Final = ("uid", "cn", "mail", "pwdAccountLockedTime")
#: LDAP's result codes (RFC 4511 §4.1.9).
_NO_SUCH_ATTRIBUTE, _CONSTRAINT, _EXISTS, _NO_SUCH_OBJECT, _DENIED, _THERE = 16, 19, 20, 32, 50, 68
_SIZE_LIMIT: Final = 4
#: Connections that are kept open for the next question.
_IDLE: Final = 4
_UID: Final = re.compile(r"uid=([^,]+),", re.IGNORECASE)

Answer = TypeVar("Answer")


class LdapDirectory:
    """The directory's servers, the first that answers; see :class:`altnet.registry.acts.desk.Directory`.

    May be asked by several threads at once. What was asked of a server that went away before it answered is asked of
    the next one, so everything here can be done twice.
    """

    def __init__(self, settings: DirectorySettings, password: str) -> None:
        self.settings, self.password = settings, password
        self.ldap = Ldap(settings, password)
        self.base = settings.base
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def person(self, uid: str) -> Person | None:
        """Return somebody with their groups."""
        if not USER.fullmatch(uid):
            return None

        def ask(connection: Connection) -> Person | None:
            connection.search(self._dn(uid), _FOUND, BASE, attributes=_ATTRIBUTES)
            self._judge(connection, fine=(0, _NO_SUCH_OBJECT))
            entries = _entries(connection)
            return self._person(connection, entries[0]) if entries else None

        return self._asked(ask)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        """Return those whose uid or name contains ``part``."""
        like = escape_filter_chars(part.encode(errors="replace").decode())
        wanted = f"(&{_FOUND}(|(uid=*{like}*)(cn=*{like}*)))" if part else _FOUND

        def ask(connection: Connection) -> tuple[Person, ...]:
            place = f"ou=people,{self.base}"
            connection.search(place, wanted, SUBTREE, attributes=_ATTRIBUTES, size_limit=most)
            self._judge(connection, fine=(0, _SIZE_LIMIT))
            return tuple(self._person(connection, entry) for entry in _entries(connection)[:most])

        return self._asked(ask)

    def members(self, group: str) -> frozenset[str]:
        """Return the uids of a group's members."""

        def ask(connection: Connection) -> frozenset[str]:
            connection.search(group_dn(group, self.base), "(objectClass=groupOfNames)", BASE, attributes=["member"])
            self._judge(connection, fine=(0, _NO_SUCH_OBJECT))
            found = [dn.decode() for entry in _entries(connection) for dn in entry["raw_attributes"]["member"]]
            return frozenset(match[1].lower() for dn in found if (match := _UID.match(dn)))

        return self._asked(ask)

    def authenticate(self, uid: str, password: str) -> bool:
        """Bind as somebody; ppolicy counts what was wrong."""
        if "\0" in password or len(password.encode(errors="replace")) > 4096:
            return False
        try:
            return self.ldap.authenticate(uid, password)
        except DirectoryError as error:
            raise _unavailable(error) from None

    def create(self, person: Person, password: str) -> None:
        """Make an entry, after its memberships: whose entry is there has them.

        Raises RegistryError("conflict") where the uid is somebody's, "invalid" for what the server does not take.
        """
        dn, secret = self._dn(person.uid), _kept(password)
        attributes = {
            "objectClass": ["inetOrgPerson", "ldapPublicKey"],
            "uid": person.uid,
            "cn": person.name,
            "sn": person.name.split()[-1],
            "userPassword": secret,
            **({"mail": person.mail} if person.mail else {}),
        }

        def ask(connection: Connection) -> None:
            joined = []
            try:
                for group in sorted(person.groups):
                    connection.modify(group_dn(group, self.base), {"member": [(MODIFY_ADD, [dn])]})
                    self._judge(connection, fine=(0, _EXISTS))
                    joined += [group] if connection.result["result"] == 0 else []
                connection.add(dn, attributes=attributes)
                if connection.result["result"] == _THERE and not self.authenticate(person.uid, password):
                    raise refuse("conflict", "Somebody has this name already", "take another", at="uid", code="taken")
                self._judge(connection, fine=(0, _THERE), at="password")
            except (RegistryError, UnicodeEncodeError):
                for group in joined:
                    connection.modify(group_dn(group, self.base), {"member": [(MODIFY_DELETE, [dn])]})
                raise

        self._asked(ask)

    def set_password(self, uid: str, password: str) -> None:
        """Change a password, by the operation that lets the server hash it (RFC 3062).

        Raises RegistryError("state") for somebody who is locked: a new password would let them in.
        """
        secret = _kept(password)

        def ask(connection: Connection) -> None:
            connection.search(self._dn(uid), _FOUND, BASE, attributes=_ATTRIBUTES)
            self._judge(connection)
            if any(_first(entry["raw_attributes"], "pwdAccountLockedTime") == LOCKED for entry in _entries(connection)):
                raise refuse("state", "This account is locked", "ask a registrar", code="locked")
            connection.extend.standard.modify_password(self._dn(uid), new_password=secret)
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
        """Remove an entry and its memberships, those too that it had before there was an entry."""
        if not USER.fullmatch(uid):
            return
        dn = self._dn(uid)

        def ask(connection: Connection) -> None:
            connection.delete(dn)
            self._judge(connection, fine=(0, _NO_SUCH_OBJECT))
            for group in self._groups(connection, dn):
                connection.modify(group_dn(group, self.base), {"member": [(MODIFY_DELETE, [dn])]})
                self._judge(connection, fine=(0, _NO_SUCH_ATTRIBUTE, _NO_SUCH_OBJECT))

        self._asked(ask)

    def _asked(self, ask: Callable[[Connection], Answer]) -> Answer:
        """Ask on a connection that is open, or else the first server that answers."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._ask(kept, ask)
            except (LDAPException, OSError):
                # Its server has gone, or was idle for longer than it likes: and so it is with the others.
                self._close()

        def one(uri: str) -> Answer:
            connection = self.ldap._connection(uri, self.settings.bind_dn, self.password, read_only=False)
            if not connection.bind():
                raise LDAPException(f"bind as {self.settings.bind_dn}: {connection.result['description']}")
            return self._ask(connection, ask)

        try:
            return self.ldap._first(one)
        except DirectoryError as error:
            raise _unavailable(error) from None

    def _ask(self, connection: Connection, ask: Callable[[Connection], Answer]) -> Answer:
        """Ask, and keep the connection unless it is at fault."""
        good = False
        try:
            try:
                answer = ask(connection)
            except RegistryError:
                good = True
                raise
            good = True
            return answer
        except UnicodeEncodeError:
            raise refuse("invalid", "This has characters that cannot be kept", "leave them out") from None
        finally:
            with self._lock:
                kept = good and len(self._idle) < _IDLE
                if kept:
                    self._idle.append(connection)
            if not kept:
                _end(connection)

    def _close(self) -> None:
        with self._lock:
            gone, self._idle = self._idle, []
        for connection in gone:
            _end(connection)

    @staticmethod
    def _judge(connection: Connection, *, fine: tuple[int, ...] = (0,), at: str = "") -> None:
        """Raise what an answer means: the asker's mistake as RegistryError, a server's trouble as LDAPException."""
        code = int(connection.result["result"])
        if code in fine:
            return
        if code == _CONSTRAINT:
            raise RegistryError("invalid", (_refused(str(connection.result["message"]), at),))
        if code == _NO_SUCH_OBJECT:
            raise refuse("missing", "The directory has no such account")
        if code == _DENIED:
            what = "The directory does not let the portal change this"
            raise refuse("forbidden", what, "operators' accounts are changed by operators alone", code="protected")
        raise LDAPException(str(connection.result["description"]))

    def _person(self, connection: Connection, entry: Any) -> Person:  # noqa: ANN401 - ldap3's
        raw = entry["raw_attributes"]
        return Person(
            _first(raw, "uid"),
            _first(raw, "cn"),
            _first(raw, "mail"),
            frozenset(self._groups(connection, str(entry["dn"]))),
            _first(raw, "pwdAccountLockedTime") == LOCKED,
        )

    def _groups(self, connection: Connection, dn: str) -> list[str]:
        wanted = f"(&(objectClass=groupOfNames)(member={escape_filter_chars(dn)}))"
        connection.search(f"ou=groups,{self.base}", wanted, SUBTREE, attributes=["cn"])
        self._judge(connection)
        return [_first(found["raw_attributes"], "cn") for found in _entries(connection)]

    def _dn(self, uid: str) -> str:
        return self.ldap._person(uid)


def _entries(connection: Connection) -> list[Any]:
    return [entry for entry in connection.response or () if "raw_attributes" in entry]


def _first(raw: Any, name: str) -> str:  # noqa: ANN401
    values = raw.get(name) or [b""]
    return bytes(values[0]).decode(errors="replace")


def _kept(password: str) -> bytes:
    """Return a password as it is stored: in the form in which it comes when its owner signs in."""
    secret = prepared(password)
    if secret is None or secret.startswith(b"{"):
        raise refuse("invalid", "This has characters that no password has", "leave them out", at="password")
    return secret


def _refused(said: str, at: str) -> Fault:
    """Return the fault in what a constraint's message says (of ppolicy or unique)."""
    if "non-unique" in said:
        return Fault("mail", "taken", "Somebody has this e-mail address already", "take another, or leave it out")
    why = said or "it does not say why"
    return Fault(at, "refused", f"The directory refuses this: {why}", "take another")


def _end(connection: Connection) -> None:
    with suppress(LDAPException, OSError):
        connection.unbind()


def _unavailable(error: DirectoryError) -> RegistryError:
    """Return what the asker is told; which server said what is for the operator's journal."""
    _log.warning("the directory does not answer: %s", error)
    return refuse("unavailable", "The directory does not answer", "try again in a minute")
