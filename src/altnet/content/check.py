"""What no host's list shows alone: one name on two hosts, a login page or an address that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import Problem
from ..inventory.model import NAMES_ANYCAST, Anycast
from ..inventory.reader import did_you_mean
from .model import Site


def check(sites: Iterable[Site], anycast: Iterable[Anycast], problems: list[Problem]) -> None:
    """Add the problems between sites to ``problems``."""
    sites = list(sites)
    services = {entry.name: entry for entry in anycast}
    by_name: dict[str, list[Site]] = {}
    for site in sites:
        by_name.setdefault(site.name, []).append(site)
        if site.anycast:
            _anycast(site, services, problems)
    for name, found in by_name.items():
        _one_name(name, found, problems)
    _login(sites, problems)


def _anycast(site: Site, services: Mapping[str, Anycast], problems: list[Problem]) -> None:
    where = f"{site.where}.anycast"
    entry = services.get(site.anycast)
    if site.anycast in NAMES_ANYCAST:
        what = f"{site.anycast} is the address of the name servers"
        problems.append(Problem(site.host, where, what, "name another entry of altnet_anycast"))
    elif entry is None:
        what = f"{site.anycast!r} is no entry of altnet_anycast"
        mend = did_you_mean(site.anycast, services) if services else "add it there, with its origins"
        problems.append(Problem(site.host, where, what, mend))
    elif site.host not in entry.origins:
        what = f"{site.host} is not among the origins of {site.anycast}, so nobody would believe its announcement"
        problems.append(Problem(site.host, where, what, "add the host to the origins, or remove the site from it"))


def _one_name(name: str, found: list[Site], problems: list[Problem]) -> None:
    first, *others = found
    for other in others:
        if first.anycast and other.anycast == first.anycast:
            if (other.kind, other.groups) != (first.kind, first.groups):
                what = f"{name} is of another kind or for other groups than on {first.host}, and has one address"
                mend = "declare it alike on both"
                problems.append(Problem(other.host, other.where, what, mend))
            continue
        what = f"{name} is on {first.host} too, and a name leads to one place"
        mend = f"name it differently, or give both the same anycast address (anycast: {first.anycast or 'NAME'})"
        problems.append(Problem(other.host, f"{other.where}.name", what, mend))


def _login(sites: list[Site], problems: list[Problem]) -> None:
    pages = {site.name: site for site in sites if site.kind == "login"}
    for site in [*pages.values()][1:]:
        what = f"{site.name} is a second login page beside {next(iter(pages))}, and a network has one login"
        problems.append(Problem(site.host, f"{site.where}.kind", what, "remove one, or give both one name and anycast"))
    signing = sorted({(site.name, site.host, site.where) for site in sites if site.signs_on})
    for name, host, where in signing[1:]:
        what = f"{name} signs on beside {signing[0][0]}, and a network has one login"
        problems.append(Problem(host, f"{where}.signs_on", what, "remove it from one of the two"))
    if pages or signing:
        return
    for site in sites:
        if site.groups:
            what = f"{site.name} is for a group, and the network has no login page"
            mend = "add a site of kind login to a host, such as {name: login.alt, kind: login}"
            problems.append(Problem(site.host, f"{site.where}.groups", what, mend))
