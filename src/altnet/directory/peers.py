"""The other providers: whether this one may be written to yet, and whether they have followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .difference import DirectoryError, refused
from .server import Server, context

#: Changes that no server made are in the first entries alone.
NOBODY = "000"


@dataclass(frozen=True)
class Peer:
    """Another provider."""

    name: str
    server: Server


def state(server: Server, base: str) -> dict[str, str]:
    """Return how far a provider is."""
    return context(server.search(base, "base", "(objectClass=*)", "contextCSN"))


def fresh(known: Mapping[str, str]) -> bool:
    """Say whether a provider has nothing but its first entries: it is new, or has lost its disk."""
    return not set(known) - {NOBODY}


def behind(known: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Say whether ``known`` lacks a change that ``other`` has."""
    return any(known.get(number, "") < newest for number, newest in other.items())


def catch_up(
    own: Server, peers: Sequence[Peer], base: str, wait: float, *, start_anew: bool, pause: Callable[[float], None]
) -> list[str]:
    """Wait until this provider has what the others have, or comes no nearer for ``wait`` seconds; return warnings.

    Raises DirectoryError for one that has nothing, where somebody else may have something.
    """
    end = time.monotonic() + wait
    silent, ahead, known = _look(own, peers, base)
    while ahead and time.monotonic() < end:
        pause(0.5)
        before = known
        silent, ahead, known = _look(own, peers, base)
        end = end if known == before else time.monotonic() + wait
    if fresh(known) and ahead:
        what = f"has no people yet, and {ahead[0]} has some that do not come over"
        mend = "see `journalctl -u slapd` here and there; as long as they do not come, write to the other provider"
        raise refused("this provider", what, mend)
    if fresh(known) and silent and not start_anew:
        what = f"has no people yet, and {' and '.join(silent)} may have some, but does not answer"
        mend = "bring that one up, take it out of the group directory, or restore a backup; a new network may set \
directory_start_anew"
        raise refused("this provider", what, mend)
    return [f"this provider lacks changes that {name} has" for name in ahead]


def followed(own: Server, peers: Sequence[Peer], base: str, wait: float, pause: Callable[[float], None]) -> list[str]:
    """Wait until the others have what this provider has; return a warning for each that comes no nearer."""
    end = time.monotonic() + wait
    target = state(own, base)
    before: dict[str, dict[str, str]] = {}
    while True:
        states = {peer.name: _state(peer, base) for peer in peers}
        missing = [name for name, known in states.items() if behind(known, target)]
        if not missing or time.monotonic() >= end:
            return [f"{name} does not have these changes yet" for name in missing]
        end = end if states == before else time.monotonic() + wait
        before = states
        pause(0.2)


def _look(own: Server, peers: Sequence[Peer], base: str) -> tuple[list[str], list[str], dict[str, str]]:
    known = state(own, base)
    silent, ahead = [], []
    for peer in peers:
        try:
            other = state(peer.server, base)
        except DirectoryError:
            silent.append(peer.name)
            continue
        if not fresh(other) and behind(known, other):
            ahead.append(peer.name)
    return silent, ahead, known


def _state(peer: Peer, base: str) -> dict[str, str]:
    try:
        return state(peer.server, base)
    except DirectoryError:
        return {}
