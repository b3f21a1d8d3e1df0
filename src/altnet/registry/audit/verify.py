"""Whether the log is still what was written: every entry, its numbers without a gap, and every head that was signed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..domain.model import Entry, Head
from . import chain, heads

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: So many problems are told; a log that was rewritten from the beginning has as many as it has entries.
MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is stored: ``detail`` is text, and has to be the very text that was hashed."""

    number: int
    time: datetime
    actor: str
    via: str
    client: str
    action: str
    kind: str
    object: str
    detail: str
    hash: str


def problems(
    lines: Iterable[Line],
    signed: Sequence[Head] = (),
    *,
    key: Ed25519PublicKey | None = None,
    witnesses: Sequence[Head] = (),
) -> list[str]:
    """Return what is wrong with a log, in order of its numbers; empty: nothing is.

    ``signed`` are the heads stored beside it, whose signatures are judged where ``key`` is given. ``witnesses`` are
    heads that somebody else kept (the one in the DNS, those in git): they find a log that was cut or rewritten together
    with its own heads. After the newest head that anybody kept, a rewritten tail is as good as any other: heads are
    signed hourly, and the git export keeps the hash of each entry.
    """
    found: list[str] = []
    claims: dict[int, list[tuple[str, str]]] = {}
    for head, what in [*((head, "signed head") for head in signed), *((head, "witness") for head in witnesses)]:
        if key is not None and not heads.verify(key, head):
            found.append(
                f"the {what} of {chain.moment(head.time)} at {head.number} is not signed by the registry's key"
            )
        claims.setdefault(head.number, []).append((head.hash, f"{what} of {chain.moment(head.time)}"))
    before, last = chain.START, 0
    for line in lines:
        if line.number != last + 1:
            found.append(f"entry {last + 1} is followed by {line.number}" if last else f"it begins with {line.number}")
        digest = _digest(before, line)
        if digest is None or digest != line.hash:
            found.append(f"entry {line.number} is not what was written, or one before it is not")
        found += [
            f"entry {line.number} is another one than the {what} says"
            for claimed, what in claims.get(line.number, ())
            if claimed != line.hash
        ]
        before, last = line.hash, line.number
        if len(found) >= MOST:
            return [*found[:MOST], "and more"]
    for number in sorted(number for number in claims if number > last or number < 1):
        found.append(f"it ends at {last}, and the {claims[number][0][1]} says that there was an entry {number}")
    return found[:MOST]


def _digest(before: str, line: Line) -> str | None:
    """Return the hash that an entry has to have, None where it cannot be one."""
    try:
        detail = json.loads(line.detail)
        if not isinstance(detail, dict) or chain.canonical(detail) != line.detail:
            return None
        entry = Entry(
            line.number, line.time, line.actor, line.via, line.client, line.action, line.kind, line.object, detail
        )
        return chain.digest(before, entry)
    except (ValueError, TypeError, RecursionError):
        return None
