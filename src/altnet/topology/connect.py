"""Whether the network hangs together when any one relay is gone, and the links that make it do so."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from .graph import Graph
from .node import ABSENT, COMPATIBLE, PARTNERS

Links = Mapping[int, Collection[int]]
_ROUNDS = 64
_CUTS = 64


@dataclass
class Blocks:
    """A graph's parts (``roots`` has one relay of each), blocks, and the relays whose loss splits a part.

    A block is a largest set of relays that stays in one piece whichever of them is lost.
    """

    roots: list[int] = field(default_factory=list)
    blocks: list[list[int]] = field(default_factory=list)
    cuts: set[int] = field(default_factory=set)


def analyse(links: Links) -> Blocks:
    """Find parts, blocks and cut relays in one walk (Hopcroft and Tarjan), in time linear in the links."""
    result = Blocks()
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    for root in links:
        if root not in order:
            result.roots.append(root)
            _walk(links, root, order, low, result)
    return result


def _walk(links: Links, root: int, order: dict[int, int], low: dict[int, int], result: Blocks) -> None:
    order[root] = low[root] = len(order)
    trail = [root]
    stack = [(root, root, iter(links[root]))]
    children = 0
    while stack:
        here, parent, rest = stack[-1]
        for there in rest:
            seen = order.get(there)
            if seen is None:
                order[there] = low[there] = len(order)
                trail.append(there)
                stack.append((there, here, iter(links[there])))
                break
            if there != parent and seen < low[here]:
                low[here] = seen
        else:
            stack.pop()
            if not stack:
                break
            low[parent] = min(low[parent], low[here])
            if low[here] >= order[parent]:
                children += parent == root
                if parent != root:
                    result.cuts.add(parent)
                at = len(trail) - 1
                while trail[at] != here:
                    at -= 1
                result.blocks.append([parent, *trail[at:]])
                del trail[at:]
    if children > 1:
        result.cuts.add(root)


def shortest(links: Links, one: int, other: int, without: int = 0) -> list[int] | None:
    """Return a shortest way between two relays that does not pass ``without``, or None."""
    # From both ends at once: the two circles that meet are far smaller than the one that reaches all the way.
    came: tuple[dict[int, int], dict[int, int]] = ({one: one}, {other: other})
    edges: list[list[int]] = [[one], [other]]
    while edges[0] and edges[1]:
        side = 0 if len(edges[0]) <= len(edges[1]) else 1
        mine, theirs, ahead = came[side], came[1 - side], []
        for here in edges[side]:
            for there in links[here]:
                if there == without or there in mine:
                    continue
                mine[there] = here
                if there in theirs:
                    return _join(came, there)
                ahead.append(there)
        edges[side] = ahead
    return None


def _join(came: tuple[dict[int, int], dict[int, int]], meeting: int) -> list[int]:
    halves = []
    for steps in came:
        half, here = [], meeting
        while steps[here] != here:
            here = steps[here]
            half.append(here)
        halves.append(half)
    return [*reversed(halves[0]), meeting, *halves[1]]


def survives(links: Links, one: int, other: int) -> bool:
    """Say whether two relays stay in touch whichever third one is lost.

    A relay that separates them is on every way between them, so only those of one shortest way are tried.
    """
    way = shortest(links, one, other)
    return way is not None and all(shortest(links, one, other, without=lost) for lost in way[1:-1])


class _Offers:
    """The relays of one side, by kind, those with the fewest links first."""

    def __init__(self, graph: Graph, members: Iterable[int]) -> None:
        self._graph = graph
        self._heaps: dict[int, list[tuple[int, int]]] = {}
        for number in members:
            if graph.kind[number] != ABSENT:
                heap = self._heaps.setdefault(graph.kind[number], [])
                heap.append((len(graph.links[number]), number))
        for heap in self._heaps.values():
            heapq.heapify(heap)

    def best(self, kind: int) -> tuple[int, int] | None:
        heap = self._heaps.get(kind)
        while heap and heap[0][0] != len(self._graph.links[heap[0][1]]):
            heapq.heapreplace(heap, (len(self._graph.links[heap[0][1]]), heap[0][1]))
        return heap[0] if heap else None

    def absorb(self, other: _Offers) -> None:
        for kind, theirs in other._heaps.items():
            few, many = sorted((theirs, self._heaps.get(kind, [])), key=len)
            for entry in few:
                heapq.heappush(many, entry)
            self._heaps[kind] = many

    def kinds(self) -> list[int]:
        return sorted(self._heaps)


def _link_sides(graph: Graph, here: _Offers, there: _Offers) -> bool:
    """Link the relay of each side that has the fewest links, if a link between the sides may be built."""
    offers = (
        (one[0] + other[0], one[1], other[1])
        for kind in here.kinds()
        for partner in there.kinds()
        if COMPATIBLE[kind][partner] and (one := here.best(kind)) and (other := there.best(partner))
    )
    best = min(offers, default=None)
    if best is None:
        return False
    graph.link(best[1], best[2])
    return True


def _merge(graph: Graph, parts: list[list[int]]) -> bool:
    """Link parts that have no link between them until no more links may be built; say whether one was."""
    parts = sorted(parts, key=lambda part: (-len(part), min(part)))
    whole = _Offers(graph, parts[0])
    rest = [_Offers(graph, part) for part in parts[1:]]
    progress, again = False, True
    while again:
        again = False
        waiting = []
        for offers in rest:
            if _link_sides(graph, whole, offers):
                whole.absorb(offers)
                progress = again = True
            else:
                waiting.append(offers)
        rest = waiting
    return progress


def _parts(links: Links, without: int = 0) -> list[list[int]]:
    seen = {without}
    parts = []
    for root in links:
        if root in seen:
            continue
        seen.add(root)
        part = [root]
        for here in part:  # grows while it is walked
            fresh = [there for there in links[here] if there not in seen]
            seen.update(fresh)
            part += fresh
        parts.append(part)
    return parts


def repair(graph: Graph) -> None:
    """Add links until the loss of any relay leaves the others in one piece, as far as they may be built."""
    for _ in range(_ROUNDS):
        found = analyse(graph.links)
        if len(found.roots) > 1 and _merge(graph, _parts(graph.links)):
            continue
        if not found.cuts:
            return
        if not _join_leaves(graph, found):
            break
    for cut in sorted(analyse(graph.links).cuts)[:_CUTS]:
        _merge(graph, _parts(graph.links, without=cut))


def _join_leaves(graph: Graph, found: Blocks) -> bool:
    """Link the blocks that hang on one relay with each other; say whether a link was added.

    In the order of the walk, each with the one half the list away: half as many links as there are such
    blocks are enough, because then no relay has both on one side.
    """
    leaves = []
    for block in found.blocks:
        inside = [number for number in block if number not in found.cuts]
        if len(block) - len(inside) == 1:
            leaves.append((inside, set(block)))
    progress = False
    half = (len(leaves) + 1) // 2
    for at in range(half):
        here = _Offers(graph, leaves[at][0])
        if at + half < len(leaves) and _link_sides(graph, here, _Offers(graph, leaves[at + half][0])):
            progress = True
            continue
        for side, around in leaves[at::half]:
            progress |= _link_outside(graph, side, around)
    return progress


def _link_outside(graph: Graph, inside: list[int], block: set[int]) -> bool:
    """Link a block that hangs on one relay with any relay outside it."""
    taken = [graph.kind[number] for number in block]
    kinds = {
        partner
        for kind in {graph.kind[number] for number in inside}
        for partner in PARTNERS[kind]
        if len(graph.everybody[None, partner].items) > taken.count(partner)
    }
    outside = [number for kind in sorted(kinds) for number in graph.everybody[None, kind].items if number not in block]
    return bool(outside) and _link_sides(graph, _Offers(graph, inside), _Offers(graph, outside))
