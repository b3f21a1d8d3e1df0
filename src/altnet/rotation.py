"""Key change: beside every tunnel one of the next generation, and the old one goes when it carries nothing.

The ledger is a rotation's only memory, and each function here is one step that is written whole: ``begin``, then
``widen`` (both ends have their new keys), ``retire`` (both ends say that traffic has moved), ``forget`` (a host has
removed the old private key). A run that is killed between two steps, or that some hosts miss, leaves a ledger in
which every pair has a tunnel of which both ends hold the keys; the next run does what is left. Nobody has to
remember that a rotation was begun: it is complete when nothing in the ledger is older than its generation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import LedgerError, Problem
from .ledger import Ledger, Record

Pair = tuple[str, str]
"""A tunnel's two hosts as the ledger has them: the one with the higher id first."""

_Change = Callable[[Pair, tuple[int, ...]], tuple[int, ...]]

RUN = "ansible-playbook playbooks/rotate-tunnels.yml"


@dataclass(frozen=True)
class Step:
    """The ledger after a step, and how it differs: one line for each change, empty for none."""

    ledger: Ledger
    changes: tuple[str, ...] = ()


def old_pairs(ledger: Ledger) -> dict[Pair, tuple[int, ...]]:
    """Return the tunnels that have an older generation than the ledger's, with their generations."""
    return {
        (high, low): generations for high, low, generations in ledger.pairs() if min(generations) < ledger.generation
    }


def surplus_keys(ledger: Ledger) -> dict[str, tuple[int, ...]]:
    """Return, by host, the generations of old keys that none of its tunnels uses any more."""
    used: dict[str, set[int]] = {}
    for high, low, generations in ledger.pairs():
        for name in (high, low):
            used.setdefault(name, set()).update(generations)
    found = {
        name: tuple(sorted(g for g in record.keys if g < ledger.generation and g not in used.get(name, ())))
        for name, record in ledger.live.items()
    }
    return {name: generations for name, generations in found.items() if generations}


def complete(ledger: Ledger) -> bool:
    """Say whether every tunnel and every key is of the ledger's generation."""
    return not old_pairs(ledger) and not surplus_keys(ledger)


def behind(ledger: Ledger, running: Collection[str]) -> list[str]:
    """Return the hosts, of those that are not ``running``, without which the rotation cannot be completed."""
    ends = {name for pair in old_pairs(ledger) for name in pair}
    return sorted((ends | set(surplus_keys(ledger))).difference(running))


def begin(ledger: Ledger, running: Collection[str]) -> Step:
    """Raise the generation, or go on with the rotation that is under way.

    A further generation would have the ports and the interface names of the last but one, so it has to wait until
    nothing is of that one. Raises LedgerError when ``running``, the hosts of this run, can do nothing about it.
    """
    _check(ledger)
    if complete(ledger):
        generation = ledger.generation + 1
        return Step(replace(ledger, generation=generation), (f"rotation: generation {generation} begins",))
    pairs, keys = old_pairs(ledger), surplus_keys(ledger)
    if not any(high in running and low in running for high, low in pairs) and not keys.keys() & set(running):
        names = ", ".join(behind(ledger, running))
        what = f"is {ledger.generation}, and that rotation still waits for {names}: a further one cannot begin"
        mend = f"`{RUN}` with these hosts in it, or playbooks/leave.yml for those that do not come back"
        raise LedgerError(Problem("", "ledger.json: generation", what, mend))
    return Step(ledger)


def widen(ledger: Ledger, ready: Collection[str]) -> Step:
    """Give the new generation to the tunnels between hosts that are ``ready``: in this run, with their new keys."""
    new = ledger.generation

    def wider(pair: Pair, generations: tuple[int, ...]) -> tuple[int, ...]:
        able = all(name in ready and new in ledger.hosts[name].keys for name in pair)
        return (*generations, new) if able and generations == (new - 1,) else generations

    return _each(ledger, wider, f"generation {new} joins {new - 1}")


def retire(ledger: Ledger, moved: Collection[Pair]) -> Step:
    """Take the old generation from the tunnels in ``moved``, whose traffic both ends have seen on the new one."""
    new = ledger.generation
    return _each(
        ledger,
        lambda pair, generations: (new,) if pair in moved and generations == (new - 1, new) else generations,
        f"generation {new - 1} is retired",
    )


def forget(ledger: Ledger, held: Mapping[str, Collection[int]]) -> Step:
    """Drop the public halves of keys that hosts no longer hold; ``held`` are the generations that they do hold."""
    hosts, changes = dict(ledger.hosts), list[str]()
    for name, generations in sorted(surplus_keys(ledger).items()):
        gone = [generation for generation in generations if name in held and generation not in held[name]]
        if gone:
            keys = {generation: key for generation, key in hosts[name].keys.items() if generation not in gone}
            hosts[name] = replace(hosts[name], keys=keys)
            changes += [f"host {name}: public key of generation {generation} forgotten" for generation in gone]
    return Step(replace(ledger, hosts=hosts), tuple(changes))


def handovers(piece: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the neighbours of a slice of the plan with which there are two tunnels, and both tunnels' names."""
    sessions: dict[str, list[Mapping[str, Any]]] = {}
    for session in sorted(piece["bgp"], key=lambda session: int(session["rank"])):
        sessions.setdefault(session["neighbour"], []).append(session)
    return [
        {
            "neighbour": neighbour,
            "new_interface": both[0]["interface"],
            "new_session": both[0]["protocol"],
            "old_interface": both[1]["interface"],
            "old_session": both[1]["protocol"],
        }
        for neighbour, both in sorted(sessions.items())
        if len(both) == 2
    ]


def _each(ledger: Ledger, change: _Change, words: str) -> Step:
    hosts: dict[str, Record] = dict(ledger.hosts)
    changes = []
    for name, record in sorted(ledger.hosts.items()):
        tunnels = {other: change((name, other), generations) for other, generations in record.tunnels.items()}
        different = sorted(other for other in tunnels if tunnels[other] != record.tunnels[other])
        if different:
            hosts[name] = replace(record, tunnels=tunnels)
            changes += [f"tunnel {other} - {name}: {words}" for other in different]
    return Step(replace(ledger, hosts=hosts), tuple(changes))


def _check(ledger: Ledger) -> None:
    problems = list(_impossible(ledger))
    if problems:
        raise LedgerError(problems)


def _impossible(ledger: Ledger) -> Iterator[Problem]:
    """Yield tunnels that no sequence of steps leads to, as an edit or a merge by hand can leave them."""
    for high, low, generations in ledger.pairs():
        if not ledger.generation - 1 <= min(generations) <= max(generations) <= ledger.generation:
            what = f"is of generation {max(generations)}, and the ledger's generation is {ledger.generation}"
            mend = "take the last good version from git (git log -p ledger.json) and run again"
            yield Problem(high, f"ledger.json: hosts.{high}.tunnels.{low}", what, mend)
