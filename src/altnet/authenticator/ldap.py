"""People and their groups, in LDAP: the one place that speaks it."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ldap3 import BASE, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.protocol.sasl.sasl import validate_simple_password
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from .people import DirectoryError
from .settings import DirectorySettings

#: What a user's name looks like; anything else is nobody's, and is not even asked for.
USER = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
#: An account that an administrator has locked, as ppolicy writes it; one that locked itself has a date here.
LOCKED = "000001010000Z"
#: LDAP's result codes that say that the password was wrong, or the account not to be used.
REFUSALS = frozenset((49, 50, 53, 19, 32))

Answer = TypeVar("Answer")


def prepared(password: str) -> bytes | None:
    """Return a password as simple binds send it (SASLprep, RFC 4013), None for what can be nobody's.

    Of one that is stored in any other form its owner never proves that they know it.
    """
    try:
        return bytes(validate_simple_password(password)) or None
    except (LDAPException, UnicodeError):
        return None


class Ldap:
    """Asks the first server that answers, and stays with it."""

    def __init__(self, settings: DirectorySettings, bind_password: str) -> None:
        self.settings, self.bind_password = settings, bind_password
        self.tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.roots)
        self.uris = list(settings.uris)
        self.lock = threading.Lock()
        self.open: Connection | None = None

    def authenticate(self, user: str, password: str) -> bool:
        """Bind as the user. Without a password LDAP would let anybody in, as nobody."""
        secret = prepared(password)
        if not USER.fullmatch(user) or secret is None:
            return False

        def bind(uri: str) -> bool:
            connection = self._connection(uri, self._person(user), secret)
            bound = bool(connection.bind())
            code = int(connection.result["result"])
            connection.unbind()
            if not bound and code not in REFUSALS:
                raise LDAPException(str(connection.result["description"]))
            return bound

        return self._first(bind)

    def groups(self, user: str) -> frozenset[str] | None:
        """Search as the service; the connection stays open for the next question."""
        if not USER.fullmatch(user):
            return None
        with self.lock:
            if self.open is not None:
                try:
                    return self._groups(self.open, user)
                except (LDAPException, OSError):
                    self.open = None

            def ask(uri: str) -> frozenset[str] | None:
                connection = self._connection(uri, self.settings.bind_dn, self.bind_password)
                if not connection.bind():
                    raise LDAPException(f"bind as {self.settings.bind_dn}: {connection.result['description']}")
                self.open = connection
                return self._groups(connection, user)

            return self._first(ask)

    def _groups(self, connection: Connection, user: str) -> frozenset[str] | None:
        person, base = self._person(user), self.settings.base
        connection.search(person, "(objectClass=*)", BASE, attributes=["uid", "pwdAccountLockedTime"])
        self._answered(connection)
        if not connection.response:
            return None
        locked = connection.response[0]["raw_attributes"].get("pwdAccountLockedTime", [])
        if locked and locked[0] == LOCKED.encode():
            return None
        wanted = f"(&(objectClass=groupOfNames)(member={escape_filter_chars(person)}))"
        connection.search(f"ou=groups,{base}", wanted, SUBTREE, attributes=["cn"])
        self._answered(connection)
        found = [entry["attributes"].get("cn", ()) for entry in connection.response if "attributes" in entry]
        return frozenset(str(name) for names in found for name in ([names] if isinstance(names, str) else names))

    @staticmethod
    def _answered(connection: Connection) -> None:
        if connection.result["result"] not in {0, 32}:
            raise LDAPException(str(connection.result["description"]))

    def _person(self, user: str) -> str:
        return f"uid={escape_rdn(user)},ou=people,{self.settings.base}"

    def _connection(self, uri: str, dn: str, password: str | bytes, *, read_only: bool = True) -> Connection:
        # A new one each time: ldap3's servers remember for a while that they were away.
        timeout = self.settings.timeout
        server = Server(uri, get_info=NONE, connect_timeout=timeout, tls=self.tls if uri.startswith("ldaps:") else None)
        anonymous: dict[str, Any] = {"user": dn, "password": password, "authentication": SIMPLE} if dn else {}
        return Connection(server, **anonymous, read_only=read_only, receive_timeout=timeout, check_names=False)

    def _first(self, ask: Callable[[str], Answer]) -> Answer:
        reasons = []
        for uri in list(self.uris):
            try:
                answer = ask(uri)
            except (LDAPException, OSError) as error:
                reasons.append(f"{uri}: {error}")
                continue
            # The next question goes to the one that answered.
            self.uris = [uri, *(other for other in self.settings.uris if other != uri)]
            return answer
        raise DirectoryError("; ".join(reasons) or "no server is named")
