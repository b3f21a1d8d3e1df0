"""The names layer as a host sees it: what its resolver answers, and on a name server every zone with its signatures.

Whether an answer is validated is the resolver's word, which it gives from its own anchors. That the chain begins at
the anchors which the control node knows is proved beside that, from the zones' own data: the key that signs a zone's
keys has to be the one that the anchor, or the DS record in the parent zone, says.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .dns import SIGNATURE, TYPES, Answer, Record, ask, ds_text, secure_keys, transfer

#: Where the name server of a host answers the host itself.
SERVER, SERVER_PORT = "::1", 5300
DNS_PORT = 53
CATALOG = "catalog.invalid."
#: Seconds between two looks, and the least that one look gets.
PAUSE, LEAST = 0.5, 2.0


@dataclass(frozen=True)
class Zone:
    """A zone as a server has it: ``left`` are the seconds that all signatures are still valid, None without any."""

    serial: int
    left: int | None
    records: int


@dataclass(frozen=True)
class Sight:
    """What a host saw: ``wrong`` are answers that are not as they should be, ``broken`` what is wrong with zones."""

    asked: int = 0
    wrong: Sequence[str] = ()
    zones: Mapping[str, Zone] = field(default_factory=dict)
    broken: Sequence[str] = ()


def look(
    source: str,
    resolver: str | None,
    questions: Iterable[Sequence[str]],
    *,
    server: bool,
    resolves: bool,
    primary: str | None,
    anchors: Mapping[str, Sequence[str]],
    wait: float,
) -> Sight:
    """Return what is seen as soon as all is well, or after ``wait`` seconds.

    ``questions`` are name, type and the one value that the answer has to have; they go to ``resolver``. A ``server``
    looks at its own zones, until they are as new as those of ``primary`` too; on a host that ``resolves`` its own
    resolver is asked for the SOA of each.
    """
    deadline = time.monotonic() + wait
    wanted = {(name, kind): value for name, kind, value in questions} if resolver else {}
    open_ones = dict(wanted)
    wrong: list[str] = []
    zones: dict[str, Zone] = {}
    broken: list[str] = []
    settled = not server
    while True:
        if resolver and open_ones:
            open_ones, wrong = judged(_asked(source, resolver, open_ones, deadline), open_ones)
        if not settled:
            zones, broken = served(anchors, max(LEAST, deadline - time.monotonic()), time.time())
            if resolves:
                trust = {(zone, "SOA"): "" for zone in zones}
                broken += judged(_asked(source, source, trust, deadline), trust)[1]
            settled = bool(zones) and not broken and not (primary and _older(source, primary, zones))
        if (settled and not open_ones) or time.monotonic() + PAUSE >= deadline:
            return Sight(len(wanted), wrong, zones, broken)
        time.sleep(PAUSE)


def _asked(
    source: str, server: str, questions: Iterable[tuple[str, str]], deadline: float
) -> dict[tuple[str, str], Answer | None]:
    try:
        return ask(source, server, DNS_PORT, questions, max(LEAST, deadline - time.monotonic()))
    except OSError:
        return dict.fromkeys(questions)


def _older(source: str, primary: str, zones: Mapping[str, Zone]) -> bool:
    """Say whether the primary answers with another serial for any zone; a dead one has nothing newer."""
    try:
        found = ask(source, primary, SERVER_PORT, [(zone, "SOA") for zone in zones], LEAST)
    except OSError:
        return False
    return any(
        one is not None and bool(one.records) and one.records[0].value != str(zones[zone].serial)
        for (zone, _), one in found.items()
    )


def judged(
    found: Mapping[tuple[str, str], Answer | None], wanted: Mapping[tuple[str, str], str]
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Return the questions that have no good answer, and what is wrong with each; an empty wanted value is any."""
    bad: dict[tuple[str, str], str] = {}
    wrong = []
    for (name, kind), value in wanted.items():
        what = fault(found.get((name, kind)), kind, value)
        if what:
            bad[name, kind] = value
            wrong.append(f"{name} {kind} {what}")
    return bad, wrong


def fault(one: Answer | None, kind: str, value: str) -> str:
    """Say what is wrong with an answer; empty for a good one."""
    if one is None:
        return "is not answered"
    if one.rcode != "NOERROR":
        return f"is answered with {one.rcode}"
    values = sorted(record.value for record in one.records if record.kind == TYPES[kind])
    if not values:
        return "has no data"
    if value and values != [value]:
        return f"is {', '.join(values)} and should be {value}"
    return "" if one.validated else "is answered, not validated"


def served(anchors: Mapping[str, Sequence[str]], wait: float, now: float) -> tuple[dict[str, Zone], list[str]]:
    """Return every zone of this host's server, by its catalog, and what is wrong with them."""
    zones: dict[str, Sequence[Record]] = {}
    broken = []
    try:
        catalog = transfer(SERVER, SERVER_PORT, CATALOG, wait)
        names = sorted({record.value for record in catalog if record.kind == TYPES["PTR"]})
    except (OSError, ValueError) as error:
        return {}, [f"the catalog cannot be read: {error}"]
    for name in names:
        try:
            zones[name] = transfer(SERVER, SERVER_PORT, name, wait)
        except (OSError, ValueError) as error:
            broken.append(f"{name} cannot be read: {error}")
    broken += chain(zones, anchors)
    found = {name: state(records, now) for name, records in zones.items()}
    broken += [f"{name} {what}" for name, records in zones.items() if (what := early(records, now))]
    return found, broken


def state(records: Sequence[Record], now: float) -> Zone:
    """Return what counts of a zone."""
    ends = [SIGNATURE.unpack_from(record.data)[4] for record in records if record.kind == TYPES["RRSIG"]]
    return Zone(int(records[0].value), int(min(ends) - now) if ends else None, len(records))


def early(records: Iterable[Record], now: float) -> str:
    """Say so where signatures begin in the future: then a clock is wrong."""
    starts = [SIGNATURE.unpack_from(record.data)[5] for record in records if record.kind == TYPES["RRSIG"]]
    ahead = int(max(starts, default=0) - now)
    return f"has signatures that begin in {ahead} s: a clock is wrong" if ahead > 0 else ""


def chain(zones: Mapping[str, Sequence[Record]], anchors: Mapping[str, Sequence[str]]) -> list[str]:
    """Return where the chain of trust from the anchors is broken, from the zones' own data."""
    trusted = {absolute(zone): {normal(text) for text in texts} for zone, texts in anchors.items()}
    vouched: dict[str, set[str]] = {}
    for records in zones.values():
        for record in records:
            if record.kind == TYPES["DS"]:
                vouched.setdefault(record.name, set()).add(ds_text(record.data))
    broken = [f"{zone}, an anchor, is not served" for zone in sorted(trusted.keys() - zones.keys())]
    for zone, records in zones.items():
        by, good = ("the anchor", trusted[zone]) if zone in trusted else ("its parent's DS", vouched.get(zone, set()))
        keys = secure_keys(zone, records)
        if not good:
            broken.append(f"{zone} has no DS in its parent, and is no anchor")
        elif not good.intersection(keys):
            broken.append(f"{zone} has no key that {by} names")
        elif not any(keys.get(text) for text in good):
            broken.append(f"{zone} has no signature of its keys by the key that {by} names")
    return broken


def absolute(zone: str) -> str:
    """Return a zone's name in lower case with a final dot."""
    return f"{zone.rstrip('.').lower()}."


def normal(text: str) -> str:
    """Return a DS record's data as :func:`ds_text` writes it; a name and type before it are left out."""
    words = text.upper().split()
    words = words[words.index("DS") + 1 :] if "DS" in words else words
    return " ".join((*words[:3], "".join(words[3:])))


def plain(sight: Sight) -> dict[str, Any]:
    """Return what was seen as data for JSON."""
    zones = {
        name: {"serial": zone.serial, "left": zone.left, "records": zone.records} for name, zone in sight.zones.items()
    }
    return {"asked": sight.asked, "wrong": list(sight.wrong), "zones": zones, "broken": list(sight.broken)}
