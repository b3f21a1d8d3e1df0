"""The steps of a rotation, from what hosts registered in this run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from altnet import rotation
from altnet.errors import Problem
from altnet.ledger import Ledger
from altnet.rotation import Step

from .failure import last_line

STEPS = ("begin", "widen", "retire", "finish")
Keys = Mapping[str, Mapping[int, str]]


def take(step: str, ledger: Ledger, running: Collection[str], keys: Keys, handovers: Mapping[str, Any]) -> Step:
    """Return the ledger after the step; ``running`` are this run's hosts, ``keys`` what they say they hold."""
    if step == "begin":
        return rotation.begin(ledger, running)
    if step == "widen":
        # In check mode nobody has written down that a rotation began.
        begun = rotation.begin(ledger, running)
        ready = {name for name, held in keys.items() if begun.ledger.generation in held}
        return rotation.widen(begun.ledger, ready)
    if step == "retire":
        return rotation.retire(ledger, moved(ledger, handovers))
    return rotation.forget(ledger, {name: set(held) for name, held in keys.items()})


def moved(ledger: Ledger, handovers: Mapping[str, Any]) -> set[rotation.Pair]:
    """Return the pairs of which both ends say that traffic has moved."""
    return {
        (high, low)
        for high, low in rotation.old_pairs(ledger)
        if not said(handovers, high, low) and not said(handovers, low, high)
    }


def said(handovers: Mapping[str, Any], name: str, neighbour: str) -> str:
    """Return what keeps the older tunnel with ``neighbour`` on host ``name``; empty when nothing does."""
    result = handovers.get(name) or {}
    if "waiting" not in result:
        return f"{name} was not asked: {last_line(result) if result else 'an earlier task failed there'}"
    reason = result["waiting"].get(neighbour, "had no second tunnel when it was asked")
    return f"{name}: {reason}" if reason else ""


def stuck(ledger: Ledger, running: Collection[str], handovers: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the tunnels that should be of the new generation by now: both ends were in this run."""
    for high, low in rotation.old_pairs(ledger):
        if high in running and low in running:
            why = [reason for reason in (said(handovers, high, low), said(handovers, low, high)) if reason]
            what = f"the older one is kept, because the newer one does not carry its traffic ({'; '.join(why)})"
            mend = f"docs/runbooks/a-tunnel-is-down.md, then again `{rotation.RUN}`"
            yield Problem(high, f"tunnel with {low}", what, mend)
    for name, generations in rotation.surplus_keys(ledger).items():
        if name in running:
            what = f"of generation {generations[0]} is not known to be removed"
            yield Problem(name, "WireGuard key", what, f"see why the host failed, then again `{rotation.RUN}`")


def summary(ledger: Ledger, running: Collection[str]) -> tuple[str, str]:
    """Return the line that says how far the rotation is, and a warning where hosts are left behind, else ``""``."""
    count, old = sum(1 for _ in ledger.pairs()), len(rotation.old_pairs(ledger))
    state = "complete" if rotation.complete(ledger) else "not complete"
    line = f"rotation: generation {ledger.generation} is {state}: {count - old} of {count} tunnels have it alone"
    absent = rotation.behind(ledger, running)
    # Neighbours that ran wait for the absent ones, and are not to blame.
    if not absent:
        return line, ""
    return line, (
        f"left behind with tunnels of generation {ledger.generation - 1}: {', '.join(absent)}. Those tunnels work as "
        f"before. Remedy: when these hosts are back, `{rotation.RUN}` again; it takes up what is left. Until then no "
        "further rotation can begin."
    )
