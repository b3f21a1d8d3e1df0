"""Where trust begins: the DS records of the top-level domains and of the reverse zone.

The ledger has them, so that resolvers can be told without the master secret, and so that a wrong master secret is
known by a key that is not the recorded one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..addressing import reverse_zone
from ..errors import LedgerError, Problem
from ..ledger import Epoch, Ledger

DsOf = Callable[[str, int], str]
"""The DS of a zone's key in an epoch, as the master secret gives it."""

_FIRST: Mapping[int, Epoch] = {0: Epoch("active", "")}


def anchored(tlds: Iterable[str], prefix: str) -> tuple[str, ...]:
    """Return the zones that no parent vouches for, without a dot at their ends."""
    return (*tlds, reverse_zone(prefix))


def epochs(ledger: Ledger, zone: str) -> Mapping[int, Epoch]:
    """Return a zone's keys; one that the ledger does not know has the first, with no DS recorded."""
    return ledger.dnssec.get(zone.removesuffix("."), _FIRST)


def record(ledger: Ledger, zones: Iterable[str], ds_of: DsOf) -> tuple[Ledger, tuple[str, ...]]:
    """Return the ledger with the DS of every zone's key, and one line for each that is new.

    Raises :class:`LedgerError` where a recorded one is not what the master secret gives.
    """
    dnssec, changes = dict(ledger.dnssec), list[str]()
    for zone, known in ledger.dnssec.items():
        for number, epoch in known.items():
            _refuse_other(zone, number, epoch, ds_of)
    for zone in zones:
        if zone not in dnssec:
            dnssec[zone] = {0: Epoch("active", ds_of(zone, 0))}
            changes.append(f"zone {zone}: signed with the key {dnssec[zone][0].ds.split()[0]}")
    return replace(ledger, dnssec=dnssec) if changes else ledger, tuple(changes)


def _refuse_other(zone: str, number: int, epoch: Epoch, ds_of: DsOf) -> None:
    found = ds_of(zone, number)
    if found != epoch.ds:
        what = (
            f"gives {zone} another key than the one on record: DS {found}, and ledger.json has "
            f"dnssec.{zone}.{number}.ds {epoch.ds}"
        )
        mend = "use the vault that belongs to this ledger (git log -p on both); another network's does not fit"
        # One zone's is enough: a wrong secret gives other keys to all of them.
        raise LedgerError(Problem("", "altnet_master_secret", what, mend))


def anchors(ledger: Ledger, zones: Iterable[str]) -> dict[str, list[str]]:
    """Return the DS records from which to trust each zone; a zone that is not on record is left out."""
    known = {zone: ledger.dnssec[zone] for zone in zones if zone in ledger.dnssec}
    return {zone: [found[number].ds for number in sorted(found)] for zone, found in known.items()}
