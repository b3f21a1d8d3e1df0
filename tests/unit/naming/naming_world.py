"""A small network with names, and large ones."""

from __future__ import annotations

import functools
from typing import Any

from altnet.allocate import allocate
from altnet.inventory import Inventory, parse
from altnet.ledger import Ledger
from altnet.naming import Zone, keys
from altnet.naming.desired import desired, keys_of

PREFIX = "fd12:3456:789a::/48"
REVERSE = "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"
MASTER = "Vq1hXJ0rS8mLx2cYp7TnKd4wZg9uBe6A" * 2
DS_OF = functools.partial(keys.ds, MASTER)
HOSTS: dict[str, dict[str, Any]] = {
    "fra": {"endpoints": ["192.0.2.1"]},
    "nyc": {"endpoints": ["192.0.2.2"]},
    "Core.example": {},
    "laptop": {},
}
RELAYS = ["fra", "nyc"]


def inventory(
    zones: Any = (),
    *,
    hosts: dict[str, dict[str, Any]] | None = None,
    authoritative: tuple[str, ...] = ("Core.example",),
    resolvers: tuple[str, ...] = ("fra", "nyc"),
    **network: Any,
) -> Inventory:
    network = {"prefix": PREFIX, "tlds": ["alt", "neo"], "zones": zones or [], **network}
    return parse(network, hosts or HOSTS, RELAYS, authoritative=authoritative, resolvers=resolvers)


def ledger_of(found: Inventory, before: Ledger | None = None, **more: Any) -> Ledger:
    return allocate(found, before, new_prefix=lambda: PREFIX, ds_of=DS_OF, **more).ledger


def zones_of(found: Inventory, ledger: Ledger | None = None) -> dict[str, Zone]:
    ledger = ledger or ledger_of(found)
    zones = desired(found, ledger, keys_of(ledger, MASTER))
    assert len({zone.name for zone in zones}) == len(zones)
    return {zone.name: zone for zone in zones}


def lines(zone: Zone) -> list[str]:
    return [f"{entry.name} {entry.ttl} {entry.type} {value}" for entry in zone.rrsets for value in entry.records]
