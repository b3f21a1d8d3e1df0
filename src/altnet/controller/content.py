"""The sites of this run: what each host is told of them, and where their names lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from altnet.content import compute
from altnet.content.model import Site
from altnet.content.zones import with_sites
from altnet.errors import AltnetError, InventoryError, Problem
from altnet.gather import CONTENT
from altnet.inventory import Inventory
from altnet.ledger import Ledger
from altnet.pki import pem
from altnet.pki.scope import permits, scope_of

from .apps import placed_of
from .groups import known_to
from .places import Places
from .variables import names_of, set_by_inventory

SITES = "content_sites"


def sites_of(task_vars: Mapping[str, Any], inventory: Inventory) -> list[Site]:
    """Return all sites of the network; [] where no host serves any, so that no variable is asked for.

    Raises InventoryError with everything that is wrong with them.
    """
    hosts = [str(name) for name in task_vars["groups"].get(CONTENT, ()) if name in inventory.hosts]
    if not hosts:
        return []
    groups = known_to(task_vars, inventory, hosts)
    declared = {name: set_by_inventory(task_vars, name, {SITES}).get(SITES, []) for name in hosts}
    for app in placed_of(task_vars, inventory):
        there = declared.get(app.host)
        if isinstance(there, list):
            declared[app.host] = [*there, *app.sites()]
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


def parts(sites: list[Site], inventory: Inventory, ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return what each host with sites is told, by its name."""
    places = Places(inventory, ledger)
    return compute.content([site for site in sites if site.host in places.own], places.own, places.anycast)


def with_names(sites: list[Site], inventory: Inventory, ledger: Ledger) -> Inventory:
    """Return the inventory with the sites' names in its zones."""
    places = Places(inventory, ledger)
    there = [site for site in sites if site.host in places.own]
    addresses = compute.addresses(there, places.own, places.anycast)
    return replace(inventory, zones=with_sites(inventory.zones, addresses, inventory.tlds))
