"""What the registry has on the primary, beside what the inventory declares: known by its marks, and left alone.

A zone of the registry's has the account :data:`ACCOUNT`. What it has in a zone of the plan's (a top-level domain, the
reverse zone) is at and below its zones' names, and at the names in that zone's metadata :data:`METADATA`: domains that
their holders' servers serve, and the audit log's head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from ..errors import Problem
from ..naming.names import is_within
from .client import Api, RefusedError, zone_path
from .errors import problem
from .marks import REGISTRY, REGISTRY_UNFINISHED
from .model import Zone

ACCOUNT: Final = REGISTRY
ACCOUNTS: Final = frozenset((REGISTRY, REGISTRY_UNFINISHED))
METADATA: Final = "X-ALTNET-REGISTERED"
#: The label under which the secret of members' zones' keys is derived from the master secret.
SECRET_LABEL: Final = "registry/zones"  # noqa: S105 - a label
_SHOWN: Final = 10


def zones(listed: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the registry's zones among those in PowerDNS's list."""
    return frozenset(name for name, zone in listed.items() if zone.get("account") in ACCOUNTS)


def marked(api: Api, zone: str) -> frozenset[str]:
    """Return the names at and below which the registry has records in a zone of the plan's; none without that zone."""
    try:
        answer = api.call("GET", f"{zone_path(zone)}/metadata/{METADATA}")
    except RefusedError as error:
        if error.status != 404:
            raise
        return frozenset()
    return frozenset(map(str, (answer or {}).get("metadata") or ()))


def mark(api: Api, zone: str, names: Iterable[str]) -> None:
    """Write down at and below which names of a zone of the plan's the registry has records."""
    wanted = sorted(set(names))
    path = f"{zone_path(zone)}/metadata/{METADATA}"
    if wanted:
        api.call("PUT", path, {"metadata": wanted})
    else:
        api.call("DELETE", path)


def names(api: Api, desired: Iterable[str], listed: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return all names that are the registry's: its zones, and what is marked in those of the ``desired`` zones."""
    own = zones(listed)
    # A zone has marks only below a top-level domain or in the reverse tree: few are asked for theirs.
    parents = [name for name in desired if name in listed and (name.count(".") == 1 or name.endswith(".ip6.arpa."))]
    return own.union(*(marked(api, name) for name in parents))


def owner(name: str, registered: Collection[str]) -> str | None:
    """Return the registry's name at or above a name, None where there is none."""
    labels = name.split(".")
    return next((above for at in range(len(labels) - 1) if (above := ".".join(labels[at:])) in registered), None)


def conflicts(desired: Mapping[str, Zone], registered: Collection[str]) -> list[Problem]:
    """Return what the inventory declares at or below names that the registry has registered."""
    found = []
    for name, zone in sorted(desired.items()):
        if zone.account:
            continue
        if (taken := owner(name, registered)) is not None:
            found.append(_conflict(f"the zone {name}", taken))
            continue
        for spot in sorted(zone.rrsets):
            taken = owner(spot[0], registered)
            if taken is not None and taken != name and is_within(taken, name) and not zone.carried(spot):
                found.append(_conflict(f"{spot[0]} {spot[1]}", taken))
    more = [problem("altnet_zones", f"and {len(found) - _SHOWN} more", "see above")] if len(found) > _SHOWN else []
    return found[:_SHOWN] + more


def _conflict(what: str, taken: str) -> Problem:
    mend = (
        f"leave it out of the inventory (altnet_zones, or the site or app that makes it), or have a registrar release "
        f"{taken} in the portal first"
    )
    return problem("altnet_zones", f"declares {what}, and {taken} is registered with the registry", mend)
