"""What each host has to know of the names layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..addressing import Prefix, anycast_address, loopback, reverse_zone
from ..inventory import Inventory
from ..inventory.model import NAMES_ANYCAST, NAMESERVER, RESOLVER
from ..ledger import Ledger
from ..naming.anchors import anchored, anchors

NEAR = 2
"""Of how many resolvers a host knows the own address."""
TIME_SERVERS = 3


@dataclass(frozen=True)
class Names:
    """The names layer as a whole: addresses by host, those of resolvers and relays in the order of their ids."""

    primary: str | None
    servers: Mapping[str, str]
    resolvers: Mapping[str, str]
    relays: Mapping[str, str]
    children: Sequence[Mapping[str, str]]
    common: Mapping[str, Any]

    def slice(self, name: str, neighbours: Sequence[str]) -> dict[str, Any]:
        """Return one host's part; ``neighbours`` come before other hosts, in their order."""
        role = None
        if name in self.servers:
            role = "primary" if name == self.primary else "secondary"
        others = [{"name": other, "address": self.servers[other]} for other in sorted(self.servers) if other != name]
        return {
            **self.common,
            "role": role,
            "resolver": name in self.resolvers,
            "secondaries": others if role == "primary" else [],
            "children": list(self.children) if role == "primary" else [],
            "near": list(islice(_nearest(name, neighbours, self.resolvers), NEAR)),
            # Neighbours alone: a relay that joins must not change what far hosts are told.
            "time_servers": [self.relays[other] for other in neighbours if other in self.relays][:TIME_SERVERS],
        }


def names(inventory: Inventory, ledger: Ledger, prefix: Prefix) -> Names:
    """Return the names layer of a network; ``inventory`` is without those who are shut out."""
    hosts = ledger.hosts
    present = [name for name in inventory.hosts if name in hosts and not hosts[name].left]
    addresses = {name: loopback(prefix, hosts[name].id) for name in sorted(present, key=lambda name: hosts[name].id)}
    primary = primary_of(inventory, ledger)
    resolvers = _of(addresses, inventory.resolvers)
    services = {name: anycast_address(prefix, index) for name, index in NAMES_ANYCAST.items() if resolvers}
    servers = _of(addresses, (*inventory.authoritative, *inventory.resolvers))
    # Where nobody serves names, nobody can prove them either. With the primary alone shut out, the others go on.
    zones = anchored(inventory.tlds, ledger.prefix) if servers else ()
    return Names(
        primary,
        servers,
        resolvers,
        {name: address for name, address in addresses.items() if hosts[name].relay},
        [{"name": child, "zone": zone.name} for zone in inventory.zones for child in zone.children],
        {
            "tlds": list(inventory.tlds),
            "reverse": reverse_zone(ledger.prefix),
            "zones_anchored": list(zones),
            "primary": addresses[primary] if primary else None,
            "primary_name": primary,
            "resolver_anycast": services.get(RESOLVER),
            "nameserver_anycast": services.get(NAMESERVER),
            "anchors": anchors(ledger, zones),
        },
    )


def primary_of(inventory: Inventory, ledger: Ledger) -> str | None:
    """Return the host that all zones come from: the one on record while it can be, else the first of its group.

    A resolver holds all zones too and becomes the primary where it is told to, but never by itself.
    """
    able = [
        name
        for name in (*inventory.authoritative, *inventory.resolvers)
        if name in ledger.hosts and not ledger.hosts[name].left and not ledger.hosts[name].quarantined
    ]
    if ledger.dns_primary in able:
        return ledger.dns_primary
    return next((name for name in able if name in inventory.authoritative), None)


def _of(addresses: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    members = set(wanted)
    return {name: address for name, address in addresses.items() if name in members}


def _nearest(name: str, neighbours: Sequence[str], hosts: Mapping[str, str]) -> Iterator[str]:
    """Yield the addresses of ``hosts``, neighbours first, then by id: a host that joins displaces nobody."""
    close = [other for other in neighbours if other in hosts]
    yield from (hosts[other] for other in close)
    yield from (address for other, address in hosts.items() if other != name and other not in close)
