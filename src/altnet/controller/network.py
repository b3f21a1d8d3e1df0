"""From a task's variables to the typed inventory, the ledger and the plan."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from altnet.gather import AUTHORITATIVE, DIRECTORY, HOST_VARIABLES, NETWORK_VARIABLES, PREFIX, RELAYS, RESOLVERS, gather
from altnet.inventory import Inventory

from .variables import names_of, role_defaults, set_by_inventory

WANTED = {PREFIX + key for key in (*HOST_VARIABLES, *NETWORK_VARIABLES)}


def inventory_of(task_vars: Mapping[str, Any], without: Iterable[str] = ()) -> Inventory:
    """Return the typed inventory of all hosts (but those ``without``), from a task's variables.

    Raises InventoryError with every problem found.
    """
    gone = set(without)
    groups = task_vars["groups"]
    return gather(
        sorted(set(names_of(task_vars)).difference(gone)),
        functools.partial(set_by_inventory, task_vars, wanted=WANTED, known={}),
        # In the inventory's order: the first of a group may be more than the others.
        {
            group: [str(name) for name in groups.get(group, ()) if name not in gone]
            for group in (RELAYS, AUTHORITATIVE, RESOLVERS, DIRECTORY)
        },
        role_defaults("plan"),
    )
