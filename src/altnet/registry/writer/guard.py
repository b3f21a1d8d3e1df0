"""What may go away: so many names at once, and more with an operator's consent."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from ..acts.change import change
from ..acts.state import write as observe
from ..domain.errors import refuse
from ..domain.model import Actor, Role
from ..storage.tables import audit, domains, observations

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..acts.desk import Desk

CONSENT: Final = "consent"
LIFETIME: Final = timedelta(hours=1)
#: "At once" is within so many seconds.
WINDOW: Final = 60.0
ALL: Final = "*"


@dataclass
class Guard:
    """Counts what goes away. What somebody did (a line of the outbox) goes on in turns; what nobody did waits."""

    at_most: int
    monotonic: Callable[[], float] = time.monotonic
    _gone: deque[float] = field(default_factory=deque)

    def room(self) -> int:
        """Return how many names may go now."""
        now = self.monotonic()
        while self._gone and self._gone[0] <= now - WINDOW:
            self._gone.popleft()
        return max(0, self.at_most - len(self._gone))

    def count(self, number: int) -> None:
        """Take note of names that go."""
        self._gone.extend([self.monotonic()] * number)


def consented(connection: Connection, now: datetime) -> frozenset[str]:
    """Return the names that an operator consents to lose; :data:`ALL` is every one."""
    found: Any = connection.execute(select(observations.c.json).where(observations.c.key == CONSENT)).scalar()
    if not isinstance(found, Mapping) or datetime.fromisoformat(found["until"]) <= now:
        return frozenset()
    return frozenset(found["zones"])


def strays(connection: Connection, names: Collection[str], at_most: int, now: datetime) -> tuple[list[str], str]:
    """Return which of the names that the rows do not have may go, and why others may not (empty where all may).

    From a database that knows of no name nothing follows: it was restored, or is another one. Where it never had an
    entry in its log either, no consent helps.
    """
    if not names:
        return [], ""
    consent = consented(connection, now)
    known = connection.execute(select(domains.c.name).limit(1)).first() is not None
    if not known and connection.execute(select(audit.c.number).limit(1)).first() is None:
        return [], "the registry's database is empty, and the primary has its zones: restore the database"
    allowed = sorted(names) if ALL in consent else sorted(set(names) & consent)
    rest = sorted(set(names) - set(allowed))
    if not rest:
        return allowed, ""
    if not known:
        return allowed, "the registry's database has no domain at all: restore it, or consent"
    if len(rest) > at_most:
        return allowed, f"{len(rest)} names would go, and {at_most} may at once: restore the database, or consent"
    return sorted(names), ""


def consent(desk: Desk, actor: Actor, zones: Collection[str], reason: str) -> datetime:
    """Let the writer take names away past the guard, for an hour; ``*`` is every one. Returns until when.

    Raises RegistryError("forbidden") for who is no operator.
    """
    if not actor.may(Role.OPERATOR) or actor.scope is not None:
        raise refuse("forbidden", "Only an operator in a session consents to that", "ask one")
    if not zones or not reason.strip():
        raise refuse("invalid", "Say which names may go, and why", "name them", at="zones" if not zones else "reason")
    with change(desk, actor) as done:
        until = done.now.astimezone(UTC) + LIFETIME
        said = {"zones": sorted(set(zones)), "by": actor.uid, "until": until.isoformat()}
        observe(done.connection, CONSENT, said, done.now)
        done.log("registry.consent", "registry", "prune", {"zones": said["zones"], "reason": reason.strip()})
    return until
