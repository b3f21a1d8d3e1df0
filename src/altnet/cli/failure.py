"""What ends a command: the registry's refusals, and this side's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: Exit codes: what a script may ask for.
REFUSED, USAGE, UNKNOWN_WHO, NOT_YOURS, IN_THE_WAY, AWAY, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130
_BY_STATUS: Final = {401: UNKNOWN_WHO, 403: NOT_YOURS, 404: NOT_YOURS, 409: IN_THE_WAY, 410: IN_THE_WAY} | {
    412: IN_THE_WAY, 429: AWAY, 500: AWAY, 502: AWAY, 503: AWAY, 504: AWAY
}  # fmt: skip
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class CommandError(Exception):
    """A command that cannot be done from here: a sentence, how to mend it, and the exit code."""

    def __init__(self, what: str, remedy: str = "", code: int = REFUSED) -> None:
        super().__init__(what)
        self.what, self.remedy, self.code = what, remedy, code

    def lines(self) -> list[str]:
        """Return what is said."""
        return [sentence(self.what, self.remedy)]

    def json(self) -> Mapping[str, Any]:
        """Return it for a program, as the registry's own refusals are (RFC 9457)."""
        return {"title": self.what, "detail": sentence(self.what, self.remedy), "errors": []}


@dataclass(eq=False)
class RefusedError(CommandError):
    """The registry refused: a problem of RFC 9457, with the faults at their fields, and the body that was sent."""

    status: int
    problem: Mapping[str, Any]
    sent: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        CommandError.__init__(self, self.title, code=_BY_STATUS.get(self.status, REFUSED))

    @property
    def title(self) -> str:
        """The problem in general words."""
        return str(self.problem.get("title") or f"The registry answered {self.status}")

    @property
    def codes(self) -> set[str]:
        """What kinds of faults there are, and of what kind the whole is."""
        kind = str(self.problem.get("type", "")).rpartition("/")[2]
        return {kind, *(str(one.get("code", "")) for one in self._faults())}

    def lines(self) -> list[str]:
        """Return a line for each fault: at which field, what stands there, what is wrong, and the remedy."""
        faults = self._faults()
        if not faults:
            detail = str(self.problem.get("detail", ""))
            return [self.title + (f". {detail}" if detail else ".")]
        return [self._line(one) for one in faults]

    def json(self) -> Mapping[str, Any]:
        """Return the problem as it came."""
        return self.problem

    def _faults(self) -> list[Mapping[str, Any]]:
        found = self.problem.get("errors")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []

    def _line(self, fault: Mapping[str, Any]) -> str:
        at = str(fault.get("field", ""))
        said = sentence(str(fault.get("detail", "")) or self.title, str(fault.get("remedy", "")))
        if not at:
            return said
        there = place(self.sent, at)
        return f"{at}{f' ({there})' if there else ''}: {said}"


def sentence(what: str, remedy: str = "") -> str:
    """Return a fault and its remedy as sentences."""
    end = "" if what.endswith((".", "?", "!")) else "."
    return what[:1].upper() + what[1:] + end + (f" {remedy[:1].upper()}{remedy[1:]}." if remedy else "")


def place(sent: Any, path: str) -> str:  # noqa: ANN401 - JSON
    """Return in a few words what was sent at a field (``rrsets[2].records[0]``); empty where nothing plain was."""
    if "password" in path or "secret" in path:
        return ""
    words, value = [], sent
    for name, index in _STEP.findall(path):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            break
        if isinstance(value, Mapping) and {"name", "type"} <= set(value):
            words.append(f"{value['name']} {value['type']}")
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value) not in words:
        words.append(str(value) if len(str(value)) <= 60 else str(value)[:59] + "…")
    return " ".join(words)
