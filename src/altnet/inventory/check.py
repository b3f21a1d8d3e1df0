"""What no host's variables show alone: names that must exist, and tunnels that could never come up."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from ..errors import Problem
from ..naming.names import NAME_MAX, SERVICES
from .model import NAMES_ANYCAST, Host, Inventory, can_link, no_link_because
from .reader import did_you_mean


def check(inventory: Inventory, broken: Collection[str], problems: list[Problem]) -> None:
    """Add the problems between hosts to ``problems``.

    ``broken`` are the hosts that have a problem already. They count as existing, but whether they can reach
    anybody is not asked, nor of anybody where a relay is among them: the answer would only repeat it.
    """
    _groups(inventory, problems)
    _names(inventory, problems)
    _endpoints(inventory, problems)
    _anycast(inventory, problems)
    _names_layer(inventory, problems)
    _directory(inventory, problems)
    _topology(inventory, problems)
    for host in inventory.hosts.values():
        _attach(inventory, host, problems)
    if not any(name in inventory.hosts and inventory.hosts[name].relay for name in broken):
        _reach(inventory, broken, problems)


def _groups(inventory: Inventory, problems: list[Problem]) -> None:
    if not inventory.hosts:
        problems.append(Problem("", "inventory", "names no host", "add hosts, three relays for a start"))
    elif not any(host.relay for host in inventory.hosts.values()):
        what = "is a group that names no host, and without a relay no host reaches another"
        problems.append(Problem("", "group relays", what, "put a host that others can reach into it"))


def _names(inventory: Inventory, problems: list[Problem]) -> None:
    seen: dict[str, str] = {}
    for name in inventory.hosts:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            what = f"{name} and {first} differ in nothing but capitals, which names do not distinguish"
            problems.append(Problem(name, "inventory name", what, "give one of them another name"))


def _endpoints(inventory: Inventory, problems: list[Problem]) -> None:
    owner: dict[str, str] = {}
    own = None if inventory.prefix is None else ipaddress.IPv6Network(inventory.prefix)
    for name, host in inventory.hosts.items():
        for endpoint in host.endpoints:
            first = owner.setdefault(endpoint, name)
            if first != name:
                what = f"{endpoint} is the endpoint of {first} too; both would listen on the same ports of it"
                mend = "give each its own address; of two behind one address, set altnet_nat on one"
                problems.append(Problem(name, "altnet_endpoints", what, mend))
            if own is not None and ":" in endpoint and ipaddress.IPv6Address(endpoint) in own:
                what = f"{endpoint} is in the network's own prefix {own}, which exists only inside the tunnels"
                problems.append(Problem(name, "altnet_endpoints", what, "give the address on the internet"))


def _twice(values: Iterable[object]) -> set[object]:
    seen: set[object] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]


def _anycast(inventory: Inventory, problems: list[Problem]) -> None:
    names = _twice(entry.name for entry in inventory.anycast)
    indexes = _twice(entry.index for entry in inventory.anycast)
    for number, entry in enumerate(inventory.anycast):
        where = f"altnet_anycast[{number}]"
        if entry.name and entry.name in names:
            what = f"{entry.name!r} is there more than once"
            problems.append(Problem("", f"{where}.name", what, "give each service its own name"))
        if entry.index and entry.index in indexes:
            what = f"{entry.index} is there more than once, so two services would have one address"
            problems.append(Problem("", f"{where}.address_index", what, "give each service its own number"))
        if not entry.origins:
            what = "names no host, so nobody would announce the address"
            problems.append(Problem("", f"{where}.origins", what, "name the hosts that run the service"))
        for origin in entry.origins:
            _known(inventory, "", f"{where}.origins", origin, problems)


def _names_layer(inventory: Inventory, problems: list[Problem]) -> None:
    """Find one name for two things, and names for which nobody would answer."""
    if not inventory.authoritative and not inventory.resolvers:
        return
    for have, lack in (("authoritative", "resolvers"), ("resolvers", "authoritative")):
        if not getattr(inventory, lack):
            what = f"names no host, and the group {have} does: names need both, servers and those who ask them"
            problems.append(Problem("", f"group {lack}", what, f"put a host into {lack}, or take all out of {have}"))
    for number, entry in enumerate(inventory.anycast):
        where = f"altnet_anycast[{number}]"
        if entry.name in NAMES_ANYCAST or entry.name in SERVICES:
            what = f"is {entry.name}, which the names layer has for itself"
            problems.append(Problem("", f"{where}.name", what, "give the service another name"))
        if entry.index in NAMES_ANYCAST.values():
            what = f"is {entry.index}, which the names layer has for itself"
            free = "give the service another number (83 and 84 are taken)"
            problems.append(Problem("", f"{where}.address_index", what, free))
    services = {*SERVICES, *(entry.name for entry in inventory.anycast)}
    longest = max((len(tld) for tld in inventory.tlds), default=0) + len(".net.")
    for name in inventory.hosts:
        if name.lower() in services:
            what = f"is {name}, and {name.lower()}.net.{inventory.tlds[0]} is the name of a service"
            problems.append(Problem(name, "inventory name", what, "give the host another name"))
        if len(name) + longest > NAME_MAX:
            what = f"is too long for a name below net.{inventory.tlds[0]}"
            problems.append(Problem(name, "inventory name", what, "use a shorter name"))


def _directory(inventory: Inventory, problems: list[Problem]) -> None:
    if inventory.directory and not inventory.resolvers:
        what = "has hosts, and nobody answers for names: the providers know each other by name"
        mend = "put hosts into the groups authoritative and resolvers, or take all out of directory"
        problems.append(Problem("", "group directory", what, mend))


def _known(inventory: Inventory, owner: str, variable: str, name: str, problems: list[Problem]) -> bool:
    if name in inventory.hosts:
        return True
    remedy = did_you_mean(name, inventory.hosts)
    problems.append(Problem(owner, variable, f"{name} is no host of the inventory", remedy))
    return False


def _relay(inventory: Inventory, owner: str, variable: str, name: str, problems: list[Problem]) -> bool:
    if not _known(inventory, owner, variable, name, problems):
        return False
    if inventory.hosts[name].relay:
        return True
    remedy = "add it to the group relays, or name a relay"
    problems.append(Problem(owner, variable, f"{name} is no relay", remedy))
    return False


def _topology(inventory: Inventory, problems: list[Problem]) -> None:
    topology = inventory.topology
    where = "altnet_topology.hubs"
    for hub in topology.hubs:
        _relay(inventory, "", where, hub, problems)
    if topology.strategy == "hub" and not topology.hubs:
        problems.append(Problem("", where, "is empty, and the strategy is hub", "name two relays as hubs"))
    if topology.strategy != "hub" and topology.hubs:
        what = f"is set, and the strategy {topology.strategy} does not read it"
        problems.append(Problem("", where, what, "set the strategy to hub, or remove the hubs"))
    _links(inventory, problems)


def _links(inventory: Inventory, problems: list[Problem]) -> None:
    topology = inventory.topology
    where = "altnet_topology.links"
    if topology.strategy != "explicit" and topology.links:
        what = f"is set, and the strategy {topology.strategy} does not read it"
        problems.append(Problem("", where, what, "set the strategy to explicit, or remove the links"))
    seen: set[frozenset[str]] = set()
    for index, (one, other) in enumerate(topology.links):
        path = f"{where}[{index}]"
        if frozenset((one, other)) in seen:
            problems.append(Problem("", path, f"{one} and {other} are there twice", "remove one of them"))
        seen.add(frozenset((one, other)))
        if one == other:
            problems.append(Problem("", path, f"links {one} with itself", "name two hosts"))
            continue
        known = [_relay(inventory, "", path, end, problems) for end in (one, other)]
        if all(known):
            _linkable(inventory.hosts[one], inventory.hosts[other], "", path, problems)


def _linkable(one: Host, other: Host, owner: str, variable: str, problems: list[Problem]) -> None:
    if not can_link(one, other):
        mend = "name another relay, or give one of them an endpoint in a family that the other has"
        problems.append(Problem(owner, variable, no_link_because(one, other), mend))


def _attach(inventory: Inventory, host: Host, problems: list[Problem]) -> None:
    if host.attach and host.relay:
        what = "is set on a relay, and a relay's tunnels come from altnet_topology"
        mend = "remove it, or take the host out of the relays"
        problems.append(Problem(host.name, "altnet_attach", what, mend))
        return
    for index, name in enumerate(host.attach):
        path = f"altnet_attach[{index}]"
        if _relay(inventory, host.name, path, name, problems):
            _linkable(host, inventory.hosts[name], host.name, path, problems)


def _reach(inventory: Inventory, broken: Collection[str], problems: list[Problem]) -> None:
    """Every host needs a relay that it can have a tunnel with, and the relays must hang together."""
    relays = [host for host in inventory.hosts.values() if host.relay]
    # Whether two hosts can have a tunnel depends on nothing but these two sets, of which there are few.
    kinds: dict[tuple[frozenset[str], frozenset[str]], list[Host]] = {}
    for relay in relays:
        kinds.setdefault((relay.families, relay.reachable), []).append(relay)
    for host in inventory.hosts.values():
        if host.name in broken:
            continue
        others = [relay for group in kinds.values() for relay in group[:2] if relay is not host]
        if others and not any(can_link(host, other) for other in others):
            problems.append(_alone(host, others, relays))
    # A relay without any partner has had its own problem.
    groups = [group for group in kinds.values() if _partner(group[0], kinds.values())]
    _islands(inventory, groups, problems)


def _partner(relay: Host, kinds: Iterable[list[Host]]) -> bool:
    return any(other is not relay and can_link(relay, other) for group in kinds for other in group[:2])


def _alone(host: Host, others: list[Host], relays: list[Host]) -> Problem:
    role = "a relay" if host.relay else "the host"
    sharing = [relay for relay in others if relay.families & host.families]
    if not sharing:
        what = f"{role} has {' and '.join(sorted(host.families))}, and no relay has an address family in common"
        mend = "add a relay that has that family and an endpoint in it"
        return Problem(host.name, "altnet_families", what, mend)
    if host.nat and all(relay.nat for relay in sharing):
        few = ", ".join(sorted(relay.name for relay in relays if relay is not host and relay.nat)[:5])
        what = f"{role} is behind NAT, and so is every relay that it could use ({few}): nobody can begin"
        mend = "give the host or one of these relays an endpoint"
        return Problem(host.name, "altnet_nat", what, mend)
    what = f"{role} can reach no relay and no relay can reach it: {no_link_because(host, sharing[0])}"
    mend = "give one of them an endpoint in a family that both have"
    return Problem(host.name, "altnet_endpoints", what, mend)


def _islands(inventory: Inventory, groups: list[list[Host]], problems: list[Problem]) -> None:
    if inventory.topology.strategy == "explicit":
        names = [relay.name for group in groups for relay in group]
        joined = [{one, other} for one, other in inventory.topology.links]
        parts = merge([{name} for name in names] + joined)
        variable, mend = "altnet_topology.links", "add links between them"
    elif inventory.topology.strategy == "hub":
        relays = [relay for group in groups for relay in group]
        hubs = [relay for relay in relays if relay.name in inventory.topology.hubs]
        reached = [{hub.name, other.name} for hub in hubs for other in relays if can_link(hub, other)]
        parts = merge([{relay.name} for relay in relays] + reached)
        variable, mend = "altnet_topology.hubs", "name hubs that every relay can have a tunnel with"
    else:
        leaders = {group[0].name: group for group in groups}
        able = [
            {one[0].name, other[0].name}
            for one in groups
            for other in groups
            if any(a is not b and can_link(a, b) for a in one[:2] for b in other[:2])
        ]
        found = merge([{name} for name in leaders] + able)
        parts = [{relay.name for name in part for relay in leaders[name]} for part in found]
        variable, mend = "group relays", "add a relay with endpoints of both families"
    if len(parts) > 1:
        shown = " | ".join(", ".join(sorted(part)[:4]) for part in sorted(parts, key=min))
        what = f"falls into {len(parts)} parts without a tunnel between them: {shown}"
        problems.append(Problem("", variable, what, mend))


def merge(sets: Iterable[set[str]]) -> list[set[str]]:
    """Unite the sets that share a member."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        root = name
        while parent.setdefault(root, root) != root:
            root = parent[root]
        while parent[name] != root:
            parent[name], name = root, parent[name]
        return root

    for members in sets:
        first = min(members)
        for member in sorted(members):
            parent[find(member)] = find(first)
    parts: dict[str, set[str]] = {}
    for name in parent:
        parts.setdefault(find(name), set()).add(name)
    return list(parts.values())
