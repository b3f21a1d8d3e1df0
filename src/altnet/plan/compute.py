"""Who is whose neighbour, and a host's slice of the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..addressing import (
    Prefix,
    anycast_address,
    asn,
    listen_port,
    loopback,
    parse_prefix,
    relay_subnet,
    router_id,
)
from ..collector import set_aside
from ..errors import InventoryError, Problem
from ..inventory import Host, Inventory, without
from ..ledger import Ledger, Record
from .dns import Names, names
from .people import People, people
from .tunnel import allowed_towards_host, allowed_towards_relay, bgp_session, tunnel

Slice = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MemberPrefix:
    """A member's prefix that ``host`` originates into BGP, with ``origin_asn`` at the end of its path."""

    prefix: str
    origin_asn: int
    host: str


@dataclass(frozen=True)
class Plan:
    """A network. ``names`` are the hosts that have a slice: those of the inventory which the ledger knows."""

    names: tuple[str, ...]
    _inventory: Inventory = field(repr=False)
    _ledger: Ledger = field(repr=False)
    _prefix: Prefix = field(repr=False)
    _neighbours: Mapping[str, Sequence[tuple[int, str, tuple[int, ...]]]] = field(repr=False)
    _anycast: Mapping[str, Sequence[str]] = field(repr=False)
    _members: Mapping[str, Sequence[MemberPrefix]] = field(repr=False)
    _dns: Names = field(repr=False)
    _people: People = field(repr=False)

    def slice(self, name: str) -> Slice:
        """Return what one host has to know, as plain data that JSON keeps as it is.

        Raises :class:`InventoryError` for a name that is not in :attr:`names`.
        """
        host, record = self._inventory.hosts.get(name), self._ledger.hosts.get(name)
        if host is None or record is None or record.left:
            remedy = "allocate first; a host that has left, or is not in the inventory, has none"
            raise InventoryError(Problem(name, "plan", "has no slice", remedy))
        ledger, number = self._ledger, record.id
        address = loopback(self._prefix, number)
        subnet = relay_subnet(self._prefix, number) if record.relay else None
        neighbours = self._neighbours.get(name, ())
        tunnels = [
            self._tunnel(host, record, other, generation)
            for _, other, generations in neighbours
            for generation in generations
        ]
        return {
            "name": name,
            "id": number,
            "label": record.label,
            "relay": record.relay,
            "region": host.region,
            "drained": record.drained,
            "prefix": ledger.prefix,
            "loopback": address,
            "asn": asn(ledger.asn_base, number),
            "asn_base": ledger.asn_base,
            "router_id": router_id(number),
            "subnet": subnet,
            "generations": sorted({ledger.generation, *(entry["generation"] for entry in tunnels)}),
            "ports": [listen_port(other_id, parity) for other_id, _, _ in neighbours for parity in (0, 1)],
            "tunnels": tunnels,
            "bgp": [
                bgp_session(entry, relay=record.relay, asn=asn(ledger.asn_base, entry["neighbour_id"]))
                for entry in tunnels
                if not entry["pending"]
            ],
            "prefixes": {
                "originated": [f"{address}/128", *([subnet] if subnet else [])],
                "members": [
                    {"prefix": member.prefix, "origin_asn": member.origin_asn} for member in self._members.get(name, ())
                ],
            },
            "anycast": self._services(name),
            "dns": self._dns.slice(name, [other for _, other, _ in neighbours]),
            "directory": self._people.slice(name),
            "pending": sorted({entry["neighbour"] for entry in tunnels if entry["pending"]}),
            "absent": sorted(other for _, other, _ in neighbours if other not in self._inventory.hosts),
        }

    def quarantined(self) -> dict[str, Slice]:
        """Return what is still known of the hosts that are shut out, by name."""
        return {
            name: {
                "id": record.id,
                "loopback": loopback(self._prefix, record.id),
                "asn": asn(self._ledger.asn_base, record.id),
            }
            for name, record in self._ledger.hosts.items()
            if record.quarantined
        }

    def _tunnel(self, host: Host, record: Record, other: str, generation: int) -> Slice:
        neighbour = self._ledger.hosts[other]
        if neighbour.relay or not record.relay:
            allowed = allowed_towards_relay(fc00=self._inventory.allow_fc00)
        else:
            own = (f"{loopback(self._prefix, neighbour.id)}", *self._anycast.get(other, ()))
            allowed = allowed_towards_host(neighbour.id, own)
        there = self._inventory.hosts.get(other)
        return tunnel(host, record, other, there, neighbour, generation=generation, allowed=allowed)

    def _services(self, name: str) -> list[Slice]:
        return [
            {
                "name": entry.name,
                "address": anycast_address(self._prefix, entry.index),
                "origins": sorted(
                    asn(self._ledger.asn_base, self._ledger.hosts[origin].id)
                    for origin in entry.origins
                    if origin in self._ledger.hosts and not self._ledger.hosts[origin].left
                ),
                "here": name in entry.origins,
            }
            for entry in sorted(self._inventory.services, key=lambda entry: entry.name)
        ]


@set_aside()
def compute(inventory: Inventory, ledger: Ledger, members: Iterable[MemberPrefix] = ()) -> Plan:
    """Return the plan of a network.

    A host of the inventory that the ledger does not know yet, or that has left, is not in it. ``members`` are
    members' prefixes with the hosts that originate them. Raises AltnetError for a prefix that is not allowed.
    Whoever is quarantined is not in it either, is nobody's neighbour and originates nothing.
    """
    inventory = without(inventory, ledger.quarantined)
    prefix = parse_prefix(ledger.prefix, allow_fc00=inventory.allow_fc00, variable="ledger.json: prefix")
    neighbours: dict[str, list[tuple[int, str, tuple[int, ...]]]] = {}
    hosts = ledger.hosts
    for high, low, generations in ledger.pairs():
        neighbours.setdefault(high, []).append((hosts[low].id, low, generations))
        neighbours.setdefault(low, []).append((hosts[high].id, high, generations))
    for entries in neighbours.values():
        entries.sort()
    anycast: dict[str, list[str]] = {}
    for entry in inventory.services:
        for origin in entry.origins:
            anycast.setdefault(origin, []).append(anycast_address(prefix, entry.index))
    originated: dict[str, list[MemberPrefix]] = {}
    for member in sorted(members, key=lambda member: (member.prefix, member.origin_asn)):
        originated.setdefault(member.host, []).append(member)
    found = tuple(name for name in sorted(inventory.hosts) if name in hosts and not hosts[name].left)
    dns = names(inventory, ledger, prefix)
    return Plan(
        found, inventory, ledger, prefix, neighbours, anycast, originated, dns, people(inventory, ledger, prefix)
    )
