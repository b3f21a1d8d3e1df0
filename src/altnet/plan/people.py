"""What each host has to know of the directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..addressing import Prefix, loopback
from ..directory.model import SERVER_ID_MAX, suffix
from ..errors import InventoryError, Problem
from ..inventory import Inventory
from ..ledger import Ledger


@dataclass(frozen=True)
class People:
    """The directory as a whole: its base, and its providers in the order of the inventory."""

    base: str
    providers: Sequence[dict[str, Any]]

    def slice(self, name: str) -> dict[str, Any]:
        """Return one host's part. There are few providers, and who logs people in has to know all of them."""
        return {
            "base": self.base,
            "provider": any(one["name"] == name for one in self.providers),
            "providers": list(self.providers),
        }


def people(inventory: Inventory, ledger: Ledger, prefix: Prefix) -> People:
    """Return the directory of a network; ``inventory`` is without those who are shut out.

    Raises InventoryError for a provider whose id is no server id.
    """
    tld = inventory.tlds[0]
    found = []
    for name in inventory.directory:
        record = ledger.hosts.get(name)
        if record is None or record.left:
            continue
        if record.id > SERVER_ID_MAX:
            what = f"has the id {record.id}, and the largest number of a provider is {SERVER_ID_MAX}"
            raise InventoryError(Problem(name, "group directory", what, "make a host that joined earlier a provider"))
        host = f"{name.lower()}.net.{tld}"
        found.append({"name": name, "id": record.id, "address": loopback(prefix, record.id), "uri": f"ldaps://{host}"})
    return People(suffix(tld), found)
