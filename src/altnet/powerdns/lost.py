"""A primary that has lost what it published: its secondaries still have it, and would follow it into emptiness.

Its catalog is the first thing a primary makes and the last it loses, so one without it starts from nothing. That is
right in a new network, and where nothing is held elsewhere but what it is about to publish. Else it is refused. What
this host remembers says nothing on that: it lies on the disk that may be the lost one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from .errors import PowerdnsError, problem
from .model import Spot, Zone

VARIABLE = "dns_authoritative_start_anew"
_SHOWN = 5
_GIVE_UP = f"to give up what the inventory does not declare, set {VARIABLE}"


@dataclass(frozen=True)
class Word:
    """What a server holds, by zone, as far as nobody makes it anew; None where it does not say all of it."""

    name: str
    held: Mapping[str, frozenset[Spot]] | None


class Witnesses(Protocol):
    """Know what was published."""

    def ask(self, catalog: str) -> Iterable[Word]:
        """Yield what each secondary has of the catalog's zones, who has most first; no catalog is no zone."""

    def own(self) -> Word:
        """Return what this host itself held before it became the primary."""


def judge(zones: Mapping[str, Zone], witnesses: Witnesses, catalog: str) -> None:
    """Refuse to begin anew where that loses something, or where nobody can say whether it does."""
    silent, heard, held = [], False, False
    for word in witnesses.ask(catalog):
        if word.held is None:
            silent.append(word.name)
            continue
        heard, held = True, held or bool(word.held)
        what = f"this primary has lost its zones, and {word.name} has"
        _refuse_loss(zones, word, what, "make another server the primary, which keeps everything")
    if not held:
        # As old as its promotion: what a secondary says is newer.
        what = "this primary has no zones, and its data of when it was a secondary have"
        _refuse_loss(zones, witnesses.own(), what, "promote this host, which keeps them")
    if silent and not heard:
        what = f"this primary has no zones, and no secondary says what there was; no word from {', '.join(silent)}"
        mend = f"run again with one of them that answers on the fabric; {_GIVE_UP}"
        raise PowerdnsError(problem(VARIABLE, what, mend))


def _refuse_loss(zones: Mapping[str, Zone], word: Word, what: str, mend: str) -> None:
    lost = list(_lost(zones, word.held or {}))
    if lost:
        shown = ", ".join(lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        what = f"{what} {shown}{more}, which the inventory does not declare"
        mend = f"{mend} (`ansible-playbook playbooks/promote.yml -e promote_host={word.name}`); {_GIVE_UP}"
        raise PowerdnsError(problem(VARIABLE, what, mend))


def _lost(zones: Mapping[str, Zone], held: Mapping[str, frozenset[Spot]]) -> Iterator[str]:
    for name, spots in sorted(held.items()):
        zone = zones.get(name)
        if zone is None:
            yield f"zone {name}"
            continue
        # What is the plan's own goes by what hosts there are. A child's DS may be another than the declared one by now.
        declared = {spot for spot in zone.rrsets if not zone.childs(spot)}
        yield from (f"{owner} {kind}" for owner, kind in sorted(spots - declared) if not zone.owned(owner))
