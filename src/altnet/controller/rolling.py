"""The steps of a key roll, from what hosts registered in this run."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from altnet.errors import InventoryError, LedgerError, Problem
from altnet.inventory import Inventory, without
from altnet.ledger import Ledger
from altnet.naming import anchors, desired, roll
from altnet.naming.anchors import DsOf
from altnet.naming.model import Zone

from .failure import last_line

STEPS = ("publish", "activate", "finish", "confirm")
RUN = "ansible-playbook playbooks/roll-zone-key.yml"
#: Fewer seconds than resolvers need to hear of a zone's new version and to forget the old one.
TTL_MIN = 5


@dataclass(frozen=True)
class Taken:
    """The ledger after a step, one line for each change, and the seconds that a step which is not due has to wait.

    ``due`` is false where a later run has to go on.
    """

    ledger: Ledger
    changes: tuple[str, ...] = ()
    wait: int = 0
    due: bool = True


def members(inventory: Inventory, ledger: Ledger) -> list[str]:
    """Return the hosts that have to know of a zone's keys: all that serve or resolve names."""
    inventory = without(inventory, ledger.quarantined)
    left = {name for name, record in ledger.hosts.items() if record.left}
    return sorted({*inventory.authoritative, *inventory.resolvers} - left)


def zone_of(inventory: Inventory, ledger: Ledger, zone: str) -> Zone:
    """Return the zone that is to get a new key."""
    zones = {entry.name: entry for entry in desired.desired(inventory, ledger, lambda _: ((), ()))}
    found = zones.get(f"{zone}.") if zone else None
    if found is None:
        what = f"{zone!r} is no zone of this network" if zone else "is not given"
        names = ", ".join(name.removesuffix(".") for name in zones) or "there is none: no host serves names"
        raise InventoryError(Problem("", "roll_zone", what, f"-e roll_zone=NAME, one of: {names}"))
    return found


def timing_of(zone: Zone, ttl: int | None) -> roll.Timing:
    """Return the roll's times; ``ttl`` is ``roll_ttl``."""
    if ttl is not None and ttl < TTL_MIN:
        what = f"is {ttl}, and resolvers need up to {TTL_MIN} seconds to forget what has changed"
        raise InventoryError(Problem("", "roll_ttl", what, f"at least {TTL_MIN}, or leave it out for the zone's TTLs"))
    return roll.timing_of(zone, ttl)


def take(step: str, ledger: Ledger, zone: str, ds_of: DsOf, *, now: int, timing: roll.Timing) -> Taken:
    """Take a step if it is the one that is due; one that was taken, or whose turn is later, changes nothing."""
    states = {epoch.state for epoch in anchors.epochs(ledger, zone).values()}
    current = roll.start_roll(ledger, zone, ds_of, now=now, timing=timing)
    if step == "publish":
        # What is under way is first brought to where it should be, and seen to be there.
        return Taken(current.ledger, current.changes)
    if {"activate": "published", "finish": "retired"}[step] not in states:
        return Taken(ledger, due=False)
    if current.wait:
        return Taken(ledger, wait=current.wait, due=False)
    function: Callable[..., roll.RollStep] = roll.activate if step == "activate" else roll.finish
    done = function(ledger, zone, now=now, timing=timing)
    return Taken(done.ledger, done.changes)


def confirm(ledger: Ledger, zone: str, *, now: int, timing: roll.Timing, ds_of: DsOf) -> tuple[Ledger, str]:
    """Return the ledger in which the last step's time begins, and the line that says how far the roll is."""
    after = roll.confirm(ledger, zone, now=now)
    known = anchors.epochs(after, zone)
    tags = {epoch.state: epoch.ds.split()[0] for epoch in known.values() if epoch.ds}
    if len(known) == 1:
        return after, f"zone {zone}: the roll is complete; the key {tags['active']} signs alone"
    wait = roll.start_roll(after, zone, ds_of, now=now, timing=timing).wait
    if "published" in tags:
        return after, f"zone {zone}: key {tags['published']} is known everywhere, and may sign {_in(wait)}"
    return after, f"zone {zone}: key {tags['active']} signs everywhere, and {tags['retired']} may go {_in(wait)}"


def _in(seconds: int) -> str:
    return f"in {seconds} s" if seconds else "now"


def wanted(ledger: Ledger, zone: str, *, anchored: bool, ds_of: DsOf) -> dict[str, Any]:
    """Return what a host should serve and trust, as ``altnet_zone_keys`` takes it."""
    known = {
        number: replace(epoch, ds=epoch.ds or ds_of(zone, number))
        for number, epoch in sorted(anchors.epochs(ledger, zone).items())
    }
    signer = next(epoch.ds for epoch in known.values() if epoch.state == "active")
    ds = [epoch.ds for epoch in known.values()]
    return {"zone": f"{zone}.", "ds": ds, "signer": int(signer.split()[0]), "anchored": anchored}


def unreached(names: Collection[str], running: Collection[str], gone: Collection[str]) -> Iterator[Problem]:
    """Yield who has to be in this run and is not; ``gone`` is ``roll_without``."""
    for name in sorted(set(names) - set(running) - set(gone)):
        yield _without(name, "is not in this run")


def unseen(names: Collection[str], seen: Mapping[str, Any], gone: Collection[str]) -> Iterator[Problem]:
    """Yield who does not have what it should; ``seen`` is what hosts registered of ``altnet_zone_keys``."""
    for name in names:
        result = seen.get(name) or {}
        if name in gone:
            continue
        if "lacks" not in result:
            yield _without(name, f"was not asked: {last_line(result) if result else 'an earlier task failed there'}")
        for what in result.get("lacks", ()):
            yield Problem(name, "zone keys", what, f"mend that (the host's journal says more), then again `{RUN}`")


def _without(name: str, what: str) -> Problem:
    words = f"{what}, and what it does not know of another key it calls forged"
    consent = json.dumps({"roll_without": [name]})
    mend = f"bring it back and run with it, or do without it for good: -e '{consent}'"
    return Problem(name, "roll_zone", words, mend)


def no_ledger(path: object) -> LedgerError:
    """Return the error for a network that does not exist yet."""
    return LedgerError(Problem("", str(path), "there is no ledger yet, so there is no network", "run site.yml first"))
