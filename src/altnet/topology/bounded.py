"""A mesh in which the number of tunnels of a relay does not grow with the network.

A relay that joins is linked with relays that have a link to spare, and otherwise takes its place in the
middle of links that there are: a - b becomes a - new - b, so that a and b have as many as before. Chosen over
the whole network this makes a random regular graph, whose diameter grows with the logarithm of its size. All
else stays where it is, so whoever is no neighbour of the new relay has nothing to do.

A relay behind NAT never takes a place in the middle, for it would come between two that reach each other without
it. It is linked with relays that have a link to spare, and with two in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .connect import repair, shortest
from .graph import FEW_PROBES, Draws, Graph, Pool, build, draw, ends_of
from .node import ABSENT, Node, Pair
from .trim import trim_links

_CAREFUL = 64
"""Up to so many new relays, each is checked on its own; more are checked together, when all are in."""
_TRIES = 4
_EXITS = 2


def bounded(relays: Mapping[int, Node], kept: set[Pair], degree: int, cap: int, *, trim: bool = False) -> set[Pair]:
    """Return the links of the relays.

    ``kept`` are the links that there are and may stay. A relay wants ``degree`` links and accepts up to
    ``cap``; it gets more where a host would otherwise have fewer than two, or the loss of one relay would
    split the network. ``trim`` takes links away from relays above the cap.
    """
    graph = build(relays, kept, degree, cap)
    new = []
    for number, node in relays.items():
        if node.kind != ABSENT and len(graph.links[number]) < _EXITS:
            new.append(number)
        elif node.kind != ABSENT:
            graph.join(number)
    # Those whom everybody can reach come first, so that the others find somebody.
    new.sort(key=lambda number: (-(relays[number].kind).bit_count(), number))
    for number in new:
        graph.join(number)
        _insert(graph, number, careful=len(new) <= _CAREFUL)
    for number in new:
        if len(graph.links[number]) < _EXITS:
            _secure(graph, number, Draws(number), careful=len(new) <= _CAREFUL)
    _top_up(graph)
    repair(graph)
    while trim and trim_links(graph):
        _top_up(graph)
    return graph.pairs()


def _insert(graph: Graph, number: int, *, careful: bool) -> None:
    """Link a relay that has just joined, most of its links inside its region."""
    draws = Draws(number)
    region = graph.region[number]
    inside = graph.members[region] - 1
    outside = graph.joined - inside - 1
    # A region wants as many links out of it as it has relays; a link that is split adds two at a time.
    leaving = len(graph.leaving[region].items)
    out = _EXITS if inside and outside and graph.degree > _EXITS and leaving <= inside else 0
    place = _Place(graph, number, draws, careful=careful)
    if inside:
        place.inside(graph.degree - out, small=inside < graph.degree)
    if outside and (out or inside < graph.degree):
        place.outside()
    place.fill()
    if len(graph.links[number]) < _EXITS:
        _secure(graph, number, draws, careful=careful)


class _Place:
    """Finds links for one relay."""

    def __init__(self, graph: Graph, number: int, draws: Draws, *, careful: bool) -> None:
        self._graph, self._number, self._draws, self._careful = graph, number, draws, careful
        self._region = graph.region[number]

    @property
    def need(self) -> int:
        return self._graph.degree - len(self._graph.links[self._number])

    @property
    def _behind_nat(self) -> bool:
        return not self._graph.kind[self._number] >> 2

    def fill(self) -> None:
        """Take any links that are left to have, those with relays behind NAT too."""
        while self.direct(self._region, nat=True) or self.direct(None, nat=True):
            pass

    def inside(self, goal: int, *, small: bool) -> None:
        """Get up to ``goal`` links in the own region; a ``small`` one keeps those that are inside it."""
        graph, have = self._graph, 0
        while have < goal and self.direct(self._region):
            have += 1
        # A link that leaves the region gives one inside and takes over the one that leaves.
        while small and have < goal and self.split(graph.leaving[self._region]):
            have += 1
        while have + 1 < goal and self.split(graph.inner[self._region]):
            have += 2
        while have < goal and self.split(graph.leaving[self._region]):
            have += 1

    def outside(self) -> None:
        """Fill up with links to other regions."""
        while self.direct(None):
            pass
        while self._split_hungry() or self.split(self._graph.crossing, foreign=True):
            pass

    def direct(self, region: str | None, *, nat: bool = False) -> bool:
        """Link a relay that has a link to spare: of ``region``, or of any other than the own.

        Relays behind NAT, of which many may wait for a link, are passed over unless ``nat``.
        """
        graph, number = self._graph, self._number
        if self.need < 1:
            return False
        pools = graph.partners(graph.free, number, region, nat=nat)
        found = draw(
            pools,
            self._draws,
            lambda other: graph.able(number, other) and (region is not None or graph.region[other] != self._region),
        )
        if found is None:
            return False
        graph.link(number, found)
        return True

    def _split_hungry(self) -> bool:
        """Split a link inside a region that has too few links leaving it."""
        graph = self._graph
        for _ in range(2 * _TRIES):
            region = graph.regions[self._draws.below(len(graph.regions))]
            hungry = len(graph.leaving[region].items) < graph.members[region]
            if region != self._region and hungry and self.split(graph.inner[region]):
                return True
        return False

    def split(self, pool: Pool, *, foreign: bool = False) -> bool:
        """Take the place in the middle of a link; ``foreign`` leaves the own region's links alone."""
        graph, number = self._graph, self._number
        if self._behind_nat or self.need < _EXITS:
            return False

        def fits(code: int) -> bool:
            one, other = ends_of(code)
            if foreign and self._region in (graph.region[one], graph.region[other]):
                return False
            return graph.able(number, one) and graph.able(number, other)

        for _ in range(_TRIES):
            code = draw([pool], self._draws, fits, FEW_PROBES)
            if code is None:
                return False
            one, other = ends_of(code)
            graph.unlink(one, other)
            graph.link(number, one)
            graph.link(number, other)
            # The one danger: that from now on only the new relay holds the two ends together.
            if not self._careful or shortest(graph.links, one, other, without=number):
                return True
            graph.unlink(number, one)
            graph.unlink(number, other)
            graph.link(one, other)
        return False


def _secure(graph: Graph, number: int, draws: Draws, *, careful: bool) -> None:
    """Give a relay two links whatever it costs others, if there are two relays that it can be linked with."""
    place = _Place(graph, number, draws, careful=careful)
    if not graph.links[number] and (place.split(graph.inner[graph.region[number]]) or place.split(graph.crossing)):
        return
    while len(graph.links[number]) < _EXITS:
        best = _least_loaded(graph, number, draws)
        if best is None:
            return
        graph.link(number, best)


def _least_loaded(graph: Graph, number: int, draws: Draws) -> int | None:
    everybody = graph.partners(graph.everybody, number, None)
    seen: list[tuple[bool, int, int]] = []

    def note(other: int) -> bool:
        if graph.able(number, other):
            seen.append((graph.region[other] != graph.region[number], len(graph.links[other]), other))
        return False

    draw(everybody, draws, note, FEW_PROBES)
    return min(seen)[2] if seen else None


def _top_up(graph: Graph) -> None:
    """Link relays that lack links: with each other, then with any that have one to spare."""
    needy = sorted({number for pool in list(graph.needy.values()) for number in pool.items})
    for number in needy:
        draws = Draws(number)
        fits: Callable[[int], bool] = _fits(graph, number)
        while len(graph.links[number]) < graph.degree:
            region = graph.region[number]
            choices = ((graph.needy, region), (graph.needy, None), (graph.free, region), (graph.free, None))
            found = None
            for pools, where in choices:
                found = draw(graph.partners(pools, number, where), draws, fits)
                if found is not None:
                    break
            if found is None:
                break
            graph.link(number, found)


def _fits(graph: Graph, number: int) -> Callable[[int], bool]:
    return lambda other: graph.able(number, other)
