"""The apps of this run: what is wrong with them, what each host is told of them, and where their names lead."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from altnet.apps import judge
from altnet.apps.compute import Placed, addresses, place, told
from altnet.apps.model import App
from altnet.apps.parse import catalogue
from altnet.apps.zones import with_services
from altnet.content.zones import with_sites
from altnet.errors import Problem
from altnet.inventory import Inventory
from altnet.ledger import Ledger

from .groups import known_to
from .places import Places
from .variables import set_by_inventory

CATALOGUE = Path(__file__).parents[3] / "apps"


@functools.cache
def known() -> tuple[App, ...]:
    """Return the catalogue."""
    return catalogue(CATALOGUE)


def placed_of(task_vars: Mapping[str, Any], inventory: Inventory) -> list[Placed]:
    """Return which app is on which host. Raises InventoryError with everything that is wrong with that."""
    groups = {
        str(group): [str(name) for name in names if name in inventory.hosts]
        for group, names in task_vars["groups"].items()
    }
    if not any(groups.get(app.group) for app in known()):
        return []
    return place(known(), groups, inventory.tlds)


def problems_of(task_vars: Mapping[str, Any], inventory: Inventory) -> Iterator[Problem]:
    """Yield what is wrong with the apps' own variables. Raises InventoryError where they cannot be where they are."""
    for one in placed_of(task_vars, inventory):
        values = set_by_inventory(task_vars, one.host, judge.variables(one.app.role))
        if values:
            yield from judge.judge(one.app.role, one.host, values, known_to(task_vars, inventory, [one.host]))


def parts(placed: list[Placed], inventory: Inventory, ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return what each host with apps is told, by its name."""
    own = Places(inventory, ledger).own
    return told(one for one in placed if one.host in own)


def with_names(placed: list[Placed], inventory: Inventory, ledger: Ledger) -> Inventory:
    """Return the inventory with the apps' names and services in its zones."""
    own = Places(inventory, ledger).own
    there = [one for one in placed if one.host in own]
    hosts = {name: f"{name.lower()}.net.{inventory.tlds[0]}." for name in own} if there else {}
    zones = with_sites(inventory.zones, addresses(there, own), inventory.tlds)
    return replace(inventory, zones=with_services(zones, there, hosts, inventory.tlds))
