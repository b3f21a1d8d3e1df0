"""LDIF (RFC 2849), as OpenLDAP's tools write and read it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Attributes = dict[str, list[str]]
_SAFE = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*")


@dataclass(frozen=True)
class Modification:
    """One step of a change: ``add``, ``replace`` or ``delete`` of an attribute's values."""

    verb: str
    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What is to be done with one entry: ``add`` (with ``attributes``), ``modify`` (``steps``) or ``delete``."""

    verb: str
    dn: str
    attributes: Mapping[str, tuple[str, ...]] | None = None
    steps: tuple[Modification, ...] = ()


def line(attribute: str, value: str) -> str:
    """Return one line, in base64 where the value needs it."""
    if value == "":
        return f"{attribute}:"
    if _SAFE.fullmatch(value) and not value.endswith(" "):
        return f"{attribute}: {value}"
    return f"{attribute}:: {base64.b64encode(value.encode()).decode()}"


def entry(dn: str, attributes: Mapping[str, Iterable[str]]) -> str:
    """Return an entry's text, with the empty line after it."""
    lines = [line("dn", dn), *(line(name, value) for name, values in attributes.items() for value in values)]
    return "\n".join(lines) + "\n\n"


def changes(wanted: Sequence[Change]) -> str:
    """Return the change records for ldapmodify."""
    return "".join(_change(one) for one in wanted)


def _change(change: Change) -> str:
    lines = [line("dn", change.dn), f"changetype: {change.verb}"]
    for name, values in (change.attributes or {}).items():
        lines += [line(name, value) for value in values]
    for step in change.steps:
        lines += [f"{step.verb}: {step.attribute}", *(line(step.attribute, value) for value in step.values), "-"]
    return "\n".join(lines) + "\n\n"


def parse(text: str) -> Iterator[tuple[str, Attributes]]:
    """Yield DN and attributes of each entry of a text; comments and the version are skipped."""
    for block in re.split(r"\n{2,}", text.replace("\r\n", "\n")):
        dn, attributes = None, Attributes()
        for row in re.sub(r"\n ", "", block).split("\n"):
            if not row or row.startswith("#"):
                continue
            name, value = _value(row)
            if name == "dn":
                dn = value
            elif dn is not None:
                attributes.setdefault(name, []).append(value)
        if dn is not None:
            yield dn, attributes


def _value(row: str) -> tuple[str, str]:
    name, colon, rest = row.partition(":")
    if not colon:
        raise ValueError(f"{row[:60]!r} is no line of LDIF")
    if rest.startswith(":"):
        return name, base64.b64decode(rest[1:].strip()).decode(errors="replace")
    return name, rest.removeprefix(" ")
