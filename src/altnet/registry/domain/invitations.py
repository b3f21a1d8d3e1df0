"""When somebody may invite, and for how long a link is good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from .errors import Fault
from .people import wrong_text
from .policy import Policy

#: Of a link: 32 random bytes, so that nobody finds one by trying.
_BYTES: Final = 32
_LIFETIME_MAX: Final = timedelta(days=366)
_LIFETIME_MIN: Final = timedelta(minutes=1)


def secret() -> str:
    """Return what a new link ends in."""
    return secrets.token_urlsafe(_BYTES)


def digest(text: str) -> str:
    """Return what is kept of a link, in hexadecimal: enough to know it again, and nothing to join with."""
    return hashlib.sha256(b"altnet invitation\0" + text.encode(errors="replace")).hexdigest()


def judge(policy: Policy, *, uses_max: int, lifetime: timedelta, note: str) -> list[Fault]:
    """Return what is wrong with an invitation that somebody wants to make."""
    found = []
    if not 1 <= uses_max <= policy.invitation_uses_max:
        what = f"A link is good for 1 to {policy.invitation_uses_max} people"
        found.append(Fault("uses_max", "out-of-range", what))
    if not _LIFETIME_MIN <= lifetime <= _LIFETIME_MAX:
        found.append(Fault("lifetime", "out-of-range", "A link lasts from a minute to a year"))
    if fault := wrong_text(note, at="note"):
        found.append(fault)
    return found


def depth(uid: str, inviter_of: Mapping[str, str | None]) -> int:
    """Return how many invitations lie between an account and the first one; a circle, which cannot be, ends it."""
    seen: set[str] = set()
    here: str | None = uid
    while here is not None and here not in seen:
        seen.add(here)
        here = inviter_of.get(here)
    return len(seen) - 1
