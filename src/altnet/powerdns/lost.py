"""A primary that has lost what it published: its secondaries still have it, and would follow it into emptiness.

Its catalog is the first thing a primary makes and the last it loses, so one without it starts from nothing. That is
right in a new network, and where nothing is held elsewhere but what it is about to publish. Else it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .errors import PowerdnsError, problem
from .model import Spot, Zone

VARIABLE = "dns_authoritative_start_anew"
_SHOWN = 5


@dataclass
class Holdings:
    """What secondaries hold, by secondary and zone, as far as nobody makes it anew; and who is silent."""

    held: dict[str, dict[str, frozenset[Spot]]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


class Witnesses(Protocol):
    """Asks secondaries what they hold."""

    def ask(self, catalog: str) -> Holdings:
        """Return what each secondary has of the catalog's zones; one that has no catalog holds nothing."""


def judge(zones: Mapping[str, Zone], said: Holdings, *, published: bool) -> None:
    """Refuse to begin anew where that loses something; ``published`` says that this host has published before."""
    lost = {name: list(_lost(zones, held)) for name, held in said.held.items()}
    name = max(lost, key=lambda one: (len(lost[one]), one), default=None)
    if name is not None and lost[name]:
        shown = ", ".join(lost[name][:_SHOWN])
        more = f" and {len(lost[name]) - _SHOWN} more" if len(lost[name]) > _SHOWN else ""
        what = f"this primary has lost its zones, and {name} has {shown}{more}, which the inventory does not declare"
        raise PowerdnsError(problem(VARIABLE, what, _remedy(name)))
    if published and said.silent and not said.held:
        what = "this primary has lost its zones, and no secondary says what there was; no word from "
        raise PowerdnsError(problem(VARIABLE, what + ", ".join(said.silent), _remedy(said.silent[0])))


def _remedy(name: str) -> str:
    return (
        f"make another server the primary, which keeps everything (`ansible-playbook playbooks/promote.yml "
        f"-e promote_host={name}`); to give up what the inventory does not declare, set {VARIABLE}"
    )


def _lost(zones: Mapping[str, Zone], held: Mapping[str, frozenset[Spot]]) -> Iterator[str]:
    for name, spots in sorted(held.items()):
        zone = zones.get(name)
        if zone is None:
            yield f"zone {name}"
            continue
        # What is the plan's own goes by what hosts there are. A child's DS is another than the declared one by now.
        declared = {spot for spot in zone.rrsets if not zone.childs(spot)}
        yield from (f"{owner} {kind}" for owner, kind in sorted(spots - declared) if not zone.owned(owner))
