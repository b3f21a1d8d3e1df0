"""What is done each minute and each hour: names expire, joining is finished, the log is signed, servers are asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..acts import accounts, domains, history
from ..acts.state import observe
from ..audit import heads
from .compare import audit_head
from .wanted import Wanted
from .watch import Watch

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ..acts.desk import Desk

HOUR: Final = 3600.0


@dataclass
class Chores:
    """They are independent of each other: one that fails is told, and the next one is done."""

    desk: Desk
    key: Ed25519PrivateKey | None
    tlds: tuple[str, ...]
    watch: Watch
    primary: str
    say: Callable[[str], None]
    monotonic: Callable[[], float] = time.monotonic
    heads: dict[str, Wanted] = field(default_factory=dict)
    _signed: float = float("-inf")

    def minute(self, listed: Mapping[str, Mapping[str, Any]] | None) -> None:
        """Do what is due; ``listed`` is what the primary has, None where it does not answer."""
        self._try("names that expire", lambda: domains.tick(self.desk))
        self._try("accounts that are joining", lambda: accounts.finish_joining(self.desk))
        if self.key is not None and self.monotonic() - self._signed >= HOUR:
            self._try("the audit log's head", self._sign)
        self._try("the servers", lambda: observe(self.desk, "servers", self.servers(listed)))

    def published(self) -> dict[str, Wanted]:
        """Return what top-level domains say of the log: the head that was signed last."""
        head = history.head(self.desk)
        return audit_head(head, heads.text(head) if head else "", self.tlds)

    def _sign(self) -> None:
        assert self.key is not None  # noqa: S101 - the caller has looked
        history.sign(self.desk, self.key)
        self._signed = self.monotonic()

    def servers(self, listed: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]]:
        """Return how the servers stand: which of the top-level domains a secondary does not have as the primary has."""
        there = listed or {}
        serials = {name: int(there[name]["serial"]) for name in self.tlds if name in there}
        missing = [name for name in self.tlds if name not in there]
        if listed is None:
            found = [_state(self.primary, "primary", answers=False, zones=None, behind=None, error="does not answer")]
        else:
            error = f"has no zone {', '.join(missing)}" if missing else ""
            found = [_state(self.primary, "primary", answers=True, zones=len(there), behind=len(missing), error=error)]
        for address in self.watch.addresses:
            lag = self.watch.make([address]).wait(serials, 0)
            behind = lag.behind.get(address, {})
            answers = address not in lag.silent
            words = f"is behind with {', '.join(sorted(behind))}" if behind else ""
            found.append(
                _state(
                    address,
                    "secondary",
                    answers=answers,
                    zones=None,
                    behind=len(behind) if answers else None,
                    error=words if answers else "does not answer",
                )
            )
        return found

    def _try(self, what: str, do: Callable[[], object]) -> None:
        try:
            do()
        except Exception as error:  # noqa: BLE001 - the others are worth doing
            self.say(f"{what}: {type(error).__name__}: {error}")


def _state(address: str, role: str, **said: object) -> dict[str, Any]:
    return {"address": address, "role": role, **said}
