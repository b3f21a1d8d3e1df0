"""The sites of this run: what each host is told of them, and where their names lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from altnet.addressing import anycast_address, loopback, parse_prefix
from altnet.content import compute
from altnet.content.model import Site
from altnet.content.zones import with_sites
from altnet.directory.parse import GROUPS as DECLARED
from altnet.errors import AltnetError, InventoryError, Problem
from altnet.gather import CONTENT
from altnet.inventory import Inventory
from altnet.ledger import Ledger
from altnet.pki import pem
from altnet.pki.scope import permits, scope_of

from .variables import names_of, role_defaults, set_by_inventory

SITES, GROUPS = "content_sites", "content_groups"


def sites_of(task_vars: Mapping[str, Any], inventory: Inventory) -> list[Site]:
    """Return all sites of the network; [] where no host serves any, so that no variable is asked for.

    Raises InventoryError with everything that is wrong with them.
    """
    hosts = [str(name) for name in task_vars["groups"].get(CONTENT, ()) if name in inventory.hosts]
    if not hosts:
        return []
    defaults = role_defaults(CONTENT)
    values = {name: set_by_inventory(task_vars, name, {SITES, GROUPS}) for name in hosts}
    groups = {group for one in values.values() for group in one.get(GROUPS, defaults[GROUPS])}
    for provider in inventory.directory:
        groups |= names_of_groups(set_by_inventory(task_vars, provider, {DECLARED}).get(DECLARED))
    declared = {name: one.get(SITES, []) for name, one in values.items()}
    found = compute.sites(declared, tlds=inventory.tlds, groups=groups, anycast=inventory.anycast)
    lonely = [] if inventory.directory else [site for site in found if site.groups]
    if lonely:
        what, mend = "is for a group, and no host holds people", "put a host into the group directory"
        raise InventoryError([Problem(site.host, f"{site.where}.groups", what, mend) for site in lonely])
    return found


def unsigned(sites: list[Site], task_vars: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the sites that nobody in the network may sign a certificate for: their top-level domain is a new one."""
    values = set_by_inventory(task_vars, names_of(task_vars)[0], {"inventory_dir"}) if sites else {}
    try:
        path = Path(str(values.get("inventory_dir", "")), "pki", "infra.pem")
        found = pem.certificates(path.read_text(), "pki/infra.pem")
    except (OSError, AltnetError):  # said by those who sign with it
        return
    scope = scope_of(found[0]) if found else None
    for site in sites:
        if scope is not None and not permits(scope, site.name):
            what = (
                f"the network's root may not sign for {site.name.rpartition('.')[2]}, so {site.name} has no certificate"
            )
            mend = f"replace the root (docs/runbooks/replace-the-root.md), or name the site under {scope.tlds[0]}"
            yield Problem(site.host, f"{site.where}.name", what, mend)


def names_of_groups(declared: object) -> set[str]:
    """Return the names of the groups that the inventory declares; what is wrong with them, others say."""
    entries = declared if isinstance(declared, list) else []
    return {
        str(one["name"])
        for one in entries
        if isinstance(one, Mapping) and one.get("name") and one.get("state") != "absent"
    }


def parts(sites: list[Site], inventory: Inventory, ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return what each host with sites is told, by its name."""
    places = _Places(inventory, ledger)
    return compute.content([site for site in sites if site.host in places.own], places.own, places.anycast)


def with_names(sites: list[Site], inventory: Inventory, ledger: Ledger) -> Inventory:
    """Return the inventory with the sites' names in its zones."""
    places = _Places(inventory, ledger)
    there = [site for site in sites if site.host in places.own]
    addresses = compute.addresses(there, places.own, places.anycast)
    return replace(inventory, zones=with_sites(inventory.zones, addresses, inventory.tlds))


class _Places:
    """The addresses of the hosts that have one, and of the services."""

    def __init__(self, inventory: Inventory, ledger: Ledger) -> None:
        self.prefix = parse_prefix(ledger.prefix, allow_fc00=inventory.allow_fc00, variable="ledger.json: prefix")
        self.index = {entry.name: entry.index for entry in inventory.anycast}
        self.own = {
            name: loopback(self.prefix, record.id)
            for name, record in ledger.live.items()
            if name in inventory.hosts and not record.quarantined
        }

    def anycast(self, name: str) -> str:
        return anycast_address(self.prefix, self.index[name])
