"""The registry of this run: whether it can be where it is, and what its host is told of the network's own names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from altnet.apps.compute import Placed
from altnet.content.model import Site
from altnet.errors import Problem
from altnet.inventory import Inventory
from altnet.ledger import Ledger
from altnet.naming.names import is_within
from altnet.plan.dns import primary_of

from .variables import set_by_inventory

ROLE: Final = "registry"
DATABASE: Final = "registry_database"
WHERE: Final = "group registry"
RUNBOOK: Final = "docs/runbooks/restore-the-registry.md"


def problems(
    placed: Iterable[Placed], task_vars: Mapping[str, Any], inventory: Inventory, ledger: Ledger
) -> Iterator[Problem]:
    """Yield what is wrong with where the registry is, and with its database.

    It is on the host of the zones' primary, so that both come and go together. One from which the primary was moved by
    ``promote`` may keep it: nothing else would run before the registry is moved too.
    """
    homes = [*inventory.authoritative[:1], primary_of(inventory, ledger)]
    for host in (one.host for one in placed if one.app.role == ROLE):
        if host not in homes:
            home = homes[-1] or homes[0]
            what = f"the registry writes to the zones' primary, beside which it has to be, and that is {home}"
            mend = f"put {home} into the group {ROLE} in place of {host}; what it keeps comes after it by {RUNBOOK}"
            yield Problem(host, WHERE, what, mend)
        url = str(set_by_inventory(task_vars, host, {DATABASE}).get(DATABASE) or "")
        if url:
            yield from _database(host, url)


def _database(host: str, url: str) -> Iterator[Problem]:
    scheme, _, rest = url.partition("://")
    form = "write postgresql://USER@HOST/DATABASE, or leave it empty for SQLite on the host"
    if scheme not in {"postgresql", "postgresql+psycopg"} or not rest:
        yield Problem(host, DATABASE, f"begins with {scheme!r}, and rows are in PostgreSQL or in a file of ours", form)
    elif ":" in rest.partition("/")[0].rpartition("@")[0] or "password=" in rest:  # and is not shown
        what = "has a password in it, which everybody on the host could read"
        yield Problem(host, DATABASE, what, "put it into registry_database_password, in the vault")


def parts(placed: Iterable[Placed], sites: Iterable[Site], inventory: Inventory) -> dict[str, dict[str, Any]]:
    """Return what the registry's host is told of the network's own names."""
    placed = list(placed)
    hosts = [one.host for one in placed if one.app.role == ROLE]
    names = taken(placed, sites, inventory) if hosts else []
    return {host: {"taken": names, "nameserver": f"ns.{inventory.tlds[0]}."} for host in hosts}


def taken(placed: Iterable[Placed], sites: Iterable[Site], inventory: Inventory) -> list[str]:
    """Return the names directly below a top-level domain that the inventory speaks of, whoever serves them now."""
    found = {f"{name}." for one in placed for name in one.names} | {f"{site.name}." for site in sites}
    for zone in inventory.zones:
        found |= {zone.name, *(entry.name for entry in zone.rrsets), *(child for child in zone.children)}
    tlds = tuple(f"{tld}." for tld in inventory.tlds)
    below = {tld: len(tld.split(".")) for tld in tlds}
    return sorted(
        {
            ".".join(name.lower().split(".")[-below[tld] - 1 :])
            for name in found
            for tld in tlds
            if is_within(name.lower(), tld) and name.lower() != tld
        }
    )
