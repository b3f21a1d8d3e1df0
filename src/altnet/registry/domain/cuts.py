"""Where a zone is cut: what a sub-delegation may have beside it and below it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ...naming.names import is_within
from .errors import Fault
from .model import RRset

GLUE = frozenset(("A", "AAAA"))


def faults(rrsets: Collection[RRset], zone: str, paths: Mapping[tuple[str, str], str]) -> Iterator[Fault]:
    """Yield what is wrong at and below each name under the apex that has NS records."""
    servers = {rrset.name: set(rrset.records) for rrset in rrsets if rrset.type == "NS" and rrset.name != zone}
    has = {(rrset.name, rrset.type) for rrset in rrsets}
    for rrset in sorted(rrsets):
        at = paths.get((rrset.name, rrset.type), "")
        dot = f"{at}." if at else ""
        cut = next((name for name in _above(rrset.name, zone) if name in servers), None)
        if rrset.type == "DS" and rrset.name not in servers:
            what = f"{rrset.name} has DS and no NS: nothing is delegated there"
            yield Fault(f"{dot}type", "ds", what, "add the NS records of its servers first")
        elif cut and not _belongs(rrset, cut, servers[cut]):
            what = f"{cut} is delegated to other servers, so nobody would ever see {rrset.type} of {rrset.name} here"
            yield Fault(f"{dot}name", "below-cut", what, f"put it on the servers of {cut}, or remove the NS there")
        if rrset.name in servers and rrset.type == "NS":
            for host in sorted(servers[rrset.name]):
                if is_within(host, rrset.name) and not any((host, kind) in has for kind in GLUE):
                    what = f"{host} is itself in {rrset.name}, so nobody finds its address"
                    yield Fault(f"{dot}records", "glue", what, f"add A or AAAA of {host}")


def _above(name: str, zone: str) -> Iterator[str]:
    """Yield the name and what is above it, below the zone's apex; the highest first."""
    labels = name.removesuffix(f".{zone}").split(".") if name != zone else []
    for index in range(len(labels) - 1, -1, -1):
        yield f"{'.'.join(labels[index:])}.{zone}"


def _belongs(rrset: RRset, cut: str, hosts: Collection[str]) -> bool:
    """Say whether an RRset may be at or below the cut: NS, DS, and the addresses of its servers."""
    if rrset.name == cut and rrset.type in {"NS", "DS"}:
        return True
    return rrset.type in GLUE and rrset.name in hosts
