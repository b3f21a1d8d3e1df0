"""The parts of sign-in, in one hand, and how long things last."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from ....authenticator.limit import Limit
from ....authenticator.seals import Seals
from .failures import Failures

if TYPE_CHECKING:
    from ...acts.desk import Desk


@dataclass(frozen=True)
class Times:
    """Lifetimes in seconds, and how often a password may be wrong."""

    session: int = 43_200
    idle: int = 14_400
    fresh: int = 900
    step: int = 300  # between password and second factor
    flow: int = 900
    code: int = 60
    reset: int = 86_400
    failures_user: int = 10
    failures_client: int = 30
    failures_window: int = 900
    pace: float = 0.3  # before a wrong password is answered: the directory takes longer for a name that it knows


class Signin:
    """``site`` is the portal's name, by which passkeys know it; ``seals`` are what all content hosts have."""

    def __init__(
        self, desk: Desk, *, site: str, secret: bytes, seals: Seals | None, times: Times = Times(), origin: str = ""
    ) -> None:
        self.desk, self.site, self.seals, self.times = desk, site, seals, times
        self.origin = origin or f"https://{site}"
        self.host = self.origin.partition("://")[2].partition(":")[0]
        key = hashlib.sha256(b"altnet registry sign-in\0" + secret).digest()
        self.cipher = Fernet(base64.urlsafe_b64encode(key))
        self.own = Seals([base64.urlsafe_b64encode(key).decode()])
        self.failures = Failures(desk.store)
        self.limit = Limit(self.failures, times)
        #: Held while it is judged whether one more may be tried, and that one is counted.
        self.turn = threading.Lock()

    def seal(self, purpose: str, **values: str) -> str:
        """Return values for a form of our own to bring back: only :meth:`opened` with the purpose reads them."""
        return self.own.seal(purpose, **values)

    def opened(self, purpose: str, text: str, lifetime: int) -> dict[str, Any] | None:
        """Return what was sealed, None for what is forged, too old, or for something else."""
        return self.own.open(purpose, text, lifetime)


def seals_from(raw: bytes) -> Seals:
    """Return the seals that the content hosts share, of a JSON list of keys."""
    return Seals([str(key) for key in json.loads(raw)])
