"""The part of the report that is about people and content: every provider's changes, every site's answer."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import strptime
from typing import Any

from .directory.peers import behind
from .errors import Problem

ROOTS = "/etc/altnet/pki/roots.pem"
#: Seconds that a change may be on its way from one provider to another.
FOLLOW_MAX = 5.0
#: Where a host, or what it serves, is to be mended.
LOST, SITE = "docs/runbooks/lose-a-directory-provider.md", "docs/runbooks/a-site-does-not-answer.md"
CERTIFICATE = "docs/runbooks/a-certificate-is-not-issued.md"


def people_of(piece: Mapping[str, Any], roots: str = ROOTS) -> dict[str, Any] | None:
    """Return what a provider is to prove of itself, from its slice; None for a host that is none."""
    directory = piece.get("directory") or {}
    own = next((one for one in directory.get("providers", ()) if one["name"] == piece["name"]), None)
    if not own:
        return None
    host = own["uri"].partition("://")[2]
    return {"base": directory["base"], "name": host, "address": own["address"], "roots": roots}


def sites_of(piece: Mapping[str, Any], roots: str = ROOTS) -> dict[str, Any] | None:
    """Return what a content host is to prove of its sites, from its slice; None for a host without any."""
    content = piece.get("content")
    if not content or not content["sites"]:
        return None
    known = ("name", "kind", "directory", "to", "where")
    sites = [{key: site[key] for key in known} for site in content["sites"]]
    return {"server": content["addresses"][0], "roots": roots, "sites": sites}


@dataclass
class ServicesPart:
    """Rows for a table, one closing line, and the faults by kind."""

    rows: list[list[str]] = field(default_factory=list)
    line: str = ""
    people: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)


def services_part(
    slices: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    people: Mapping[str, Mapping[str, Any] | None],
    sites: Mapping[str, Mapping[str, Mapping[str, Any]] | None],
) -> ServicesPart:
    """Return the part for the hosts ``names``, given what each saw of both; empty where nobody has any."""
    part = ServicesPart()
    standing = {name: one for name in names if (one := people.get(name))}
    served = {name: one for name in names if (one := sites.get(name))}
    if not standing and not served:
        return part
    part.rows = [["SERVES", "PEOPLE", "TLS", "SITES"]]
    for name in names:
        if name not in standing and name not in served:
            continue
        row = [name, "-", "-", "-"]
        if name in standing:
            lacks = _lacks(name, standing)
            part.people += _people_faults(name, standing[name], lacks)
            known = "lacks" if lacks else "?" if standing[name]["problem"] else "has all"
            row[1:3] = [known, "no" if standing[name]["tls"] else "yes"]
        if name in served:
            declared = {site["name"]: site for site in slices[name]["content"]["sites"]}
            wrong = [str(found) for site in served[name] if (found := _fault(name, declared[site], served[name][site]))]
            part.sites += wrong
            row[3] = f"{len(served[name]) - len(wrong)}/{len(served[name])}"
        part.rows.append(row)
    part.line = _closing(standing, served, part)
    return part


def _lacks(name: str, standing: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return who has changes that ``name`` should have had when it was asked."""
    mine = standing[name]
    if mine["problem"]:
        return []
    return [
        other
        for other, one in standing.items()
        if behind(mine["changes"], {number: csn for number, csn in one["changes"].items() if _due(csn, mine["at"])})
    ]


def _due(csn: str, at: float) -> bool:
    """Say whether a change (``20261127031000.123456Z#000000#001#000000``) is old enough for all to have it."""
    return timegm(strptime(csn[:14], "%Y%m%d%H%M%S")) + FOLLOW_MAX <= at


def _people_faults(name: str, seen: Mapping[str, Any], lacks: Sequence[str]) -> list[str]:
    mend = f"see `systemctl status slapd` there: {LOST}"
    found = [Problem(name, "directory", f"lacks changes that {other} has", mend) for other in lacks]
    if seen["problem"]:
        found.append(Problem(name, "directory", f"the provider {seen['problem']}", mend))
    if seen["tls"]:
        found.append(Problem(name, "directory", f"by TLS the provider {seen['tls']}", mend))
    return [str(one) for one in found]


def _fault(host: str, site: Mapping[str, Any], seen: Mapping[str, Any]) -> Problem | str | None:
    """Return what is wrong with a site; it is up all the same where only what is behind it is not."""
    name, where, wrong, cause = site["name"], site["where"], seen["wrong"], seen["cause"]
    if site["to"] and seen["status"] and wrong:
        what = f"{name} {wrong}{f': {cause}' if cause else ', and so does what is behind it'}"
        return Problem(host, f"{where}.to", what, f"start the service behind the site, or correct the variable: {SITE}")
    if cause:  # says its variable and its remedy itself
        return f"host {host}: {cause} ({name}{f' {wrong}' if wrong else ''})"
    if not wrong:
        return None
    return Problem(host, where, f"{name} {wrong}", f"see {CERTIFICATE if 'certificate' in wrong else SITE}")


def _closing(
    standing: Mapping[str, Mapping[str, Any]], served: Mapping[str, Mapping[str, Any]], part: ServicesPart
) -> str:
    lines = []
    if standing and not part.people:
        lines.append(f"{len(standing)} providers have the same people and groups, and answer by TLS.")
    if served:
        asked = sum(map(len, served.values()))
        well = asked - len(part.sites)
        lines.append(
            f"{well} of {asked} sites answer over HTTPS on their hosts" + (", all of them." if well == asked else ".")
        )
    return " ".join(lines)
