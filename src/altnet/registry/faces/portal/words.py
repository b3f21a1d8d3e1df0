"""The portal's words in other languages: GNU gettext's catalogues, read from .po files as they are."""

from __future__ import annotations

import ast
import functools
import gettext
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCALE: Final = Path(__file__).parent / "locale"
#: The language in which everything is written, and which needs no catalogue.
SOURCE: Final = "en"
Key = tuple[str, ...]
"""A message, or its singular and plural."""


def N_(text: str) -> str:  # noqa: N802  # gettext's name for it
    """Mark a text for translation where it stands; it is translated where it is shown."""
    return text


def read(path: Path) -> dict[Key, tuple[str, ...]]:
    """Return what a .po file says: of each message its translation (or its plural forms), empty where there is none."""
    found: dict[Key, tuple[str, ...]] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        parts: dict[str, str] = {}
        field = ""
        for line in block.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith('"'):
                field, _, line = line.partition(" ")  # noqa: PLW2901
            parts[field] = parts.get(field, "") + str(ast.literal_eval(line.strip()))
        if "msgid" in parts:
            key = (parts["msgid"], parts["msgid_plural"]) if "msgid_plural" in parts else (parts["msgid"],)
            found[key] = tuple(value for name, value in parts.items() if name.startswith("msgstr"))
    return found


def languages() -> tuple[str, ...]:
    """Return the languages that there are, the source's first."""
    return (SOURCE, *sorted(path.stem for path in LOCALE.glob("*.po")))


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return a language's catalogue; what it does not say is said as it is written."""
    if language == SOURCE:
        return gettext.NullTranslations()
    return gettext.GNUTranslations(io.BytesIO(_compiled(read(LOCALE / f"{language}.po"))))


@functools.cache
def known(language: str) -> frozenset[Key]:
    """Return the messages that a language has."""
    return frozenset(key for key, said in read(LOCALE / f"{language}.po").items() if all(said))


def wished(header: str) -> Iterator[str]:
    """Yield the languages of an Accept-Language header (RFC 9110) that there are, the most wanted first."""
    weighed = []
    for number, part in enumerate(header[:500].split(",")[:20]):
        name, _, weight = part.strip().partition(";")
        try:
            weighed.append((-float(weight.strip().removeprefix("q=") or 1), number, name.partition("-")[0].lower()))
        except ValueError:
            continue
    there = languages()
    yield from (name for weight, _, name in sorted(weighed) if weight < 0 and name in there)


def _compiled(said: dict[Key, tuple[str, ...]]) -> bytes:
    """Return the same as a .mo file: what the standard library reads."""
    pairs = sorted(
        ("\0".join(key).encode(), "\0".join(value).encode()) for key, value in said.items() if value and all(value)
    )
    start = 28 + 16 * len(pairs)
    ids = b"".join(key + b"\0" for key, _ in pairs)
    texts = b"".join(value + b"\0" for _, value in pairs)
    tables: list[list[int]] = [[], []]
    for table, side, at in ((0, 0, start), (1, 1, start + len(ids))):
        offset = at
        for pair in pairs:
            tables[table] += [len(pair[side]), offset]
            offset += len(pair[side]) + 1
    numbers = [0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0, *tables[0], *tables[1]]
    return struct.pack(f"<{len(numbers)}I", *numbers) + ids + texts
