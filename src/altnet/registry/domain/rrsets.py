"""Record sets as they are given by a form, a program or a file: read, judged each, and judged together.

Every fault names its field (``rrsets[2].records[0]``; of one set alone ``records[0]``), says what is wrong, and how to
mend it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from ...naming import rdata
from ...naming.names import is_within, wrong_owner
from ...naming.rrsets import several
from . import cuts
from .errors import Fault
from .labels import Refused, to_ascii, to_unicode
from .model import RRset
from .policy import Policy

#: Of one RRset's records in presentation form together: an answer with it fits into a message of DNS over TCP.
RRSET_BYTES_MAX: Final = 24_000
#: Of a whole zone's records in presentation form.
ZONE_BYTES_MAX: Final = 1_000_000
_VALUE_MAX: Final = 8_192
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
Keys = tuple[str, str]
"""An RRset's name and type."""


def read(raw: object, zone: str, policy: Policy, at: str = "") -> tuple[RRset | None, list[Fault]]:
    """Return a record set as given (``name``, ``type``, ``ttl``, ``records``), canonical, or what is wrong with it.

    ``name`` is relative (``www``, ``@``, ``*.x``) or absolute with its final dot. ``at`` is the path of the set itself.
    """
    dot = f"{at}." if at else ""
    if not isinstance(raw, Mapping):
        return None, [Fault(at, "form", "This is no record set", "give name, type, ttl and records")]
    strange = sorted(str(key) for key in raw if key not in {"name", "type", "ttl", "records"})
    faults = [
        Fault(f"{dot}{key}"[:100], "unknown", "A record set has no such field", "leave it out") for key in strange[:5]
    ]
    name, wrong_name = owner(raw.get("name", "@"), zone, f"{dot}name")
    kind, wrong_type = _type(raw.get("type"), f"{dot}type")
    faults += [fault for fault in (wrong_name, wrong_type) if fault]
    ttl = raw.get("ttl", 3600)
    faults += _ttl(ttl, policy, f"{dot}ttl")
    records, wrong = _records(raw.get("records"), kind, policy, f"{dot}records")
    faults += wrong
    if name and kind:
        faults += _place(name, kind, zone, f"{dot}name")
    if faults:
        return None, faults
    return RRset(name, kind, int(ttl), records), []


def owner(given: object, zone: str, at: str) -> tuple[str, Fault | None]:
    """Return an owner's absolute name, or why it is none of the zone's."""
    if not isinstance(given, str) or len(given) > 1000:
        return "", Fault(at, "form", "This is no name", 'write one such as "www", or "@" for the domain itself')
    text = given.strip().lower()
    try:
        text = to_ascii(text)
    except Refused as refused:
        return "", Fault(at, refused.fault.code, refused.fault.what, refused.fault.remedy)
    name = zone if text in {"@", ""} else text if text.endswith(".") else f"{text}.{zone}"
    if not is_within(name, zone):
        what = f"{to_unicode(name)} is not in {to_unicode(zone)}"
        return "", Fault(at, "out-of-zone", what, f"write it without the dot at its end, or with {zone} there")
    return name, None


def together(rrsets: Collection[RRset], zone: str, policy: Policy, paths: Mapping[Keys, str]) -> Iterator[Fault]:
    """Yield what is wrong between a zone's record sets; ``paths`` says where each was given."""
    kinds: dict[str, set[str]] = {}
    for rrset in rrsets:
        kinds.setdefault(rrset.name, set()).add(rrset.type)
    if len(rrsets) > policy.rrsets_max:
        what = f"{zone} would have {len(rrsets)} record sets, and may have {policy.rrsets_max}"
        yield Fault("rrsets", "too-many", what, "remove some, or delegate a part of it to servers of your own")
    size = sum(len(rrset.name) + sum(map(len, rrset.records)) for rrset in rrsets)
    if size > ZONE_BYTES_MAX:
        what = f"The records of {zone} would be {size:,} bytes, and may be {ZONE_BYTES_MAX:,}"
        yield Fault("rrsets", "too-large", what, "remove some")
    aliases = {rrset.name: rrset.records[0] for rrset in rrsets if rrset.type == "CNAME"}
    for rrset in sorted(rrsets):
        at = paths.get((rrset.name, rrset.type), "")
        yield from _beside(rrset, kinds[rrset.name], _join(at, "type"))
        yield from _aliases(rrset, aliases, _join(at, "records"))
    yield from cuts.faults(rrsets, zone, paths)


def read_all(
    raws: Sequence[object], zone: str, policy: Policy, at: str = "rrsets"
) -> tuple[tuple[RRset, ...], list[Fault]]:
    """Return a whole set of record sets, or everything that is wrong with it."""
    if isinstance(raws, str | bytes | Mapping) or not isinstance(raws, Sequence):
        return (), [Fault(at, "form", "This is no list of record sets", "give a list")]
    if len(raws) > policy.rrsets_max:
        what = f"These are {len(raws)} record sets, and a domain may have {policy.rrsets_max}"
        return (), [Fault(at, "too-many", what, "remove some")]
    found: dict[Keys, RRset] = {}
    paths: dict[Keys, str] = {}
    faults: list[Fault] = []
    for index, raw in enumerate(raws):
        rrset, wrong = read(raw, zone, policy, f"{at}[{index}]")
        faults += wrong
        if rrset is None:
            continue
        key = (rrset.name, rrset.type)
        if key in found:
            what = f"{rrset.name} {rrset.type} is here and at {paths[key]}"
            faults.append(Fault(f"{at}[{index}].name", "duplicate", what, "put all its records into one set"))
            continue
        found[key], paths[key] = rrset, f"{at}[{index}]"
    rrsets = tuple(sorted(found.values()))
    return rrsets, [*faults, *together(rrsets, zone, policy, paths)]


def _type(given: object, at: str) -> tuple[str, Fault | None]:
    kind = given.strip().upper() if isinstance(given, str) and len(given) <= 32 else ""
    if kind in rdata.TYPES:
        return kind, None
    known = ", ".join(rdata.TYPES)
    if not kind:
        return "", Fault(at, "type", "This is no record type", f"use one of {known}")
    if kind == "DNAME":
        what = "A DNAME would hide every name below it, and not all servers here follow it"
        return "", Fault(at, "type", what, "use a CNAME for each name")
    wrong = rdata.wrong_type(kind)
    if wrong:
        what = f"The record set {wrong[0]}"
        return "", Fault(at, "type", what, wrong[1])
    return "", Fault(at, "type", f"Records of type {kind} cannot be registered here", f"use one of {known}")


def _ttl(ttl: object, policy: Policy, at: str) -> Iterator[Fault]:
    low, high = policy.ttl_min, policy.ttl_max
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        yield Fault(at, "ttl", "The TTL is no number", f"give seconds, from {low} to {high}")
    elif not low <= ttl <= high:
        yield Fault(at, "ttl", "The TTL is out of range", f"use {low} to {high} seconds")


def _records(given: object, kind: str, policy: Policy, at: str) -> tuple[tuple[str, ...], list[Fault]]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence) or not given:
        return (), [Fault(at, "empty", "A record set has at least one record", "give a list of them")]
    if len(given) > policy.records_max:
        what = f"These are {len(given)} records, and a set may have {policy.records_max}"
        return (), [Fault(at, "too-many", what, "remove some")]
    if not kind:
        return (), []
    found: dict[str, int] = {}
    faults = []
    for index, value in enumerate(given):
        place = f"{at}[{index}]"
        try:
            record = _value(kind, value)
        except ValueError as error:
            reason = str(error)
            shown = repr(value[:60]) if isinstance(value, str) else "This"
            faults.append(Fault(place, "rdata", f"{shown} {reason}", rdata.remedy(kind, reason)))
            continue
        if record in found:
            what = f"{record[:60]!r} is here and at {at}[{found[record]}]"
            faults.append(Fault(place, "duplicate", what, "remove one"))
        found.setdefault(record, index)
    if sum(map(len, found)) > RRSET_BYTES_MAX:
        faults.append(Fault(at, "too-large", f"The records are more than {RRSET_BYTES_MAX:,} bytes", "remove some"))
    wrong = several(kind, found)
    if wrong:
        faults.append(Fault(at, "several", f"The set {wrong[0]}", wrong[1]))
    return tuple(sorted(found)), faults


def _value(kind: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is empty")
    if len(value) > _VALUE_MAX:
        raise ValueError(f"has more than {_VALUE_MAX:,} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("has half a character in it") from None
    if _CONTROL.search(value.strip()):
        raise ValueError("has a control character in it")
    return rdata.canonical(kind, value)


def _place(name: str, kind: str, zone: str, at: str) -> Iterator[Fault]:
    wrong = wrong_owner(name, kind)
    if wrong:
        yield Fault(at, "owner", f"The name {wrong[0]}", wrong[1])
    if name != zone:
        return
    if kind in {"NS", "DS"}:
        what = f"{kind} of the domain itself are the network's to set, as long as it serves the zone"
        yield Fault(at, "apex", what, "delegate the domain, if servers of your own are to serve it")
    elif kind == "CNAME":
        what = "The domain itself cannot be an alias: its SOA and NS are beside it"
        yield Fault(at, "apex", what, "give it A and AAAA records, or an alias to www")


def _beside(rrset: RRset, kinds: Collection[str], at: str) -> Iterator[Fault]:
    others = sorted({*kinds} - {"CNAME"})
    if rrset.type == "CNAME" and others:
        what = f"{rrset.name} has a CNAME beside {', '.join(others)}, and a CNAME stands alone"
        yield Fault(at, "cname", what, "remove it, or what is beside it")


def _aliases(rrset: RRset, aliases: Mapping[str, str], at: str) -> Iterator[Fault]:
    """Yield where aliases go round in a circle, and where a server or exchange is one (RFC 2181, 10.3)."""
    if rrset.type == "CNAME":
        seen, name = [rrset.name], rrset.records[0]
        while name in aliases and name not in seen:
            seen.append(name)
            name = aliases[name]
        if name == rrset.name:
            yield Fault(at, "loop", f"{' -> '.join(seen[:5])} -> {name} goes round in a circle", "point it elsewhere")
    elif rrset.type in {"NS", "MX", "SRV"}:
        for record in rrset.records:
            target = record.split()[-1]
            if target in aliases:
                what = f"{target} is an alias, and {rrset.type} points at a host (RFC 2181)"
                yield Fault(at, "alias", what, f"write {aliases[target]}")


def _join(at: str, field: str) -> str:
    return f"{at}.{field}" if at else field


def keys(rrsets: Iterable[RRset]) -> dict[Keys, RRset]:
    """Return record sets by name and type."""
    return {(rrset.name, rrset.type): rrset for rrset in rrsets}
