"""Why an act was refused, in words for the one who asked: a message at a field, or problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

#: The kinds of refusal, with HTTP's status and a title; the key is the last part of the problem's ``type``.
KINDS: Final = {
    "invalid": (422, "Something in this cannot be accepted"),
    "unauthenticated": (401, "Sign in first"),
    "forbidden": (403, "This is not yours to do"),
    "missing": (404, "There is no such thing"),
    "conflict": (409, "Somebody or something was there before"),
    "quota": (409, "This would be more than your quota"),
    "state": (409, "Its state does not allow this"),
    "stale": (412, "It has changed since you read it"),
    "expired": (410, "This is over"),
    "too-large": (413, "This is too large"),
    "too-many": (429, "Too many requests"),
    "unavailable": (503, "A part of the registry does not answer"),
}


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong: at which field, what, and how to mend it.

    ``field`` is a path in the input (``name``, ``records[1]``, ``rrsets[2].ttl``), empty for the whole. ``code`` is
    for programs and does not change; ``what`` and ``remedy`` are sentences without their closing period.
    """

    field: str
    code: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        return f"{place}{self.what}." + (f" {self.remedy[:1].upper()}{self.remedy[1:]}." if self.remedy else "")


@dataclass(eq=False)
class RegistryError(Exception):
    """An act was refused, and nothing was changed."""

    kind: str
    faults: tuple[Fault, ...]
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__("\n".join(map(str, self.faults)))

    @property
    def status(self) -> int:
        """HTTP's status."""
        return KINDS[self.kind][0]

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind][1]


def refuse(kind: str, what: str, remedy: str = "", *, at: str = "", code: str = "") -> RegistryError:
    """Return the error for one fault; ``code`` is the kind's name unless there is a closer one."""
    return RegistryError(kind, (Fault(at, code or kind, what, remedy),))


def invalid(faults: Iterable[Fault]) -> RegistryError:
    """Return the error for faults in the input."""
    return RegistryError("invalid", tuple(faults))
