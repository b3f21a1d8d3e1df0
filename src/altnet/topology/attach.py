"""Which relays the other hosts have."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from .node import ABSENT, PARTNERS, Node, Pair, pair

_Heap = list[tuple[int, int]]


def attachments(nodes: Mapping[int, Node], existing: Iterable[Pair], count: int) -> set[Pair]:
    """Return the tunnels of the hosts that are no relays, up to ``count`` for each.

    What the operator chose for a host wins. Else a host keeps what it has, but for one that makes room where
    none is in its own region and one could be; what it lacks comes from its own region first, there from the
    relay that carries the fewest hosts, then from the lowest id.
    """
    hosts = [node for node in nodes.values() if not node.relay]
    has: dict[int, list[int]] = {node.id: [] for node in hosts}
    for one, other in existing:
        host, relay = (other, one) if nodes[one].relay else (one, other)
        has[host].append(relay)
    for node in hosts:
        if node.attach:
            has[node.id] = list(node.attach)
        elif node.kind != ABSENT and len(has[node.id]) > count:
            own = node.region
            has[node.id] = sorted(has[node.id], key=lambda relay: (nodes[relay].region != own, relay))[:count]
    load = Counter(relay for relays in has.values() for relay in relays)
    chosen = [node for node in hosts if node.kind != ABSENT and not node.attach]
    _make_room(nodes, chosen, has, load, count)
    choice = _Choice(nodes, load)
    for node in chosen:
        if len(has[node.id]) < count:
            for relay in choice.relays(node, has[node.id], count - len(has[node.id])):
                has[node.id].append(relay)
    return {pair(host, relay) for host, relays in has.items() for relay in relays}


def _make_room(
    nodes: Mapping[int, Node], hosts: Iterable[Node], has: dict[int, list[int]], load: Counter[int], count: int
) -> None:
    """Take one attachment from each host that has ``count`` of them, none at home, and could have one there.

    The others stay, so that a host which moves is never without. What goes is the one whose region the host has
    most others in, of these the relay that carries the most hosts, then the highest id.
    """
    offers = {(node.region, node.kind) for node in nodes.values() if node.relay}
    for host in hosts:
        relays = has[host.id]
        # Nobody knows the region of an absent relay; it may be this one, and absence changes nothing.
        if len(relays) < count or any(
            nodes[relay].region == host.region or nodes[relay].kind == ABSENT for relay in relays
        ):
            continue
        if any((host.region, kind) in offers for kind in PARTNERS[host.kind]):
            regions = Counter(nodes[relay].region for relay in relays)
            least = max(relays, key=lambda relay: (regions[nodes[relay].region], load[relay], relay))
            relays.remove(least)
            load[least] -= 1


class _Choice:
    """The least loaded relay of each region and kind, kept in heaps whose stale entries are skipped."""

    def __init__(self, nodes: Mapping[int, Node], load: Counter[int]) -> None:
        self._nodes, self._load = nodes, load
        self._heaps: dict[tuple[str | None, int], _Heap] = {}
        for node in nodes.values():
            if node.relay and node.kind != ABSENT:
                for region in (node.region, None):
                    self._heaps.setdefault((region, node.kind), []).append((load[node.id], node.id))
        for heap in self._heaps.values():
            heapq.heapify(heap)

    def relays(self, host: Node, has: list[int], count: int) -> Iterator[int]:
        """Yield ``count`` relays for a host, fewer where there are not so many."""
        taken = set(has)
        for _ in range(count):
            best = self._best(host, host.region, taken) or self._best(host, None, taken)
            if best is None:
                return
            taken.add(best)
            self._load[best] += 1
            for region in (self._nodes[best].region, None):
                heapq.heappush(self._heaps[region, self._nodes[best].kind], (self._load[best], best))
            yield best

    def _best(self, host: Node, region: str | None, taken: set[int]) -> int | None:
        tops = (self._top(self._heaps.get((region, kind), []), taken) for kind in PARTNERS[host.kind])
        return min((top for top in tops if top is not None), default=(0, None))[1]

    def _top(self, heap: _Heap, taken: set[int]) -> tuple[int, int] | None:
        aside: _Heap = []
        while heap and (heap[0][0] != self._load[heap[0][1]] or heap[0][1] in taken):
            entry = heapq.heappop(heap)
            if entry[0] == self._load[entry[1]]:
                aside.append(entry)
        top = heap[0] if heap else None
        for entry in aside:
            heapq.heappush(heap, entry)
        return top
