"""Which names are a host's own: by the plan, by zones that lead to it, or because the inventory gives them to it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Problem
from ..naming.model import RRSet
from .scope import Scope, permits

#: Labels under net.TLD that the plan's anycast services have there under another name.
_LABELS = {"nameserver": "ns"}
#: CNAMEs that lead on to others: as many as a resolver follows.
_HOPS = 8


@dataclass(frozen=True)
class Own:
    """What one host may be called in a certificate."""

    host: str
    names: frozenset[str]
    addresses: frozenset[str]


def own(piece: Mapping[str, Any], tlds: Iterable[str], sets: Iterable[RRSet], given: Collection[str] = ()) -> Own:
    """Return the names of the host with slice ``piece``.

    ``sets`` are the records that the inventory declares, ``given`` the names that it gives to this host in other ways
    (a site). Names of hosts and services under net.TLD belong to those alone, whatever a record says.
    """
    here = [entry for entry in piece["anycast"] if entry["here"]]
    addresses = frozenset((piece["loopback"], *(entry["address"] for entry in here)))
    labels = [piece["name"].lower(), *(_LABELS.get(entry["name"], entry["name"]) for entry in here)]
    zones = [f"net.{tld}" for tld in tlds]
    plan = {f"{label}.{zone}" for label in labels for zone in zones}
    declared = {_bare(name) for name in given} | _leading(sets, addresses, plan)
    outside = {name for name in declared if not any(name == zone or name.endswith(f".{zone}") for zone in zones)}
    return Own(piece["name"], frozenset(plan | outside), addresses)


def _bare(name: str) -> str:
    return name.lower().removesuffix(".")


def _leading(sets: Iterable[RRSet], addresses: Collection[str], names: Collection[str]) -> set[str]:
    """Return the owners of records all of whose values are one of ``addresses``, or lead to one of ``names``."""
    wanted = {ipaddress.ip_address(one) for one in addresses}
    aliases: dict[str, str] = {}
    found: set[str] = set()
    for entry in sets:
        if entry.type == "AAAA" and entry.records and all(ipaddress.ip_address(v) in wanted for v in entry.records):
            found.add(_bare(entry.name))
        elif entry.type == "CNAME" and entry.records:
            aliases[_bare(entry.name)] = _bare(entry.records[0])
    for alias in aliases:
        target = alias
        for _ in range(_HOPS):
            target = aliases.get(target, target)
        if target in found or target in names:
            found.add(alias)
    return found


def problems(own: Own, variable: str, names: Sequence[str], scope: Scope | None) -> list[Problem]:
    """Return what is wrong with the ``names`` of a certificate; ``scope`` is the authority's, where there is one."""
    wrong: list[Problem] = []
    if not names:
        wrong.append(Problem(own.host, variable, "names nothing", "give at least one name"))
    for index, name in enumerate(names):
        where = f"{variable}[{index}]"
        if name.startswith("*"):
            wrong.append(Problem(own.host, where, f"{name} is a wildcard", "name each name by itself"))
        elif not _is_own(own, name):
            what = f"{name} is not a name of this host by the plan, the zones or the sites"
            mend = "correct it, or declare a record in altnet_zones that leads to this host"
            wrong.append(Problem(own.host, where, what, mend))
        elif scope is not None and not permits(scope, name):
            what = f"{name} is outside what the network's root may sign for ({', '.join(scope.tlds)}; {scope.prefix})"
            wrong.append(Problem(own.host, where, what, "replace the root: docs/runbooks/replace-the-root.md"))
    return wrong


def _is_own(own: Own, name: str) -> bool:
    try:
        return str(ipaddress.ip_address(name)) in own.addresses
    except ValueError:
        return _bare(name) in own.names
