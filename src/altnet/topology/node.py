"""A host as the topology sees it: small integers, so that 10,000 of them are quick to compare."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

Pair = tuple[int, int]
"""Two ids, the lower one first."""

_BITS = {"ipv4": 1, "ipv6": 2}
ABSENT = 0
"""The kind of a host that is in the ledger but not in the inventory: nothing new is built to it."""


def kind_of(families: Collection[str], reachable: Collection[str]) -> int:
    """Return a host's kind: all that decides whom it can have a tunnel with.

    The low two bits are the address families it sends with, the next two those in which others reach it
    first.
    """
    return sum(_BITS[family] for family in families) | sum(_BITS[family] << 2 for family in reachable)


def _compatible(one: int, other: int) -> bool:
    return bool((one >> 2) & (other & 3) or (other >> 2) & (one & 3))


KINDS = range(16)
COMPATIBLE = tuple(tuple(_compatible(one, other) for other in KINDS) for one in KINDS)
PARTNERS = tuple(tuple(other for other in KINDS if COMPATIBLE[one][other]) for one in KINDS)
"""For each kind, those it can have a tunnel with."""


@dataclass(frozen=True, slots=True)
class Node:
    """One host. ``kind`` comes from :func:`kind_of`; ``attach`` has the ids the operator chose for it."""

    id: int
    relay: bool
    kind: int
    region: str = "default"
    attach: tuple[int, ...] = ()


def can_link(one: Node, other: Node) -> bool:
    """Say whether a tunnel may exist: at least one is a relay, and one can reach the other first.

    A tunnel with an absent host is only ever kept, so it may; none is built to it.
    """
    if not (one.relay or other.relay):
        return False
    return ABSENT in (one.kind, other.kind) or COMPATIBLE[one.kind][other.kind]


def pair(one: int, other: int) -> Pair:
    """Return two ids in order."""
    return (one, other) if one < other else (other, one)
