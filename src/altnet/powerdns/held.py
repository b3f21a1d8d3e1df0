"""What a secondary holds, as a source of zones: the desired set of a primary that starts with nothing.

Pure, and without dnspython: the control node and the secondary both use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import Problem
from ..naming.model import MADE
from .errors import PowerdnsError, problem
from .marks import REGISTRY

FOLLOWS = "Slave"
_SHOWN = 5

Plain = dict[str, Any]
#: A zone's keys and their DNSKEY records, by the zone's name.
KeysOf = Callable[[str], "tuple[Sequence[Mapping[str, Any]], Sequence[str]]"]


def held(zone: Mapping[str, Any]) -> Plain:
    """Return PowerDNS's answer about one zone as a desired one, with the keys that sign it under ``signed_by``."""
    rrsets, keys = [], []
    for one in zone["rrsets"]:
        contents = sorted(record["content"] for record in one["records"] if not record.get("disabled"))
        if one["type"] == "DNSKEY":
            keys = contents
        if one["type"] not in MADE and contents:
            rrsets.append({"name": one["name"], "type": one["type"], "ttl": one["ttl"], "records": contents})
    return {"name": zone["name"], "parent": None, "rrsets": rrsets, "signed_by": keys}


def complete(found: Iterable[Plain], *, consent: bool) -> list[Plain]:
    """Return the zones that were fetched; a host that lacks some, unless that is consented to, or all is refused."""
    zones = list(found)
    # One that was never transferred has nothing in it.
    fetched = [zone for zone in zones if zone["rrsets"]]
    missing = sorted(zone["name"] for zone in zones if not zone["rrsets"])
    mend = "name a server that has them, or wait until this one has fetched them"
    if not fetched:
        what = "this host holds no zones, and all others would follow it"
        raise PowerdnsError(problem("promote_host", what, mend))
    if missing and not consent:
        what = f"this host has not fetched {', '.join(missing[:_SHOWN])}{' and more' if missing[_SHOWN:] else ''}"
        mend = f"{mend}; to give up what the inventory does not declare, set dns_authoritative_start_anew"
        raise PowerdnsError(problem("promote_host", what, mend))
    return fetched


def merged(
    desired: Iterable[Mapping[str, Any]],
    found: Iterable[Mapping[str, Any]],
    keys_of: KeysOf,
    registered: KeysOf | None = None,
) -> tuple[list[Plain], list[Problem]]:
    """Return the desired zones with what only a secondary holds, and which zones' keys cannot be had.

    The inventory's records stand above those that were found, but for the DS of children that decide on it. A zone
    that is signed by other keys than the master secret gives would have its answers refused by everybody: it is a
    problem. What was found is marked (``held``): it was served, and nobody could mend it now. ``registered`` gives the
    keys of members' zones: what is signed by one of those is the registry's, and keeps its mark.
    """
    zones = {zone["name"]: dict(zone) for zone in desired}
    problems = []
    for one in found:
        name = one["name"]
        rrsets = [{**rrset, "held": True} for rrset in one["rrsets"]]
        private, public = keys_of(name) if one["signed_by"] else ((), ())
        if registered is not None and name not in zones and not _words(one["signed_by"]) & _words(public):
            theirs, shown = registered(name)
            if _words(one["signed_by"]) & _words(shown):
                kept = {"parent": None, "rrsets": rrsets, "keys": list(theirs), "account": REGISTRY}
                zones[name] = {"name": name, **kept}
                continue
        if one["signed_by"] and not _words(one["signed_by"]) & _words(public):
            what = "is signed by another key than the master secret gives"
            mend = "see that the vault's altnet_master_secret is this network's"
            problems.append(Problem("", f"zone {name}", what, mend))
            continue
        if name not in zones:
            zones[name] = {"name": name, "parent": None, "rrsets": rrsets, "keys": list(private)}
            continue
        there = {(rrset["name"], rrset["type"]) for rrset in rrsets}
        children = {child for child in zones[name].get("children") or () if (child, "NS") in there}
        own = [rrset for rrset in zones[name]["rrsets"] if rrset["type"] != "DS" or rrset["name"] not in children]
        here = {(rrset["name"], rrset["type"]) for rrset in own}
        more = [rrset for rrset in rrsets if (rrset["name"], rrset["type"]) not in here]
        zones[name]["rrsets"] = [*own, *more]
    return list(zones.values()), problems


def _words(keys: Iterable[str]) -> set[str]:
    # A long key may be written in groups.
    return {"".join(key.split()) for key in keys}
