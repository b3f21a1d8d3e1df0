"""The strategies by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from ..inventory.model import Topology
from .attach import attachments
from .bounded import bounded
from .node import ABSENT, COMPATIBLE, Node, Pair, can_link, pair


def compute(
    topology: Topology,
    nodes: Sequence[Node],
    existing: Iterable[Pair] = (),
    *,
    hubs: Collection[int] = (),
    links: Iterable[Pair] = (),
) -> frozenset[Pair]:
    """Return the tunnels of a network, each as two ids with the lower one first.

    ``nodes`` are all hosts that have not left, ``existing`` the tunnels that there are; ``hubs`` and
    ``links`` are those of ``topology`` as ids. The result depends on nothing else, so the same input gives
    the same tunnels on every machine. A tunnel with an absent host is kept.
    """
    by_id = {node.id: node for node in sorted(nodes, key=lambda node: node.id)}
    valid = sorted(
        (low, high)
        for low, high in {pair(*ends) for ends in existing}
        if low in by_id and high in by_id and can_link(by_id[low], by_id[high])
    )
    relays = {node.id: node for node in by_id.values() if node.relay}
    kept = {ends for ends in valid if ends[0] in relays and ends[1] in relays}
    built = _relays(topology, relays, kept, hubs, links)
    built |= {ends for ends in kept if ABSENT in (relays[ends[0]].kind, relays[ends[1]].kind)}
    return frozenset(built | attachments(by_id, [ends for ends in valid if ends not in kept], topology.attach))


def _relays(
    topology: Topology, relays: dict[int, Node], kept: set[Pair], hubs: Collection[int], links: Iterable[Pair]
) -> set[Pair]:
    strategy = topology.strategy
    if strategy == "full" or (strategy == "auto" and len(relays) <= topology.full_mesh_max):
        return _eligible(relays, combinations(relays, 2))
    if strategy == "hub":
        wanted = {pair(hub, other) for hub in hubs for other in relays if other != hub}
        return _eligible(relays, wanted)
    if strategy == "explicit":
        return _eligible(relays, (pair(*ends) for ends in links))
    if strategy == "auto":
        # A network that outgrew its full mesh keeps it: the relays of that mesh are at the cap, not above it.
        return bounded(relays, kept, topology.degree, max(topology.degree, topology.full_mesh_max - 1))
    return bounded(relays, kept, topology.degree, topology.degree, trim=True)


def _eligible(relays: dict[int, Node], wanted: Iterable[Pair]) -> set[Pair]:
    return {(low, high) for low, high in wanted if COMPATIBLE[relays[low].kind][relays[high].kind]}
