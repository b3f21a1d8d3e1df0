"""The typed inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..addressing import DEFAULT_ASN_BASE
from ..naming.model import Declared

FAMILIES: Final = ("ipv4", "ipv6")
STRATEGIES: Final = ("auto", "full", "bounded", "hub", "explicit")
RESOLVER: Final = "resolver"
NAMESERVER: Final = "nameserver"
NAMES_ANYCAST: Final = {RESOLVER: 0x53, NAMESERVER: 0x54}
"""The anycast addresses of the names layer, which the resolvers announce: name and index."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host.

    ``endpoints`` are the addresses that others reach it at, canonical, at most one of each family, and empty
    for a host behind NAT (``nat``). ``families`` are those it can send with, out of :data:`FAMILIES`.
    ``attach`` names the relays of a host that is none, where the operator chose them.
    """

    name: str
    relay: bool = False
    endpoints: tuple[str, ...] = ()
    families: frozenset[str] = frozenset(("ipv4",))
    nat: bool = True
    region: str = "default"
    attach: tuple[str, ...] = ()

    @property
    def reachable(self) -> frozenset[str]:
        """The families in which others can send to this host first."""
        return frozenset("ipv6" if ":" in endpoint else "ipv4" for endpoint in self.endpoints)


@dataclass(frozen=True, slots=True)
class Topology:
    """Which relays have tunnels with each other, and how many relays another host has (``attach``)."""

    strategy: str = "auto"
    degree: int = 6
    full_mesh_max: int = 8
    hubs: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    attach: int = 2


@dataclass(frozen=True, slots=True)
class Anycast:
    """An address that several hosts announce: number ``index`` of ``::2:0/112``."""

    name: str
    index: int
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """A whole network as its operator wrote it.

    ``authoritative`` are the hosts with name servers, in the inventory's order, of which the first is the primary
    unless the ledger has another; ``resolvers`` those that answer everybody; ``directory`` those that hold people and
    groups. ``zones`` are those declared.
    """

    hosts: Mapping[str, Host]
    topology: Topology = field(default_factory=Topology)
    prefix: str | None = None
    allow_fc00: bool = False
    asn_base: int = DEFAULT_ASN_BASE
    anycast: tuple[Anycast, ...] = ()
    authoritative: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    directory: tuple[str, ...] = ()
    tlds: tuple[str, ...] = ("alt",)
    zones: tuple[Declared, ...] = ()

    @property
    def services(self) -> tuple[Anycast, ...]:
        """Every anycast address: the operator's, and those that the resolvers have without being asked."""
        own = [Anycast(name, index, self.resolvers) for name, index in NAMES_ANYCAST.items() if self.resolvers]
        return (*self.anycast, *own)


def can_link(one: Host, other: Host) -> bool:
    """Say whether a tunnel between two hosts can come up: one of them can reach the other first."""
    return bool(one.reachable & other.families or other.reachable & one.families)


def no_link_because(one: Host, other: Host) -> str:
    """Say in words why two hosts for which :func:`can_link` is false cannot have a tunnel."""
    if not one.endpoints and not other.endpoints:
        return f"{one.name} and {other.name} are both behind NAT, so neither can reach the other first"
    if not one.families & other.families:
        return (
            f"{one.name} has {_families(one.families)} and {other.name} has {_families(other.families)}: "
            "no address family in common"
        )
    return f"neither {one.name} nor {other.name} has an endpoint in a family that the other can send with"


def _families(families: frozenset[str]) -> str:
    return " and ".join(sorted(families))
