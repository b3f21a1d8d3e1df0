"""The zones that the operator writes into the inventory, read record by record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..naming.model import DEFAULT_TTL, TTL_MAX, TTL_MIN, Declared, RRSet
from ..naming.names import RESERVED, is_within, wrong_name, wrong_owner
from ..naming.rdata import TYPES, canonical, remedy
from ..naming.rrsets import beside, several, ttls
from .reader import Reader, did_you_mean

ZONE_KEYS = ("name", "ttl", "records")
RECORD_KEYS = ("name", "type", "values", "ttl", "cds")
VARIABLE = "altnet_zones"


@dataclass
class _Set:
    """An RRset that is being read: where it was written first, its TTL, and its values in order."""

    where: str
    ttl: int
    values: dict[str, None] = field(default_factory=dict)
    cds: bool = False


_Sets = dict[tuple[str, str], _Set]


def read(reader: Reader, value: object, tlds: Sequence[str]) -> tuple[Declared, ...]:
    """Return the zones in ``altnet_zones``; what is wrong with them goes to the reader's problems."""
    found: dict[str, tuple[str, _Sets]] = {}
    for where, entry in reader.items(value, VARIABLE):
        values = reader.mapping(entry, where, ZONE_KEYS)
        if not values:
            continue
        name = _zone_name(reader, values.get("name"), f"{where}.name", tlds)
        if not name:
            continue
        if name in found:
            what = f"{name} is there already, at {found[name][0]}"
            reader.wrong(f"{where}.name", what, "put all records of a zone into one entry")
            continue
        ttl = reader.whole(values.get("ttl", DEFAULT_TTL), f"{where}.ttl", DEFAULT_TTL, TTL_MIN, TTL_MAX)
        sets: _Sets = {}
        for path, record in reader.items(values.get("records", []), f"{where}.records"):
            _record(reader, reader.mapping(record, path, RECORD_KEYS), path, zone=name, zone_ttl=ttl, sets=sets)
        found[name] = (where, sets)
    for name, (_, sets) in found.items():
        _check(reader, name, sets, found, tlds)
    return tuple(
        Declared(
            name,
            tuple(RRSet(owner, kind, s.ttl, tuple(s.values)) for (owner, kind), s in sorted(sets.items())),
            tuple(sorted(owner for (owner, _), s in sets.items() if s.cds)),
        )
        for name, (_, sets) in sorted(found.items())
    )


def _zone_name(reader: Reader, value: object, where: str, tlds: Sequence[str]) -> str:
    text = reader.text(value, where, "")
    if not text:
        return ""
    name = text.lower().removesuffix(".") + "."
    wrong = wrong_name(name)
    if wrong:
        reader.wrong(where, f"{text} {wrong[0]}", wrong[1])
        return ""
    labels = name.removesuffix(".").split(".")
    if labels[-1] not in tlds:
        what = f"{name} is outside the network's top-level domains ({', '.join(tlds)})"
        reader.wrong(where, what, f"name a zone below one of them, or add {labels[-1]} to altnet_tlds")
        return ""
    if len(labels) > 1 and labels[-2] in RESERVED:
        what = f"{name} cannot be declared: {labels[-2]}.{labels[-1]} {RESERVED[labels[-2]]}"
        reader.wrong(where, what, "choose another name")
        return ""
    return name


def _record(reader: Reader, values: Mapping[str, object], where: str, *, zone: str, zone_ttl: int, sets: _Sets) -> None:
    if not values:
        return
    kind = values.get("type")
    if not isinstance(kind, str) or kind.upper() not in TYPES:
        what = f"is {kind!r}, which cannot be declared" if kind else "is not given"
        mend = did_you_mean(str(kind).upper(), TYPES) if kind else f"use one of: {', '.join(TYPES)}"
        reader.wrong(f"{where}.type", what, mend)
        return
    kind = kind.upper()
    owner = _owner(reader, values.get("name"), f"{where}.name", zone, kind)
    ttl = reader.whole(values.get("ttl", zone_ttl), f"{where}.ttl", zone_ttl, TTL_MIN, TTL_MAX)
    given = reader.texts(values.get("values"), f"{where}.values")
    if not owner:
        return
    if not given and values.get("values") == []:
        reader.wrong(f"{where}.values", f"of {owner} {kind} is empty", "give a value, or remove the record")
    rrset = sets.setdefault((owner, kind), _Set(where, ttl))
    if rrset.ttl != ttl:
        what, mend = ttls(ttl, rrset.ttl, rrset.where)
        reader.wrong(f"{where}.ttl", f"{owner} {kind} {what}", mend)
    cds = values.get("cds", False)
    if not isinstance(cds, bool):
        reader.expect(f"{where}.cds", cds, "true or false without quotes")
    elif cds and kind != "NS":
        what = f"is set at {owner} {kind}, and only a delegation has a DS"
        reader.wrong(f"{where}.cds", what, "move it to the NS of that name, or remove it")
    else:
        rrset.cds |= cds
    for path, value in given:
        try:
            rrset.values[canonical(kind, value)] = None
        except ValueError as error:
            reader.wrong(path, f"{owner} {kind} {value!r} {error}", remedy(kind, str(error)))


def _owner(reader: Reader, value: object, where: str, zone: str, kind: str) -> str:
    text = reader.text(value, where, "")
    if not text:
        return ""
    name = text.lower()
    bare = zone.removesuffix(".")
    if name == "@":
        return zone
    if not name.endswith("."):
        if is_within(name, bare):
            what = f"{text} is below {zone} already, and without a dot at its end would become {name}.{bare}"
            reader.wrong(where, what, f"write {name}. or, for the name within the zone, leave .{bare} out")
            return ""
        name = f"{name}.{zone}"
    elif not is_within(name, zone):
        reader.wrong(where, f"{text} is not within the zone {zone}", "move the record to the zone it belongs to")
        return ""
    wrong = wrong_owner(name, kind)
    if wrong:
        reader.wrong(where, f"{name} {kind} {wrong[0]}", wrong[1])
        return ""
    return name


def _check(reader: Reader, zone: str, sets: _Sets, zones: Mapping[str, tuple[str, _Sets]], tlds: Sequence[str]) -> None:
    """Find what no record shows alone: data beside a CNAME, below a delegation, or in somebody else's place."""
    kinds: dict[str, set[str]] = {}
    for owner, kind in sets:
        kinds.setdefault(owner, set()).add(kind)
    cuts = {owner for owner, found in kinds.items() if "NS" in found and owner != zone}
    reserved = {f"{label}.{zone}": label for label in RESERVED} if zone.removesuffix(".") in tlds else {}
    for (owner, kind), rrset in sets.items():
        here = f"{owner} {kind}"
        wrong = several(kind, tuple(rrset.values))
        if wrong:
            reader.wrong(f"{rrset.where}.values", f"{here} {wrong[0]}", wrong[1])
        wrong = beside(kind, {*kinds[owner], "SOA", "NS"} if owner == zone else kinds[owner])
        if wrong:
            reader.wrong(rrset.where, f"{here} {wrong[0]}", wrong[1])
        if owner == zone and kind in {"NS", "DS"}:
            what = f"{here} is at the top of the zone, where Altnet puts its own"
            reader.wrong(rrset.where, what, "remove it; to delegate a name below, write the NS there")
        if kind == "DS" and owner != zone and owner not in cuts:
            what = f"{here} is at no delegation: there is no NS of that name"
            reader.wrong(rrset.where, what, "add the NS of the servers it is delegated to, or remove it")
        _place(reader, zone, (owner, kind, rrset), cuts=cuts, zones=zones, reserved=reserved)


def _place(
    reader: Reader,
    zone: str,
    entry: tuple[str, str, _Set],
    *,
    cuts: set[str],
    zones: Mapping[str, tuple[str, _Sets]],
    reserved: Mapping[str, str],
) -> None:
    """Find data where somebody else has the say: below a delegation, in a zone below, in what Altnet fills."""
    owner, kind, rrset = entry
    here = f"{owner} {kind}"
    above = owner
    while above != zone:
        if above in reserved:
            what = f"{here} cannot be declared: {above} {RESERVED[reserved[above]]}"
            reader.wrong(f"{rrset.where}.name", what, "choose another name")
        if above in zones:
            what = f"{here} is in {zone}, and {above} is a zone of its own ({zones[above][0]})"
            reader.wrong(rrset.where, what, f"move the record to the zone {above.removesuffix('.')}")
            return
        if above in cuts and (kind not in {"NS", "DS"} if above == owner else kind not in {"A", "AAAA"}):
            what = f"{here} is not seen by anybody: {above} is delegated to other servers by its NS"
            reader.wrong(rrset.where, what, "remove the record or the NS")
            return
        above = above.partition(".")[2]
