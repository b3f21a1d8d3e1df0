"""The states of a domain: what leads from where to where, and who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .errors import RegistryError, refuse
from .model import DomainState as S

HOLDER: Final = "holder"
RECIPIENT: Final = "recipient"  # to whom it is offered
REGISTRAR: Final = "registrar"
OPERATOR: Final = "operator"
SYSTEM: Final = "system"


@dataclass(frozen=True)
class Step:
    """A transition: from which states, by whom, and to which one (None: it stays; AVAILABLE: its row goes)."""

    name: str
    before: frozenset[S]
    by: frozenset[str]
    after: S | None


def _step(name: str, before: tuple[S, ...], by: tuple[str, ...], after: S | None) -> tuple[str, Step]:
    return name, Step(name, frozenset(before), frozenset(by), after)


_LIVE: Final = (S.REGISTERED, S.LOCKED, S.EXPIRED, S.TRANSFERRING)
#: Every transition there is. ``unhold`` and ``renew`` go back to what was before the hold or the expiry.
STEPS: Final = dict(
    (
        _step("register", (S.AVAILABLE,), (HOLDER,), S.REGISTERED),
        _step("request", (S.AVAILABLE,), (HOLDER,), S.REQUESTED),
        _step("approve", (S.REQUESTED,), (REGISTRAR,), S.REGISTERED),
        _step("reject", (S.REQUESTED,), (REGISTRAR,), S.AVAILABLE),
        _step("change", (S.REGISTERED, S.TRANSFERRING), (HOLDER,), None),
        _step("renew", (S.REGISTERED, S.LOCKED, S.EXPIRED), (HOLDER, REGISTRAR), None),
        _step("release", (S.REQUESTED, S.REGISTERED, S.EXPIRED), (HOLDER,), S.AVAILABLE),
        _step("lock", (S.REGISTERED,), (HOLDER,), S.LOCKED),
        _step("unlock", (S.LOCKED,), (HOLDER,), S.REGISTERED),
        _step("offer", (S.REGISTERED,), (HOLDER,), S.TRANSFERRING),
        _step("withdraw", (S.TRANSFERRING,), (HOLDER, RECIPIENT), S.REGISTERED),
        _step("accept", (S.TRANSFERRING,), (RECIPIENT,), S.REGISTERED),
        _step("move", (*_LIVE, S.HELD), (REGISTRAR,), None),
        _step("hold", _LIVE, (REGISTRAR, SYSTEM), S.HELD),
        _step("unhold", (S.HELD,), (REGISTRAR,), None),
        _step("revoke", (*_LIVE, S.HELD, S.REQUESTED), (REGISTRAR,), S.REVOKED),
        _step("reserve", (S.AVAILABLE,), (REGISTRAR,), S.RESERVED),
        _step("unreserve", (S.RESERVED,), (REGISTRAR,), S.AVAILABLE),
        _step("restore", (S.REVOKED,), (OPERATOR,), S.AVAILABLE),
        _step("expire", (S.REGISTERED, S.LOCKED, S.TRANSFERRING), (SYSTEM,), S.EXPIRED),
        _step("purge", (S.EXPIRED,), (SYSTEM,), S.AVAILABLE),
    )
)
NOTICE: Final = timedelta(days=3)
#: States in which a domain counts for its holder's quota.
COUNTED: Final = frozenset((*_LIVE, S.HELD, S.REQUESTED))

_REMEDY: Final = {
    S.REQUESTED: "wait for a registrar, who has to approve it first",
    S.LOCKED: "unlock it first",
    S.HELD: "ask a registrar, who holds it",
    S.EXPIRED: "renew it first",
    S.TRANSFERRING: "withdraw the offer first",
    S.RESERVED: "choose another name",
    S.REVOKED: "choose another name",
}
_WORDS: Final = {
    S.AVAILABLE: "is nobody's",
    S.REQUESTED: "waits for a registrar",
    S.REGISTERED: "is registered",
    S.LOCKED: "is locked by its holder",
    S.HELD: "is held by a registrar",
    S.EXPIRED: "has expired",
    S.TRANSFERRING: "is offered to somebody",
    S.RESERVED: "is reserved",
    S.REVOKED: "has been taken down",
}


def words(state: S) -> str:
    """Return what a state means, to follow the name: ``is registered``."""
    return _WORDS[state]


def judge(step: str, state: S, shown: str) -> RegistryError | None:
    """Return the refusal of a step that does not begin in the state; ``shown`` is the name for people."""
    if state in STEPS[step].before:
        return None
    return refuse("state", f"{shown} {words(state)}", _REMEDY.get(state, ""), code=f"state-{state}")


def may(step: str, parts: frozenset[str]) -> bool:
    """Say whether somebody who is these things to the domain may take the step."""
    return bool(STEPS[step].by & parts)


def due(state: S, expires: datetime, updated: datetime, grace: timedelta, now: datetime) -> str | None:
    """Return the step that time alone takes: ``expire``, ``purge``, or None.

    Nothing is purged before it has been expired for :data:`NOTICE` (the grace, if that is shorter), so that nobody
    loses a name because the registry was away while its grace went by.
    """
    if state in STEPS["expire"].before and now >= expires:
        return "expire"
    if state in STEPS["purge"].before and now >= max(expires + grace, updated + min(grace, NOTICE)):
        return "purge"
    return None
