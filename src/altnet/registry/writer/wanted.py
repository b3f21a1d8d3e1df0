"""What a name has to be on the primary: its zone with its key, and what its parent says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...naming import keys
from ...naming.names import is_within
from ...powerdns.marks import REGISTRY
from ...powerdns.model import SOA_TIMES, SOA_TTL, Key, RRset, Spot, Zone, make
from ..domain.model import RRset as Registered
from ..domain.policy import Policy
from ..storage.projection import Reverse, Served

#: Of the NS and DS in the parent, and of a zone's own NS: the plan's.
DELEGATION_TTL = 3600


@dataclass(frozen=True)
class Wanted:
    """What a name has to be: ``zone`` on the primary (None: none of ours), ``sets`` in its parent (none: nothing)."""

    name: str
    parent: str | None
    zone: Zone | None = None
    sets: tuple[RRset, ...] = ()
    tsig: tuple[str, str] | None = None

    @property
    def gone(self) -> bool:
        """Say whether nothing of it is to be there."""
        return self.zone is None and not self.sets


class Maker:
    """Makes it from what the registry's rows say; ``secret`` is what members' zones' keys are derived from.

    ``parents`` are the zones of the plan's in which members' names may be: top-level domains, and the reverse tree's.
    """

    def __init__(self, policy: Policy, secret: str | bytes, reverse: str = "") -> None:
        self._server, self._secret = policy.nameserver, secret
        self.tlds = tuple(f"{tld}." for tld in policy.tlds)
        self.parents = (*self.tlds, *((reverse,) if reverse else ()))
        self._taken = frozenset(policy.taken)
        self._ds: dict[str, str] = {}

    def taken(self, name: str) -> bool:
        """Say whether the inventory declares something at or below a name."""
        return any(is_within(one, name) for one in self._taken)

    def ds(self, name: str) -> str:
        """Return the DS of a zone's key; it is always the same."""
        if name not in self._ds:
            self._ds[name] = keys.ds(self._secret, name, 0)
        return self._ds[name]

    def parent(self, name: str) -> str | None:
        """Return the zone in which a name is delegated, None where it is in none of ours."""
        return max((one for one in self.parents if is_within(name, one) and name != one), key=len, default=None)

    def domain(self, served: Served) -> Wanted:
        """Return what a domain has to be."""
        name, parent = served.name, self.parent(served.name)
        if served.zone:
            ours = (
                RRset(name, "DS", DELEGATION_TTL, (self.ds(name),)),
                RRset(name, "NS", DELEGATION_TTL, (self._server,)),
            )
            return Wanted(name, parent, self._zone(name, served.rrsets), ours, served.tsig)
        # Whatever the rows say, nobody puts anything at a name that is not theirs.
        sets = tuple(make(*_plain(one)) for one in served.delegation if is_within(one.name, name))
        if not sets and self.taken(name):
            # Nothing is registered there, and what its parent says of it is the inventory's.
            return Wanted(name, None)
        return Wanted(name, parent, None, sets)

    def reverse(self, name: str, reverse: Reverse | None) -> Wanted:
        """Return what a member's reverse zone has to be; without a parent of ours nobody can delegate it."""
        parent = self.parent(name)
        if reverse is None or not reverse.nameservers or parent is None:
            return Wanted(name, parent)
        found = [make(name, "NS", DELEGATION_TTL, reverse.nameservers)]
        if reverse.ds:
            found.append(make(name, "DS", DELEGATION_TTL, reverse.ds))
        return Wanted(name, parent, None, tuple(found))

    def ours(self, sets: Iterable[RRset]) -> bool:
        """Say whether a delegation is one that the registry made: nobody else knows the key in its DS."""
        return any(one.type == "DS" and self.ds(one.name) in one.records for one in sets)

    def _zone(self, name: str, registered: Iterable[Registered]) -> Zone:
        rrsets: dict[Spot, RRset] = {one.spot: one for one in (make(*_plain(rrset)) for rrset in registered)}
        rrsets[name, "NS"] = RRset(name, "NS", DELEGATION_TTL, (self._server,))
        soa = f"{self._server} hostmaster.{self._server.partition('.')[2]} 0 {SOA_TIMES}"
        rrsets[name, "SOA"] = RRset(name, "SOA", SOA_TTL, (soa,))
        return Zone(name, None, rrsets, (Key(keys.private_text(self._secret, name, 0)),), account=REGISTRY)


def _plain(one: Registered) -> tuple[str, str, int, tuple[str, ...]]:
    return one.name, one.type, one.ttl, one.records
