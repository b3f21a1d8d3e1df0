"""Every zone of the network: a pure function of inventory, ledger and keys, linear in what there is to say."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..addressing import Prefix, anycast_address, loopback, parse_prefix, reverse_zone
from ..inventory import Inventory, without
from ..inventory.model import NAMESERVER
from ..ledger import Ledger, Record
from . import anchors, keys
from .model import DEFAULT_TTL, Key, RRSet, Zone, parents_first

KeysOf = Callable[[str], "tuple[Sequence[Key], Sequence[str]]"]
"""A zone's keys and the DS records that its parent has of them; the name is without a dot at its end."""

#: Of that many relays the name ``time`` has the addresses: an answer has to fit into one packet.
TIME_SERVERS = 8
#: The name under net.TLD that tells the fingerprints of the certificate authority's roots; no host can have it.
ROOTS = "_root"
_SSHFP_SHA256 = 2
_Sets = dict[tuple[str, str], RRSet]


def keys_of(ledger: Ledger, master: str | bytes) -> KeysOf:
    """Return a function that gives a zone's keys, derived from the master secret, as the ledger has their states."""

    def found(zone: str) -> tuple[list[Key], list[str]]:
        known = sorted(anchors.epochs(ledger, zone).items())
        made = [Key(keys.private_text(master, zone, n), active=epoch.state == "active") for n, epoch in known]
        # The one that signs comes first: who sets them one after the other never has a zone without one.
        made.sort(key=lambda key: not key.active)
        return made, [epoch.ds or keys.ds(master, zone, n) for n, epoch in known]

    return found


def desired(inventory: Inventory, ledger: Ledger, keys_of: KeysOf, roots: Sequence[str] = ()) -> list[Zone]:
    """Return all zones, parents before their children; none where no host serves them.

    A host that is quarantined, has left or has no number yet is in none. One that the inventory does not name any more
    keeps its name, as it keeps its number, until it leaves. ``roots`` are the fingerprints of the certificate
    authority's roots, which names tell too.
    """
    inventory = without(inventory, ledger.quarantined)
    if not inventory.authoritative:
        return []
    prefix = parse_prefix(ledger.prefix, allow_fc00=inventory.allow_fc00, variable="ledger.json: prefix")
    hosts = {name: record for name, record in ledger.live.items() if not record.quarantined}
    services = _services(inventory, hosts, prefix)
    owns: dict[str, tuple[str, ...]] = {}
    zones: dict[str, _Sets] = {entry.name: _indexed(entry.rrsets) for entry in inventory.zones}
    for tld in inventory.tlds:
        zones.setdefault(f"{tld}.", {})
        owns[f"net.{tld}."] = (f"net.{tld}.",)
        zones[f"net.{tld}."] = _indexed(_infrastructure(tld, ledger, hosts, services, prefix))
        if roots:
            told = tuple(f'"sha256={fingerprint}"' for fingerprint in roots)
            _add(zones[f"net.{tld}."], RRSet(f"{ROOTS}.net.{tld}.", "TXT", DEFAULT_TTL, told))
        servers = services["ns"]
        _add(zones[f"{tld}."], RRSet(f"ns.{tld}.", "AAAA", DEFAULT_TTL, servers))
    first = inventory.tlds[0]
    # Loopbacks and services are the plan's: the first /64. Members' addresses are not.
    owns[f"{reverse_zone(ledger.prefix)}."] = (f"0.0.0.0.{reverse_zone(ledger.prefix)}.",)
    zones[f"{reverse_zone(ledger.prefix)}."] = _indexed(_reverse(first, hosts, services, prefix))
    children = {entry.name: entry.children for entry in inventory.zones}
    parents = {name: _parent(name, zones) for name in zones}
    found: dict[str, tuple[Key, ...]] = {}
    for name, sets in zones.items():
        tld = name.removesuffix(".").rpartition(".")[2]
        server = f"ns.{tld if tld in inventory.tlds else first}."
        made, ds = keys_of(name.removesuffix("."))
        found[name] = tuple(made)
        _add(sets, RRSet(name, "NS", DEFAULT_TTL, (server,)))
        above = parents[name]
        if above is not None:
            _add(zones[above], RRSet(name, "NS", DEFAULT_TTL, (server,)))
            _add(zones[above], RRSet(name, "DS", DEFAULT_TTL, tuple(ds)))
    return [
        Zone(
            name,
            parents[name],
            tuple(zones[name][key] for key in sorted(zones[name])),
            found[name],
            owns.get(name, ()),
            children.get(name, ()),
        )
        for name in parents_first(zones)
    ]


def _indexed(rrsets: Iterable[RRSet]) -> _Sets:
    return {(entry.name, entry.type): entry for entry in rrsets}


def _add(sets: _Sets, entry: RRSet) -> None:
    sets[entry.name, entry.type] = entry


def _parent(name: str, zones: Mapping[str, object]) -> str | None:
    above = name.partition(".")[2]
    while above:
        if above in zones:
            return above
        above = above.partition(".")[2]
    return None


def _services(inventory: Inventory, hosts: Mapping[str, Record], prefix: Prefix) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each service, by its label."""
    found: dict[str, tuple[str, ...]] = {
        "ns" if entry.name == NAMESERVER else entry.name: (anycast_address(prefix, entry.index),)
        for entry in inventory.services
        if entry.origins
    }
    # With every resolver shut out, nobody announces the servers' common address.
    own = tuple(loopback(prefix, hosts[name].id) for name in inventory.authoritative if name in hosts)
    found.setdefault("ns", own)
    relays = sorted(record.id for record in hosts.values() if record.relay)
    found["time"] = tuple(loopback(prefix, number) for number in relays[:TIME_SERVERS])
    return {label: addresses for label, addresses in found.items() if addresses}


def _infrastructure(
    tld: str,
    ledger: Ledger,
    hosts: Mapping[str, Record],
    services: Mapping[str, tuple[str, ...]],
    prefix: Prefix,
) -> Iterator[RRSet]:
    zone = f"net.{tld}."
    yield RRSet(zone, "TXT", DEFAULT_TTL, (f'"prefix={ledger.prefix}"', f'"asn-base={ledger.asn_base}"'))
    for label, addresses in services.items():
        yield RRSet(f"{label}.{zone}", "AAAA", DEFAULT_TTL, addresses)
    for name, record in hosts.items():
        owner = f"{name.lower()}.{zone}"
        yield RRSet(owner, "AAAA", DEFAULT_TTL, (loopback(prefix, record.id),))
        if record.sshfp:
            prints = (f"{number} {_SSHFP_SHA256} {value}" for number, value in sorted(record.sshfp.items()))
            yield RRSet(owner, "SSHFP", DEFAULT_TTL, tuple(prints))


def _reverse(
    tld: str, hosts: Mapping[str, Record], services: Mapping[str, tuple[str, ...]], prefix: Prefix
) -> Iterator[RRSet]:
    names = {prefix.network | record.id: name.lower() for name, record in hosts.items()}
    named = {loopback(prefix, record.id) for record in hosts.values()}
    for label, addresses in services.items():
        # A service that has hosts' own addresses is a second name of theirs.
        names.update((_number(address), label) for address in addresses if address not in named)
    for number, label in names.items():
        digits = ".".join(reversed(f"{number:032x}"))
        yield RRSet(f"{digits}.ip6.arpa.", "PTR", DEFAULT_TTL, (f"{label}.net.{tld}.",))


def _number(address: str) -> int:
    return int.from_bytes(socket.inet_pton(socket.AF_INET6, address), "big")
