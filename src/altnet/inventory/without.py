"""The inventory as it would be without some of its hosts, whatever still names them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .model import Host, Inventory


def without(inventory: Inventory, names: Collection[str]) -> Inventory:
    """Return the inventory less the hosts ``names``, and less every mention of them.

    Where too few relays remain of those the operator chose for a host, the topology chooses its relays.
    """
    gone = inventory.hosts.keys() & set(names)
    if not gone:
        return inventory
    topology = inventory.topology
    return replace(
        inventory,
        hosts={
            name: _attached(host, gone, topology.attach) for name, host in inventory.hosts.items() if name not in gone
        },
        topology=replace(
            topology,
            hubs=tuple(hub for hub in topology.hubs if hub not in gone),
            links=tuple(ends for ends in topology.links if not gone.intersection(ends)),
        ),
        anycast=tuple(
            replace(entry, origins=tuple(origin for origin in entry.origins if origin not in gone))
            for entry in inventory.anycast
        ),
        authoritative=tuple(name for name in inventory.authoritative if name not in gone),
        resolvers=tuple(name for name in inventory.resolvers if name not in gone),
        directory=tuple(name for name in inventory.directory if name not in gone),
    )


def _attached(host: Host, gone: Collection[str], count: int) -> Host:
    left = tuple(relay for relay in host.attach if relay not in gone)
    if len(left) == len(host.attach):
        return host
    return replace(host, attach=left if len(left) >= count else ())
