"""The groups of the directory that sites and apps may be for, as far as the inventory knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from altnet.directory.parse import GROUPS as DECLARED
from altnet.gather import CONTENT
from altnet.inventory import Inventory

from .variables import role_defaults, set_by_inventory

#: Names those too that are made elsewhere, by the portal or by hand.
GROUPS = "content_groups"


def known_to(task_vars: Mapping[str, Any], inventory: Inventory, hosts: Iterable[str]) -> set[str]:
    """Return the groups that ``hosts`` may name: those that are declared, and what their variable says."""
    default = role_defaults(CONTENT)[GROUPS]
    found = {group for name in hosts for group in set_by_inventory(task_vars, name, {GROUPS}).get(GROUPS, default)}
    for provider in inventory.directory:
        found |= _declared(set_by_inventory(task_vars, provider, {DECLARED}).get(DECLARED))
    return found


def _declared(value: object) -> set[str]:
    """Return the names of the groups that the inventory declares; what is wrong with them, others say."""
    entries = value if isinstance(value, list) else []
    named = [one for one in entries if isinstance(one, Mapping) and one.get("name")]
    return {str(one["name"]) for one in named if one.get("state") != "absent"}
