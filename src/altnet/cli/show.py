"""What a command prints: a table or a few lines for people, JSON for programs; nothing that moves a cursor."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

Cell = Callable[[Mapping[str, Any]], object]
Column = tuple[str, "str | Cell"]
"""A heading, and the key of what stands below it, or a function of the item."""


def plain(value: object) -> str:
    """Return a value as one line that cannot harm a terminal: what others wrote is shown, never obeyed."""
    if value is None or value is False or value == "":
        return "-"
    if value is True:
        return "yes"
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {_short(entry)}" for key, entry in value.items()) or "-"
    elif isinstance(value, Iterable) and not isinstance(value, str):
        value = ", ".join(plain(one) for one in value) or "-"
    return tame(str(value))


def tame(text: str) -> str:
    """Return a text with its control and direction characters written out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written(one) for one in text)


def _written(one: str) -> str:
    if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return one.encode("unicode_escape").decode() if one != "\t" else " "
    return one


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping | list) else plain(value)


def width(text: str) -> int:
    """Return how many cells a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def table(columns: Sequence[Column], items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a table's lines: as wide as what stands in it, nothing cut off, so that it can be piped."""
    rows = [[heading for heading, _ in columns]]
    rows += [[plain(_cell(item, key)) for _, key in columns] for item in items]
    widths = [max(width(row[place]) for row in rows) for place in range(len(columns))]
    return [
        "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def fields(columns: Sequence[Column], item: Mapping[str, Any]) -> list[str]:
    """Return one object's lines, a field each; those with nothing in them are left out."""
    found = [(heading, plain(_cell(item, key))) for heading, key in columns]
    shown = [(heading, value) for heading, value in found if value != "-"]
    size = max((width(heading) for heading, _ in shown), default=0)
    return [f"{heading}{' ' * (size - width(heading))}  {value}" for heading, value in shown]


def _cell(item: Mapping[str, Any], key: str | Cell) -> object:
    return key(item) if callable(key) else item.get(key)


def out(lines: Iterable[str], to: TextIO | None = None) -> None:
    """Print lines, in whatever letters the terminal has."""
    stream = to or sys.stdout
    for line in lines:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def dump(value: object) -> list[str]:
    """Return JSON, for programs and for who reads it."""
    return [json.dumps(value, ensure_ascii=True, indent=2)]
