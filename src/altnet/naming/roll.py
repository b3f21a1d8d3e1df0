"""Change of a zone's key, so that at no moment an answer fails to validate.

Pre-publication (RFC 6781 §4.1.1.1, timing of RFC 7583 §3.2.1), with the one key that signs everything: the new
DNSKEY is in the zone, and its DS in the parent (or in every resolver's anchors), before it signs; the old ones stay
until no cache has a signature of the old key. Each function is one step that is written to the ledger whole; a roll
that was interrupted goes on with the step that is due, and a step that was taken is not taken twice.

What was written is not yet what is served: a run may be killed in between. So a step's time does not run until
``confirm``, which is called when every server and every resolver has been seen to have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import LedgerError, Problem
from ..ledger import Epoch, Ledger
from .anchors import DsOf, epochs
from .model import DEFAULT_TTL, Zone

#: What the plain way adds to the TTLs.
PROPAGATION = 60


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for which something old may still be believed.

    ``dnskey`` is the TTL of the zone's DNSKEY, ``ds`` that of its DS in the parent, ``data`` the longest in the zone.
    ``propagation`` is what a change takes to reach every server, and every resolver's anchors.
    """

    dnskey: int = 3600
    ds: int = 3600
    data: int = 3600
    propagation: int = 60

    @property
    def publish(self) -> int:
        """Seconds from publication until the new key may sign."""
        return max(self.dnskey, self.ds) + self.propagation

    @property
    def retire(self) -> int:
        """Seconds from its last signature until the old key may go."""
        return max(self.dnskey, self.data) + self.propagation


def timing_of(zone: Zone, ttl: int | None = None) -> Timing:
    """Return how long a zone's old answers are believed: as its TTLs say, or the given seconds, all in all."""
    if ttl is not None:
        return Timing(ttl, ttl, ttl, 0)
    # DNSKEY and SOA are the server's to make, and have at most the zone's ordinary TTL.
    longest = max((entry.ttl for entry in zone.rrsets), default=0)
    return Timing(DEFAULT_TTL, DEFAULT_TTL, max(longest, DEFAULT_TTL), PROPAGATION)


@dataclass(frozen=True)
class RollStep:
    """The ledger after a step, one line for each change, and the seconds until the next step may be taken."""

    ledger: Ledger
    changes: tuple[str, ...]
    wait: int


def start_roll(ledger: Ledger, zone: str, ds_of: DsOf, *, now: int, timing: Timing) -> RollStep:
    """Publish a new key beside the one that signs, or go on with the roll that is under way."""
    known = _known(ledger, zone, ds_of)
    under_way = _in_state(known, "published", "retired")
    if under_way is not None:
        state = known[under_way].state
        return RollStep(
            ledger, (), _left(known[under_way], timing.publish if state == "published" else timing.retire, now)
        )
    new = max(known) + 1
    after = {**known, new: Epoch("published", ds_of(zone, new))}
    words = f"zone {zone}: key {_tag(after[new])} of epoch {new} is published"
    return RollStep(_with(ledger, zone, after), (words,), timing.publish)


def activate(ledger: Ledger, zone: str, *, now: int, timing: Timing) -> RollStep:
    """Let the published key sign in place of the old one, which stays published.

    Raises LedgerError before its time, and where no roll was started.
    """
    known = epochs(ledger, zone)
    new, old = _in_state(known, "published"), _in_state(known, "active")
    if new is None:
        retired = _in_state(known, "retired")
        if retired is None:
            raise _refused(zone, "has no key that is published and does not sign yet", "start the roll first")
        return RollStep(ledger, (), _left(known[retired], timing.retire, now))
    _require_confirmed(zone, known[new], "has a new key")
    left = _left(known[new], timing.publish, now)
    if left:
        what = f"has published its new key {timing.publish - left} s ago, and caches may not know it yet"
        raise _refused(zone, what, f"run again in {left} s")
    assert old is not None  # noqa: S101 - the ledger's reader sees to it
    after = {
        **known,
        new: replace(known[new], state="active", since=now),
        old: replace(known[old], state="retired", since=0),
    }
    words = f"zone {zone}: key {_tag(known[new])} signs in place of {_tag(known[old])}"
    return RollStep(_with(ledger, zone, after), (words,), timing.retire)


def finish(ledger: Ledger, zone: str, *, now: int, timing: Timing) -> RollStep:
    """Forget the retired key. Raises LedgerError before its time, and while a new key is not active yet."""
    known = epochs(ledger, zone)
    if _in_state(known, "published") is not None:
        raise _refused(zone, "has a new key that does not sign yet", "activate it first")
    old = _in_state(known, "retired")
    if old is None:
        return RollStep(ledger, (), 0)
    _require_confirmed(zone, known[old], "has a new key that signs")
    left = _left(known[old], timing.retire, now)
    if left:
        what = (
            f"was last signed with the old key {timing.retire - left} s ago, and caches may still have its signatures"
        )
        raise _refused(zone, what, f"run again in {left} s")
    after = {number: epoch for number, epoch in known.items() if number != old}
    return RollStep(_with(ledger, zone, after), (f"zone {zone}: key {_tag(known[old])} is gone",), 0)


def confirm(ledger: Ledger, zone: str, *, now: int) -> Ledger:
    """Return the ledger with the time from which on the last step is known to be everywhere."""
    known = epochs(ledger, zone)
    after = {
        number: replace(epoch, since=now) if epoch.state != "active" and not epoch.since else epoch
        for number, epoch in known.items()
    }
    return _with(ledger, zone, after) if after != known else ledger


def _require_confirmed(zone: str, epoch: Epoch, words: str) -> None:
    if not epoch.since:
        what = f"{words}, and it is not known whether every server and every resolver has it"
        raise _refused(zone, what, "run playbooks/roll-zone-key.yml with all of them, which sees to it")


def _known(ledger: Ledger, zone: str, ds_of: DsOf) -> Mapping[int, Epoch]:
    """Return the zone's keys with their DS, for a zone that the ledger has no record of as well."""
    return {n: epoch if epoch.ds else replace(epoch, ds=ds_of(zone, n)) for n, epoch in epochs(ledger, zone).items()}


def _in_state(known: Mapping[int, Epoch], *states: str) -> int | None:
    return next((number for number, epoch in sorted(known.items()) if epoch.state in states), None)


def _left(epoch: Epoch, seconds: int, now: int) -> int:
    return max(0, epoch.since + seconds - now) if epoch.since else seconds


def _tag(epoch: Epoch) -> str:
    return epoch.ds.partition(" ")[0]


def _with(ledger: Ledger, zone: str, known: Mapping[int, Epoch]) -> Ledger:
    return replace(ledger, dnssec={**ledger.dnssec, zone.removesuffix("."): known})


def _refused(zone: str, what: str, remedy: str) -> LedgerError:
    return LedgerError(Problem("", f"ledger.json: dnssec.{zone}", what, remedy))
