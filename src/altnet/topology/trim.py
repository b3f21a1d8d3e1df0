"""Taking links away from relays that have too many."""

from __future__ import annotations

from .connect import survives
from .graph import Draws, Graph
from .node import ABSENT

_LAST = 2


def trim_links(graph: Graph) -> bool:
    """Remove links between relays above the cap, while the loss of any one relay splits nothing.

    A link to a relay that has only two does not count against the cap, for that relay depends on it: else
    the few relays that all those behind NAT need would lose their links with each other. Says whether a link went.
    """
    links = graph.links
    spare = {number: sum(len(links[other]) > _LAST for other in others) - graph.cap for number, others in links.items()}
    progress = False
    for number in sorted(links):
        for other in _removable_first(graph, number) if spare[number] > 0 else ():
            if spare[number] <= 0:
                break
            if spare[other] > 0 and _remove(graph, number, other):
                progress = True
                _count(graph, spare, number, other)
    return progress


def _remove(graph: Graph, one: int, other: int) -> bool:
    """Remove a link unless the network needs it; say whether it is gone."""
    if ABSENT in (graph.kind[one], graph.kind[other]):
        return False
    graph.unlink(one, other)
    links = graph.links
    if len(links[one] & links[other]) >= _LAST or survives(links, one, other):
        return True
    graph.link(one, other)
    return False


def _count(graph: Graph, spare: dict[int, int], *ends: int) -> None:
    """Take account of a link that was removed."""
    for end in ends:
        spare[end] -= 1
        if len(graph.links[end]) == _LAST:
            for other in graph.links[end]:
                spare[other] -= 1


def _removable_first(graph: Graph, number: int) -> list[int]:
    """Return a relay's neighbours: other regions first, then those with most links, then as if drawn."""
    region = graph.region[number]
    return sorted(
        graph.links[number],
        key=lambda other: (
            graph.region[other] == region,
            -len(graph.links[other]),
            Draws(number * 0x10001 ^ other).below(1 << 32),
            other,
        ),
    )
