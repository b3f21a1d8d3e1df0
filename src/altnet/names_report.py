"""The part of the report that is about names: every server's zones, and what every host was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

DAY = 86_400
#: Signatures are valid for at least so many seconds, else `check` fails: a copy that is made anew every week never has
#: less than nearly a week (docs/concepts/signatures.md).
SIGNED_MIN = 5 * DAY


def wanted_of(dns: Mapping[str, Any] | None, loopbacks: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what a host is to prove of names, from its slice's ``dns`` and every host's loopback; None for nothing."""
    if not dns or not (dns["resolver_anycast"] or dns["role"]):
        return None
    tlds = [tld.rstrip(".") for tld in dns["tlds"]]
    hosts = sorted((name.lower(), address) for name, address in loopbacks.items())
    forward = [[f"{name}.net.{tld}.", "AAAA", address] for tld in tlds for name, address in hosts]
    back = [[f"{ip_address(address).reverse_pointer}.", "PTR", f"{name}.net.{tlds[0]}."] for name, address in hosts]
    return {
        "resolver": dns["resolver_anycast"],
        "questions": [*forward, *back],
        "server": bool(dns["role"]),
        "resolves": bool(dns["resolver"]),
        "primary": dns["primary"] if dns["role"] == "secondary" else None,
        "anchors": dns.get("anchors") or {},
    }


@dataclass
class NamesPart:
    """Rows for a table, one closing line, and the faults by kind."""

    rows: list[list[str]] = field(default_factory=list)
    line: str = ""
    zones: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def names_part(
    slices: Mapping[str, Mapping[str, Any]], names: Sequence[str], seen: Mapping[str, Mapping[str, Any] | None]
) -> NamesPart:
    """Return the part for the hosts ``names``, given what each saw that was asked; empty without a names layer."""
    part = NamesPart()
    looked = {name: sight for name in names if (sight := seen.get(name))}
    if not looked:
        return part
    servers = {name: looked[name]["zones"] for name in names if name in looked and _role(slices[name])}
    right = newest(servers, next((name for name in servers if _role(slices[name]) == "primary"), None))
    part.rows = [["NAMES", "SERVER", "ZONES", "SIGNED FOR", "VALIDATED"]]
    for name, sight in looked.items():
        zones = servers.get(name)
        part.zones += [f"{name}: {what}" for what in sight["broken"]]
        part.answers += [f"{name}: {what}" for what in sight["wrong"]]
        same = signed = "-"
        if zones is not None:
            part.zones += _stale(name, zones, right)
            part.zones += _unsigned(name, zones)
            same = f"{sum(zones.get(zone, {}).get('serial') == serial for zone, serial in right.items())}/{len(right)}"
            signed = _days(least(zones))
        answered = sight["asked"] - len(sight["wrong"])
        part.rows.append([name, _role(slices[name]) or "-", same, signed, f"{answered}/{sight['asked']}"])
    part.line = _closing(looked, servers, right, part)
    return part


def newest(servers: Mapping[str, Mapping[str, Mapping[str, Any]]], primary: str | None) -> dict[str, int]:
    """Return the serial that each zone should have: the primary's, else the highest that anybody has."""
    if primary and servers[primary]:
        return {zone: known["serial"] for zone, known in servers[primary].items()}
    found: dict[str, int] = {}
    for zones in servers.values():
        for zone, known in zones.items():
            found[zone] = max(known["serial"], found.get(zone, 0))
    return found


def least(zones: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Return for how many seconds every signature of a server is valid; None where a zone is not signed."""
    found = [known["left"] for known in zones.values()]
    return None if not found or None in found else min(found)


def _role(piece: Mapping[str, Any]) -> str | None:
    role: str | None = (piece.get("dns") or {}).get("role")
    return role


def _stale(name: str, zones: Mapping[str, Mapping[str, Any]], right: Mapping[str, int]) -> list[str]:
    return [
        *(f"{name} does not serve {zone}" for zone in right if zone not in zones),
        *(f"{name} serves {zone}, which the primary does not" for zone in zones if zone not in right),
        *(
            f"{name} has serial {zones[zone]['serial']} of {zone}, and {serial} is right"
            for zone, serial in right.items()
            if zone in zones and zones[zone]["serial"] != serial
        ),
    ]


def _unsigned(name: str, zones: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{name}: {zone} is not signed"
        if known["left"] is None
        else f"{name}: a signature of {zone} is valid for {_days(known['left'])} more, and 5 days are the least"
        for zone, known in zones.items()
        if known["left"] is None or known["left"] < SIGNED_MIN
    ]


def _days(seconds: int | None) -> str:
    return "-" if seconds is None else f"{seconds / DAY:.1f} d"


def _closing(
    looked: Mapping[str, Mapping[str, Any]],
    servers: Mapping[str, Mapping[str, Mapping[str, Any]]],
    right: Mapping[str, int],
    part: NamesPart,
) -> str:
    asked = sum(sight["asked"] for sight in looked.values())
    answered = asked - sum(len(sight["wrong"]) for sight in looked.values())
    lines = []
    if servers and right and not part.zones:
        ends = [end for zones in servers.values() if (end := least(zones)) is not None]
        lines.append(
            f"{len(right)} zones are the same on {len(servers)} servers, signed for {_days(min(ends, default=None))} at"
            " least, and trusted from the anchors."
        )
    if asked:
        lines.append(
            f"{answered} of {asked} questions for hosts' names and addresses were answered rightly and validated"
            + (", all of them." if answered == asked else ".")
        )
    return " ".join(lines)
