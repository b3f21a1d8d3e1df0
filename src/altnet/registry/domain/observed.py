"""What the writer saw of the name servers, as operators are shown it; it is kept as JSON in ``observations``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """A name that the servers have not been told of yet."""

    id: int
    zone: str
    kind: str  # domain, prefix
    created: datetime
    attempts: int
    next_try: datetime
    error: str = ""  # of the last attempt


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What the last comparison of all zones with the rows found. Observation ``drift``."""

    time: datetime
    zones: int  # that were compared
    differences: tuple[str, ...] = ()  # a sentence each
    repaired: int = 0
    guarded: tuple[str, ...] = ()  # zones that would go away, more than the deletion guard lets go without being asked
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ServerState:
    """One name server, as it answered last. Observation ``servers``: a list of these."""

    address: str
    role: str  # primary, secondary
    time: datetime
    answers: bool
    zones: int | None = None  # that it has; None: not known
    behind: int | None = None  # zones whose serial is not the primary's
    error: str = ""
