"""The relays' graph, indexed by what the bounded strategy asks of it, at a constant cost for each change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from .node import ABSENT, COMPATIBLE, PARTNERS, Node, Pair, pair

PROBES = 256
"""How many relays of a pool are looked at before the search gives up. Whoever searches has fewer links than
that, and only those that it has a link with do not fit: so it finds whatever there is."""
FEW_PROBES = 64
"""How many links are looked at: any number may not fit, but whoever finds none has another way."""
_SHIFT = 16
_MASK = (1 << 64) - 1


class Draws:
    """Numbers that look random and depend on a seed alone (splitmix64): the same on every machine."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 0x9E3779B97F4A7C15 & _MASK

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit`` - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _MASK
        return (z ^ z >> 31) % limit


class Pool:
    """A set of numbers of which any can be drawn."""

    __slots__ = ("_at", "items")

    def __init__(self) -> None:
        self.items: list[int] = []
        self._at: dict[int, int] = {}

    def add(self, item: int) -> None:
        """Put a number in, once."""
        if item not in self._at:
            self._at[item] = len(self.items)
            self.items.append(item)

    def discard(self, item: int) -> None:
        """Take a number out if it is in; the last one takes its place."""
        at = self._at.pop(item, None)
        if at is None:
            return
        last = self.items.pop()
        if last != item:
            self.items[at] = last
            self._at[last] = at


def draw(pools: Sequence[Pool], draws: Draws, fits: Callable[[int], bool], probes: int = PROBES) -> int | None:
    """Return a number from one of the pools that fits, the nearest behind a drawn place, or None."""
    filled = [pool.items for pool in pools if pool.items]
    size = sum(map(len, filled))
    if not size:
        return None
    place = draws.below(size)
    at = 0
    while place >= len(filled[at]):
        place -= len(filled[at])
        at += 1
    for _ in range(min(size, probes)):
        item = filled[at][place]
        if fits(item):
            return item
        place += 1
        if place == len(filled[at]):
            at, place = (at + 1) % len(filled), 0
    return None


def edge_code(one: int, other: int) -> int:
    """Return a link as one number."""
    return one << _SHIFT | other if one < other else other << _SHIFT | one


def ends_of(code: int) -> Pair:
    """Return the two ids of a link's number."""
    return code >> _SHIFT, code & (1 << _SHIFT) - 1


class Graph:
    """Relays and links. Relays below the cap, and links by region, can be drawn from.

    A link with an absent relay counts in the degree of its other end and can be drawn by nobody.
    """

    def __init__(self, relays: Mapping[int, Node], degree: int, cap: int) -> None:
        self.relays, self.degree, self.cap = relays, degree, cap
        self.kind = {number: node.kind for number, node in relays.items()}
        self.region = {number: node.region for number, node in relays.items()}
        self.links: dict[int, set[int]] = {number: set() for number in relays}
        self.members: Counter[str] = Counter()
        self.joined = 0
        self.regions: list[str] = []
        self.needy: defaultdict[tuple[str | None, int], Pool] = defaultdict(Pool)
        self.free: defaultdict[tuple[str | None, int], Pool] = defaultdict(Pool)
        self.inner: defaultdict[str, Pool] = defaultdict(Pool)
        self.leaving: defaultdict[str, Pool] = defaultdict(Pool)
        self.crossing = Pool()
        self.everybody: defaultdict[tuple[str | None, int], Pool] = defaultdict(Pool)

    def join(self, number: int) -> None:
        """Make a relay one that others can be linked with."""
        region = self.region[number]
        if not self.members[region]:
            self.regions.append(region)
        self.members[region] += 1
        self.joined += 1
        self.everybody[None, self.kind[number]].add(number)
        self._sort(number)

    def link(self, one: int, other: int) -> None:
        """Add a link."""
        self.links[one].add(other)
        self.links[other].add(one)
        for pool in self._pools(one, other):
            pool.add(edge_code(one, other))
        self._sort(one)
        self._sort(other)

    def unlink(self, one: int, other: int) -> None:
        """Remove a link."""
        self.links[one].discard(other)
        self.links[other].discard(one)
        for pool in self._pools(one, other):
            pool.discard(edge_code(one, other))
        self._sort(one)
        self._sort(other)

    def _pools(self, one: int, other: int) -> tuple[Pool, ...]:
        if ABSENT in (self.kind[one], self.kind[other]):
            return ()
        here, there = self.region[one], self.region[other]
        if here == there:
            return (self.inner[here],)
        return self.leaving[here], self.leaving[there], self.crossing

    def _sort(self, number: int) -> None:
        """Put a relay into the pools that its number of links asks for."""
        kind, region, links = self.kind[number], self.region[number], len(self.links[number])
        if kind == ABSENT:
            return
        for pools, limit in ((self.needy, self.degree), (self.free, self.cap)):
            for key in ((region, kind), (None, kind)):
                if links < limit:
                    pools[key].add(number)
                else:
                    pools[key].discard(number)

    def able(self, one: int, other: int) -> bool:
        """Say whether a link between two relays may be built."""
        return one != other and other not in self.links[one] and COMPATIBLE[self.kind[one]][self.kind[other]]

    def partners(
        self,
        pools: Mapping[tuple[str | None, int], Pool],
        number: int,
        region: str | None,
        *,
        nat: bool = True,
    ) -> list[Pool]:
        """Return the pools of a relay's possible partners, of one region or of all (None).

        Without ``nat``, those of partners behind NAT are left out.
        """
        kinds = PARTNERS[self.kind[number]]
        return [pools[region, kind] for kind in kinds if (region, kind) in pools and (nat or kind >> 2)]

    def pairs(self) -> set[Pair]:
        """Return all links."""
        return {pair(one, other) for one, others in self.links.items() for other in others if one < other}


def build(relays: Mapping[int, Node], kept: Iterable[Pair], degree: int, cap: int) -> Graph:
    """Return the graph of the links that there are."""
    graph = Graph(relays, degree, cap)
    for one, other in sorted(kept):
        graph.link(one, other)
    return graph
