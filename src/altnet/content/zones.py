"""Sites' names as records: in the declared zone that is nearest above each, else in its top-level domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..naming.model import DEFAULT_TTL, Declared, RRSet
from ..naming.names import is_within

#: What leads to a place already; the operator who has written it knows why.
LEADS = frozenset(("A", "AAAA", "CNAME"))


def with_sites(declared: Sequence[Declared], addresses: Mapping[str, str], tlds: Iterable[str]) -> tuple[Declared, ...]:
    """Return the zones with an address for every site that the operator has not given one."""
    zones = {zone.name: zone for zone in declared}
    names = [*zones, *(f"{tld}." for tld in tlds)]
    taken = {entry.name for zone in declared for entry in zone.rrsets if entry.type in LEADS}
    for site, address in sorted(addresses.items()):
        name = f"{site}."
        if name in taken:
            continue
        zone = max((zone for zone in names if is_within(name, zone)), key=len)
        before = zones.get(zone, Declared(zone, ()))
        added = RRSet(name, "AAAA", DEFAULT_TTL, (address,))
        rrsets = tuple(sorted((*before.rrsets, added), key=lambda entry: (entry.name, entry.type)))
        zones[zone] = Declared(zone, rrsets, before.children)
    return tuple(zones[name] for name in sorted(zones))
