"""The form of a file: ``attribute: value`` lines as in RPSL (RFC 2622 §2), one value a line, in a fixed order.

So a change of one record is a change of one line. Values are as they are, to the end of the line; nothing is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

_KEY: Final = re.compile(r"[a-z][a-z0-9-]*")
_WIDTH: Final = 12
LINES_MAX: Final = 100_000
#: More than a line needs, and less than what hurts.
LINE_MAX: Final = 32_768


@dataclass(frozen=True, order=True)
class Wrong:
    """What is wrong in a file: ``line`` is from 1, or 0 for the file as a whole."""

    file: str
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}." + (f" {self.remedy[:1].upper()}{self.remedy[1:]}." if self.remedy else "")


class Line(NamedTuple):
    """One attribute and where it stands."""

    number: int
    key: str
    value: str


@dataclass(frozen=True)
class Paper:
    """A file that was read: its lines by attribute, in their order."""

    file: str
    lines: tuple[Line, ...]

    def all(self, key: str) -> tuple[Line, ...]:
        """Return all lines of an attribute."""
        return tuple(line for line in self.lines if line.key == key)

    def value(self, key: str) -> str:
        """Return the value of an attribute that stands once, empty where it does not stand."""
        return next((line.value for line in self.lines if line.key == key), "")

    def number(self, key: str) -> int:
        """Return where an attribute stands first, 0 where it does not."""
        return next((line.number for line in self.lines if line.key == key), 0)


def write(pairs: Iterable[tuple[str, object]]) -> str:
    """Return a file's text; an attribute whose value is empty is left out."""
    return "".join(f"{key + ':':<{_WIDTH}} {value}\n" for key, value in pairs if value not in {"", None})


def read(file: str, text: str, known: Mapping[str, bool]) -> tuple[Paper, list[Wrong]]:
    """Return what stands in a file, and what is wrong with it; ``known`` says which attributes may stand often."""
    found: list[Line] = []
    wrong: list[Wrong] = []
    seen: dict[str, int] = {}
    lines = text.split("\n")
    if lines[-1] != "":
        wrong.append(Wrong(file, len(lines), "The last line has no end", "end the file with a line break"))
    else:
        lines.pop()
    for number, line in enumerate(lines[:LINES_MAX], 1):
        key, colon, value = line.partition(":")
        odd = not colon or len(line) > LINE_MAX or "\r" in line or (key not in known and not _KEY.fullmatch(key))
        if odd or (value and value[0] not in " \t"):
            wrong.append(_unread(file, number, line))
            continue
        value = value.strip(" \t")
        if key not in known:
            remedy = f"the attributes here are {', '.join(known)}"
            wrong.append(Wrong(file, number, f"There is no attribute {key!r}", remedy))
        elif not known[key] and key in seen:
            wrong.append(Wrong(file, number, f"{key} stands at line {seen[key]} already", "remove one"))
        elif not value:
            wrong.append(Wrong(file, number, f"{key} says nothing", "give it a value, or remove the line"))
        else:
            seen.setdefault(key, number)
            found.append(Line(number, key, value))
    return Paper(file, tuple(found)), wrong


def _unread(file: str, number: int, line: str) -> Wrong:
    if line.lstrip().startswith("#"):
        return Wrong(file, number, "Comments are not kept", "write it into the commit's message")
    if not line.strip():
        return Wrong(file, number, "This line is empty", "remove it")
    if "\r" in line:
        return Wrong(file, number, "This line ends as on Windows", "set core.autocrlf to false, or input")
    return Wrong(file, number, "This line is no attribute", "write it like: record: www 3600 AAAA fd12::1")
