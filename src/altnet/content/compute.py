"""Each host's part of the content, from all hosts' sites: the same, whichever hosts a run is limited to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ..errors import InventoryError, Problem
from ..inventory.model import Anycast
from . import parse
from .check import check
from .model import OF_FILES, Site


def sites(
    declared: Mapping[str, object], *, tlds: Sequence[str], groups: Collection[str], anycast: Iterable[Anycast]
) -> list[Site]:
    """Return all sites of the network; ``declared`` is ``content_sites`` by host.

    Raises InventoryError with every problem.
    """
    problems: list[Problem] = []
    found = [
        site
        for host in sorted(declared)
        for site in parse.read(host, declared[host], problems, tlds=tlds, groups=groups)
    ]
    check(found, anycast, problems)
    if problems:
        raise InventoryError(sorted(set(problems)))
    return found


def content(
    all_sites: Sequence[Site], own: Mapping[str, str], anycast: Callable[[str], str]
) -> dict[str, dict[str, Any]]:
    """Return what each host with sites is told; ``own`` is each host's address, ``anycast`` gives a service's.

    Only a host with the start page is told of all sites.
    """
    by_host: dict[str, list[Site]] = {}
    for site in all_sites:
        by_host.setdefault(site.host, []).append(site)
    login = login_of(all_sites)
    return {
        host: {
            "login": login,
            "sites": [site.plain() for site in sorted(found, key=lambda site: site.name)],
            "addresses": [own[host], *sorted({anycast(site.anycast) for site in found if site.anycast})],
            "services": _services(found, own[host], anycast),
            "siblings": _siblings(host, found, all_sites, own),
            "listed": _listed(all_sites) if any(site.kind == "start" for site in found) else [],
        }
        for host, found in sorted(by_host.items())
    }


def login_of(all_sites: Sequence[Site]) -> str | None:
    """Return the name of the login page: the application that signs on, else the small one."""
    pages = [site.name for site in all_sites if site.signs_on]
    return next(iter([*pages, *(site.name for site in all_sites if site.kind == "login")]), None)


def _services(found: Iterable[Site], own: str, anycast: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the addresses that are announced while the sites behind them are well."""
    by_service: dict[str, list[Site]] = {}
    for site in found:
        if site.anycast:
            by_service.setdefault(site.anycast, []).append(site)
    return [
        {
            "name": name,
            "address": anycast(name),
            "server": own,
            "sites": sorted(site.name for site in some),
            # Those of which everybody should see a first page.
            "open": sorted(site.name for site in some if site.kind in OF_FILES and not site.groups),
        }
        for name, some in sorted(by_service.items())
    ]


def _siblings(host: str, found: Iterable[Site], all_sites: Iterable[Site], own: Mapping[str, str]) -> list[str]:
    shared = {site.anycast for site in found if site.anycast}
    others = {site.host for site in all_sites if site.anycast in shared and site.host != host}
    return sorted(own[other] for other in others)


def _listed(all_sites: Iterable[Site]) -> list[dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = {}
    for site in all_sites:
        if site.listed:
            entry = shown.setdefault(site.name, {**site.shown(), "groups": list(site.groups), "hosts": []})
            entry["hosts"].append(site.host)
    return [shown[name] for name in sorted(shown)]


def addresses(all_sites: Iterable[Site], own: Mapping[str, str], anycast: Callable[[str], str]) -> dict[str, str]:
    """Return the address that each site's name leads to, for the zones."""
    return {site.name: anycast(site.anycast) if site.anycast else own[site.host] for site in all_sites}
