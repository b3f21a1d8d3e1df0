"""Where acts are done: the store, the rules, the clock, and those outside who are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..domain.errors import Fault
    from ..domain.model import RRset
    from ..domain.policy import Policy
    from ..storage.store import Store


@dataclass(frozen=True)
class Person:
    """What the directory says of somebody."""

    uid: str
    name: str
    mail: str = ""
    groups: frozenset[str] = frozenset()
    locked: bool = False


class Directory(Protocol):
    """People, in LDAP. Every method raises RegistryError("unavailable") where no server answers."""

    def person(self, uid: str) -> Person | None:
        """Return somebody, None for a uid that nobody has."""

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        """Return those whose uid or name contains ``part``."""

    def members(self, group: str) -> frozenset[str]:
        """Return the uids of a group's members; none of a group that is not there."""

    def authenticate(self, uid: str, password: str) -> bool:
        """Say whether a password is somebody's."""

    def create(self, person: Person, password: str) -> None:
        """Make an entry, with its memberships or not at all; RegistryError("conflict") where somebody has the uid.

        An entry of that uid and password is one that was made a moment ago, whose making was not heard of.
        """

    def set_password(self, uid: str, password: str) -> None:
        """Change a password; raises RegistryError("invalid") with the directory's own reason."""

    def lock(self, uid: str, *, locked: bool) -> None:
        """Shut somebody out, or let them in again."""

    def delete(self, uid: str) -> None:
        """Remove an entry, and its memberships; one that is not there is fine."""


class Delegations(Protocol):
    """Whether a holder's own servers answer for a name."""

    def faults(self, zone: str, rrsets: tuple[RRset, ...]) -> tuple[Fault, ...]:
        """Ask the servers in NS (glue with them) for the zone, and hold DS against its DNSKEY."""


def now() -> datetime:
    """Return the time, in UTC and whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Desk:
    """What every act takes first."""

    store: Store
    policy: Policy
    directory: Directory
    delegations: Delegations
    clock: Callable[[], datetime] = now
