"""Giving out: ids, labels, subnets and tunnels, so that the ledger has what the inventory asks for.

Nothing is taken back here but tunnels that the topology no longer wants. A host that is missing from the
inventory keeps everything; only :func:`leave` makes it a tombstone. A host that stops being a relay loses its
/64, which nobody else can get because it is numbered like the id; if it becomes one again, it has the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .addressing import LOOPBACKS, check_id, decode_key, parse_prefix
from .collector import set_aside
from .errors import AltnetError, InventoryError, LedgerError, Problem
from .inventory import Host, Inventory, without
from .ledger import Ledger, Record, empty
from .naming.anchors import DsOf, anchored
from .naming.anchors import record as record_keys
from .plan.dns import primary_of
from .topology import Node, compute, kind_of

LABEL_LENGTH = 11
"""Four characters of ``an0-`` and these make 15, the longest name that an interface can have."""

Keys = Mapping[str, Mapping[int, str]]
_NO_KEYS: Keys = {}


@dataclass(frozen=True)
class Allocation:
    """A ledger, and how it differs from the one before: one line for each change, empty for none."""

    ledger: Ledger
    changes: tuple[str, ...]


@set_aside()
def allocate(
    inventory: Inventory,
    ledger: Ledger | None,
    *,
    keys: Keys = _NO_KEYS,
    new_prefix: Callable[[], str],
    leaving: Collection[str] = (),
    host_keys: Keys = _NO_KEYS,
    ds_of: DsOf | None = None,
) -> Allocation:
    """Return the ledger with all that ``inventory`` asks for, and the lines that say what is new.

    ``ledger`` is None for a network that has none yet; it gets the inventory's prefix or what ``new_prefix``
    returns. ``keys`` are the public keys that hosts reported, by name and generation. ``leaving`` are hosts
    whose lines are still in the inventory although :func:`leave` has made them tombstones, in the run that
    lets them go. ``host_keys`` are the fingerprints of ssh host keys, by name and algorithm; they are kept where hosts
    have names. ``ds_of`` gives the DS of a zone's key, which is recorded for the zones where trust begins.
    A host that is quarantined gets nothing, and the others get what they lack without it. Allocating
    again changes nothing. Raises InventoryError or LedgerError for what contradicts
    the ledger and CapacityError where a range is used up.
    """
    present = {name: host for name, host in inventory.hosts.items() if name not in leaving}
    changes: list[str] = []
    if ledger is None:
        ledger = _begin(inventory, new_prefix, changes)
    _check(inventory, present, ledger)
    inventory = without(inventory, ledger.quarantined)
    present = {name: host for name, host in inventory.hosts.items() if name in present}
    hosts = dict(ledger.hosts)
    _give_ids(present, hosts, changes)
    _set_relays(present, hosts, changes)
    _record_keys(keys, hosts, changes)
    _set_tunnels(inventory, present, hosts, ledger.generation, changes)
    if inventory.authoritative:
        _record_host_keys(host_keys, hosts, changes)
    ledger = _name(inventory, replace(ledger, hosts=hosts), ds_of, changes)
    return Allocation(ledger, tuple(changes))


def leave(ledger: Ledger, name: str) -> Ledger:
    """Return the ledger without the host: a tombstone keeps its id, and its tunnels are gone.

    The next :func:`allocate` mends what the others lack. A host that has left already stays as it is.
    """
    record = _find(ledger, name)
    if record.left:
        return ledger
    hosts = {other: without_tunnel(entry, name) for other, entry in ledger.hosts.items()}
    hosts[name] = Record(record.id, record.label, left=True)
    primary = None if ledger.dns_primary == name else ledger.dns_primary
    return replace(ledger, hosts=hosts, dns_primary=primary)


def drain(ledger: Ledger, name: str, drained: bool) -> Ledger:
    """Return the ledger with the host marked as drained, or no longer marked."""
    record = live_record(ledger, name)
    return replace(ledger, hosts={**ledger.hosts, name: replace(record, drained=drained)})


def live_record(ledger: Ledger, name: str) -> Record:
    """Return the record of a host that has not left, or raise LedgerError."""
    record = _find(ledger, name)
    if record.left:
        problem = Problem(name, "ledger.json", "has left the network", "name a host that is still in it")
        raise LedgerError(problem)
    return record


def _find(ledger: Ledger, name: str) -> Record:
    if name not in ledger.hosts:
        near = difflib.get_close_matches(name, list(ledger.hosts), n=1)
        remedy = f"did you mean {near[0]}" if near else "name a host of the ledger"
        raise LedgerError(Problem(name, "ledger.json", "is not in the ledger", remedy))
    return ledger.hosts[name]


def without_tunnel(record: Record, name: str) -> Record:
    """Return a record less its tunnel with the host ``name``."""
    if name not in record.tunnels:
        return record
    return replace(record, tunnels={other: g for other, g in record.tunnels.items() if other != name})


def _begin(inventory: Inventory, new_prefix: Callable[[], str], changes: list[str]) -> Ledger:
    prefix = inventory.prefix or new_prefix()
    parsed = parse_prefix(prefix, allow_fc00=inventory.allow_fc00)
    changes.append(f"the network: new, with the prefix {parsed}")
    return empty(str(parsed), inventory.asn_base)


def _check(inventory: Inventory, present: Mapping[str, Host], ledger: Ledger) -> None:
    problems: list[Problem] = []
    if inventory.prefix is not None and inventory.prefix != ledger.prefix:
        what = f"is {inventory.prefix}, and the ledger has {ledger.prefix}: a network's prefix never changes"
        mend = f"write {ledger.prefix} or leave it out; a new prefix means a new network with a new ledger"
        problems.append(Problem("", "altnet_prefix", what, mend))
    if inventory.asn_base != ledger.asn_base:
        what = f"is {inventory.asn_base}, and the ledger has {ledger.asn_base}: every host would change its AS"
        mend = f"set altnet_asn_base to {ledger.asn_base}"
        problems.append(Problem("", "altnet_asn_base", what, mend))
    try:
        parse_prefix(ledger.prefix, allow_fc00=inventory.allow_fc00, variable="ledger.json: prefix")
    except AltnetError as error:
        problems += error.problems
    for name in present:
        if name in ledger.hosts and ledger.hosts[name].left:
            what = f"has left the network, and its id {ledger.hosts[name].id} is a tombstone"
            mend = "remove the host from the inventory, or give it a new name to let it join as a new host"
            problems.append(Problem(name, "inventory name", what, mend))
    if problems:
        raise InventoryError(problems)


def _give_ids(present: Mapping[str, Host], hosts: dict[str, Record], changes: list[str]) -> None:
    taken = {record.label for record in hosts.values()}
    number = max((record.id for record in hosts.values()), default=0)
    for name in sorted(present, key=lambda name: (not present[name].relay, name)):
        if name in hosts:
            continue
        number = check_id(number + 1, LOOPBACKS)
        label = next(choice for choice in _labels(name, number) if choice not in taken)
        taken.add(label)
        hosts[name] = Record(number, label, relay=present[name].relay)
        what = "relay" if present[name].relay else "host"
        changes.append(f"host {name}: joined as {what} with id {number} and label {label}")


def _labels(name: str, number: int) -> Iterator[str]:
    """Yield labels for a host, the best first; the last ones always hold one that is free."""
    first = name.partition(".")[0].lower()
    if len(first) <= LABEL_LENGTH:
        yield first
    tail = f"-{number}"
    for length in range(LABEL_LENGTH - len(tail), 0, -1):
        yield first[:length].rstrip("-") + tail
    # Only hosts that are themselves named like this get here: their labels have no second hyphen.
    for count in range(LABEL_LENGTH**2):
        yield f"{count:x}-{number:x}"


def _set_relays(present: Mapping[str, Host], hosts: dict[str, Record], changes: list[str]) -> None:
    for name, host in present.items():
        if hosts[name].relay != host.relay:
            hosts[name] = replace(hosts[name], relay=host.relay)
            changes.append(f"host {name}: is now {'a relay' if host.relay else 'no relay'}")


def _record_keys(keys: Keys, hosts: dict[str, Record], changes: list[str]) -> None:
    problems: list[Problem] = []
    for name in sorted(keys):
        record = hosts.get(name)
        if record is None or record.left or record.quarantined:
            continue
        new = {g: key for g, key in sorted(keys[name].items()) if record.keys.get(g) != key}
        for generation, key in new.items():
            problems += _key_problems(name, generation, key)
            if key in record.revoked.values():
                problems.append(_revoked(name, generation))
            verb = "replaced" if generation in record.keys else "recorded"
            changes.append(f"host {name}: public key of generation {generation} {verb}")
        if new:
            hosts[name] = replace(record, keys={**record.keys, **new}, revoked={})
    if not problems:
        problems = _shared_keys(hosts) if changes else []
    if problems:
        raise LedgerError(problems)


def _record_host_keys(found: Keys, hosts: dict[str, Record], changes: list[str]) -> None:
    for name, prints in sorted(found.items()):
        record = hosts.get(name)
        # A host that was not looked at in this run keeps what is on record.
        if record is None or record.left or record.quarantined or not prints or record.sshfp == prints:
            continue
        hosts[name] = replace(record, sshfp=dict(prints))
        changes.append(f"host {name}: ssh host keys {'replaced' if record.sshfp else 'recorded'}")


def _name(inventory: Inventory, ledger: Ledger, ds_of: DsOf | None, changes: list[str]) -> Ledger:
    """Return the ledger with the primary of the zones, once there is one, and with the zones' first keys."""
    primary = primary_of(inventory, ledger)
    if primary is None:
        return ledger
    if primary != ledger.dns_primary:
        changes.append(f"host {primary}: is the primary of the zones")
        ledger = replace(ledger, dns_primary=primary)
    if ds_of is not None:
        ledger, new = record_keys(ledger, anchored(inventory.tlds, ledger.prefix), ds_of)
        changes += new
    return ledger


def _key_problems(name: str, generation: int, key: str) -> Iterable[Problem]:
    try:
        decode_key(key)
    except ValueError as error:
        what = f"{key!r}, which the host reported for generation {generation}, is no public key: {error}"
        yield Problem(name, "WireGuard key", what, "remove the host's key of that generation and run again")
    if generation < 0:
        yield Problem(name, "WireGuard key", f"has generation {generation}", "use one from 0 on")


def _revoked(name: str, generation: int) -> Problem:
    what = f"the key of generation {generation} is one that the host had when it was quarantined"
    mend = "reinstall the host, or at least remove /etc/altnet/wireguard on it, and run again"
    return Problem(name, "WireGuard key", what, mend)


def _shared_keys(hosts: Mapping[str, Record]) -> list[Problem]:
    owner: dict[str, tuple[str, int]] = {}
    problems = []
    for name, record in hosts.items():
        for generation, key in record.keys.items():
            first = owner.setdefault(key, (name, generation))
            if first != (name, generation):
                what = f"the key of generation {generation} is that of host {first[0]}, generation {first[1]}"
                mend = "remove the key file on the host that is a copy of the other, and run again"
                problems.append(Problem(name, "WireGuard key", what, mend))
    return problems


def _set_tunnels(
    inventory: Inventory,
    present: Mapping[str, Host],
    hosts: dict[str, Record],
    generation: int,
    changes: list[str],
) -> None:
    names = {record.id: name for name, record in hosts.items()}
    ids = {name: record.id for name, record in hosts.items()}
    topology = inventory.topology
    gone_or_shut = {name for name, record in hosts.items() if record.left or record.quarantined}
    nodes = [_node(present.get(name), record, ids) for name, record in hosts.items() if name not in gone_or_shut]
    before = {
        (ids[other], hosts[name].id)
        for name in hosts.keys() - gone_or_shut
        for other in hosts[name].tunnels.keys() - gone_or_shut
    }
    after = compute(
        topology,
        nodes,
        before,
        hubs=[ids[hub] for hub in topology.hubs if hub in present],
        links=[(ids[one], ids[other]) for one, other in topology.links],
    )
    gone: dict[str, set[str]] = {}
    new: dict[str, set[str]] = {}
    for low, high in before - after:
        gone.setdefault(names[high], set()).add(names[low])
    for low, high in after - before:
        new.setdefault(names[high], set()).add(names[low])
    for name in sorted(gone.keys() | new.keys()):
        record = hosts[name]
        tunnels = {other: g for other, g in record.tunnels.items() if other not in gone.get(name, ())}
        tunnels.update((other, (generation,)) for other in sorted(new.get(name, ())))
        hosts[name] = replace(record, tunnels=tunnels)
        changes += [f"tunnel {other} - {name}: removed" for other in sorted(gone.get(name, ()))]
        changes += [f"tunnel {other} - {name}: new" for other in sorted(new.get(name, ()))]


def _node(host: Host | None, record: Record, ids: Mapping[str, int]) -> Node:
    if host is None:
        return Node(record.id, record.relay, kind=0)
    attach = tuple(ids[relay] for relay in host.attach)
    return Node(record.id, record.relay, kind_of(host.families, host.reachable), host.region, attach)
