"""Every name, type, TTL and record of the desired zones, judged before the first request. Pure.

The rules are the inventory's (:mod:`altnet.naming`); what is said here is where a record stands in the module's
argument. What :func:`model.desired` refuses (twice, empty, elsewhere, not complete) is left to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import Problem
from ..naming.names import Wrong, wrong_name, wrong_owner
from ..naming.rdata import checked, remedy, wrong_type
from ..naming.rrsets import beside, several, wrong_ttl
from .errors import problem


def faults(zones: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Return everything that is wrong with any record."""
    return [fault for index, zone in enumerate(zones) for fault in _zone(zone, f"zones[{index}]")]


def _zone(zone: Mapping[str, Any], where: str) -> Iterator[Problem]:
    name = str(zone.get("name", ""))
    served = any(isinstance(one, Mapping) and one.get("held") for one in zone.get("rrsets") or ())
    wrong = None if served else wrong_name(name.lower())
    if wrong:
        yield problem(f"{where}.name", f"{name} {wrong[0]}", wrong[1])
    sets: list[tuple[str, Mapping[str, Any]]] = []
    kinds: dict[str, set[str]] = {name: {"SOA"}}
    for index, one in enumerate(zone.get("rrsets") or ()):
        if isinstance(one, Mapping) and isinstance(one.get("records"), list):
            sets.append((f"{where}.rrsets[{index}]", one))
            kinds.setdefault(str(one.get("name")), set()).add(str(one.get("type")).upper())
    for here, one in sets:
        # A server had it and served it: who promotes another one could not mend it.
        if not one.get("held"):
            yield from _rrset(one, here, kinds)


def _rrset(one: Mapping[str, Any], where: str, kinds: Mapping[str, set[str]]) -> Iterator[Problem]:
    owner, kind, records = str(one.get("name")), str(one.get("type")).upper(), list(map(str, one["records"]))
    shown = f"{owner} {kind}"
    found: list[tuple[str, Wrong | None]] = [
        (f"{where}.name", _owner(owner, kind)),
        (f"{where}.ttl", _ttl(one.get("ttl"))),
        (f"{where}.records", several(kind, set(records))),
        (where, beside(kind, kinds[owner])),
    ]
    wrong = wrong_type(kind)
    found.append((f"{where}.type", wrong))
    for path, verdict in found:
        if verdict:
            yield problem(path, f"{shown} {verdict[0]}", verdict[1])
    if wrong:
        return
    for index, text in enumerate(records):
        try:
            checked(kind, text)
        except ValueError as error:
            yield problem(f"{where}.records[{index}]", f"{shown} {text!r} {error}", remedy(kind, str(error)))


def _owner(name: str, kind: str) -> Wrong | None:
    if name != name.lower():
        return "has capitals", "write it in lower case"
    return wrong_owner(name, kind)


def _ttl(value: object) -> Wrong | None:
    try:
        return wrong_ttl(int(str(value)))
    except ValueError:
        return None
