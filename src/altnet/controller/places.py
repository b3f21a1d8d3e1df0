"""The addresses of the hosts that have one, and of the services."""

from __future__ import annotations

from altnet.addressing import anycast_address, loopback, parse_prefix
from altnet.inventory import Inventory
from altnet.ledger import Ledger


class Places:
    """Where hosts (``own``) and anycast services are."""

    def __init__(self, inventory: Inventory, ledger: Ledger) -> None:
        self.prefix = parse_prefix(ledger.prefix, allow_fc00=inventory.allow_fc00, variable="ledger.json: prefix")
        self.index = {entry.name: entry.index for entry in inventory.anycast}
        self.own = {
            name: loopback(self.prefix, record.id)
            for name, record in ledger.live.items()
            if name in inventory.hosts and not record.quarantined
        }

    def anycast(self, name: str) -> str:
        """Return a service's address."""
        return anycast_address(self.prefix, self.index[name])
