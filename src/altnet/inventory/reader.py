"""Reads plain data with types, collecting problems instead of stopping at the first."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping

from ..errors import Problem


def kind(value: object) -> str:
    """Name a value's type in words an operator uses."""
    if value is None:
        return "empty"
    names = (
        (bool, "true or false"), (int, "a number"), (str, "text"), (Mapping, "a mapping"), (list, "a list"),
    )  # fmt: skip
    return next((word for cls, word in names if isinstance(value, cls)), type(value).__name__)


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name that ``name`` is most likely a misspelling of, or ``""``."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), "")


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Return a remedy for an unknown name: the nearest known one, or all of them."""
    near = nearest(name, known)
    if near:
        return f"did you mean {near}"
    if not known:
        return "remove it"
    few = ", ".join(sorted(known)[:12]) + (", ..." if len(known) > 12 else "")
    return f"use one of: {few}"


class Reader:
    """The values of one host (``""``: of the network) and the problems found in all of them."""

    def __init__(
        self, host: str, values: Mapping[str, object], problems: list[Problem], known: Collection[str]
    ) -> None:
        self.host = host
        self.problems = problems
        self.values = {str(key).removeprefix("altnet_"): value for key, value in values.items()}
        for key in sorted(set(self.values) - set(known)):
            self.wrong(f"altnet_{key}", "is no variable of ours", did_you_mean(key, known))

    def wrong(self, variable: str, what: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.host, variable, what, remedy))

    def expect(self, variable: str, value: object, wanted: str) -> None:
        """Note that a value has the wrong type."""
        shown = "" if value is None or isinstance(value, (list, Mapping)) else f" ({value!r})"
        self.wrong(variable, f"is {kind(value)}{shown}, not {wanted}", f"give {wanted}")

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return a value that is true or false; what YAML read as text is neither."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self.expect(f"altnet_{key}", value, "true or false without quotes")
            return default
        return bool(value)

    def whole(self, value: object, variable: str, default: int, low: int, high: int | None = None) -> int:
        """Return a whole number from ``low`` to ``high``."""
        if isinstance(value, bool) or not isinstance(value, int):
            self.expect(variable, value, "a whole number without quotes")
            return default
        if value < low or (high is not None and value > high):
            span = f"from {low} on" if high is None else f"from {low} to {high}"
            self.wrong(variable, f"is {value}", f"use a number {span}")
            return default
        return int(value)

    def text(self, value: object, variable: str, default: str) -> str:
        """Return a text that is not empty."""
        if not isinstance(value, str) or not value:
            self.expect(variable, value or None, "a text")
            return default
        return str(value)

    def items(self, value: object, variable: str) -> Iterator[tuple[str, object]]:
        """Yield the path and the value of each entry of a list."""
        if not isinstance(value, (list, tuple)):
            self.expect(variable, value, "a list")
            return
        for index, entry in enumerate(value):
            yield f"{variable}[{index}]", entry

    def texts(self, value: object, variable: str) -> list[tuple[str, str]]:
        """Return the path and the text of each entry of a list of different texts."""
        found: dict[str, str] = {}
        for where, entry in self.items(value, variable):
            if not isinstance(entry, str) or not entry:
                self.expect(where, entry or None, "a text")
            elif entry in found:
                self.wrong(where, f"{entry} is there twice", "remove one of them")
            else:
                found[str(entry)] = where
        return [(where, entry) for entry, where in found.items()]

    def mapping(self, value: object, variable: str, known: Collection[str]) -> dict[str, object]:
        """Return a mapping's known keys; a key that is unknown is a problem with the nearest known one."""
        if not isinstance(value, Mapping):
            self.expect(variable, value, "a mapping")
            return {}
        for key in sorted(map(str, value)):
            if key not in known:
                self.wrong(f"{variable}.{key}", "is no setting of ours", did_you_mean(key, known))
        return {str(key): entry for key, entry in value.items() if key in known}
