"""Apps' services as records, by which clients find host and port from the app's name alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..naming.model import DEFAULT_TTL, Declared, RRSet
from ..naming.names import is_within
from .compute import Placed


def with_services(
    declared: Sequence[Declared], placed: Iterable[Placed], hosts: Mapping[str, str], tlds: Iterable[str]
) -> tuple[Declared, ...]:
    """Return the zones with an SRV record for each service that the operator has not written one for.

    ``hosts`` gives each host's absolute name.
    """
    zones = {zone.name: zone for zone in declared}
    known = [*zones, *(f"{tld}." for tld in tlds)]
    taken = {entry.name for zone in declared for entry in zone.rrsets if entry.type in {"SRV", "CNAME"}}
    for one in placed:
        zone = max((zone for zone in known if is_within(f"{one.name}.", zone)), key=len)
        for port in one.app.ports:
            owner = f"_{port.service}._{port.protocol}.{one.name}."
            if not port.service or owner in taken:
                continue
            before = zones.get(zone, Declared(zone, ()))
            added = RRSet(owner, "SRV", DEFAULT_TTL, (f"0 5 {port.port} {hosts[one.host]}",))
            rrsets = tuple(sorted((*before.rrsets, added), key=lambda entry: (entry.name, entry.type)))
            zones[zone] = Declared(zone, rrsets, before.children)
    return tuple(zones[name] for name in sorted(zones))
