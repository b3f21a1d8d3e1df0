"""Making another host the primary of the zones."""

from __future__ import annotations

from dataclasses import replace

from ..allocate import live_record
from ..errors import LedgerError, Problem
from ..inventory import Inventory
from ..inventory.reader import did_you_mean
from ..ledger import Ledger


def promote(ledger: Ledger, inventory: Inventory, name: str) -> Ledger:
    """Return the ledger with the host as the one that all zones come from. Once is as good as twice.

    Raises LedgerError for a host that is not in the network, is shut out, or is not in the group ``authoritative``.
    """
    record = live_record(ledger, name)
    if record.quarantined:
        raise LedgerError(Problem(name, "dns_primary", "is quarantined", "release it first, or name another host"))
    if name not in inventory.authoritative:
        able = [other for other in inventory.authoritative if other not in ledger.quarantined]
        what = "is not in the group authoritative, whose hosts alone can be the primary"
        raise LedgerError(Problem(name, "dns_primary", what, f"add it to the group, or {did_you_mean(name, able)}"))
    return replace(ledger, dns_primary=name)
