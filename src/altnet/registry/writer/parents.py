"""Delegations in a zone of the plan's: read, compared and changed, as many as there are in one request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ...naming.names import is_within
from ...powerdns import registered
from ...powerdns.client import Api, RefusedError, zone_path
from ...powerdns.model import RRset, Spot, present
from .primary import Primary, plain, too_early
from .wanted import Wanted

#: With more names than that the whole zone is read at once.
_ONE_BY_ONE = 20


class NoParentError(Exception):
    """The zone in which a name would be delegated is not on the primary."""


@dataclass
class Parent:
    """A zone of the plan's as PowerDNS holds it, as far as it was asked for."""

    name: str
    serial: int
    sets: dict[Spot, RRset] = field(default_factory=dict)

    def of(self, name: str) -> list[RRset]:
        """Return what is at and below a name."""
        return [one for spot, one in sorted(self.sets.items()) if is_within(spot[0], name)]


@dataclass(frozen=True)
class Change:
    """What is to be written and removed in a parent."""

    put: tuple[RRset, ...]
    drop: tuple[Spot, ...]

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to do."""
        return not (self.put or self.drop)


def read(api: Api, zone: str, names: Collection[Wanted] | None = None) -> Parent:
    """Return a parent, with all its RRsets or those of some names; NoParentError where it is not there."""
    try:
        if names is None or len(names) > _ONE_BY_ONE:
            found = present(api.call("GET", zone_path(zone)))
            return Parent(zone, found.serial, dict(found.rrsets))
        parent = Parent(zone, int(api.call("GET", f"{zone_path(zone)}?rrsets=false")["serial"]))
        for wanted in names:
            parent.sets |= _at(api, zone, wanted.name)
            hosts = {one.name for one in wanted.sets}
            hosts.update(*(one.records for one in parent.of(wanted.name) if one.type == "NS"))
            for host in hosts:
                if host != wanted.name and is_within(host, wanted.name):
                    parent.sets |= _at(api, zone, host)
    except RefusedError as error:
        if error.status != 404:
            raise
        raise NoParentError(zone) from None
    return parent


def change(parent: Parent, wanted: Iterable[Wanted]) -> Change:
    """Return what makes the parent say of each name what it has to."""
    put: list[RRset] = []
    drop: list[Spot] = []
    below: dict[str, list[RRset]] = {}
    names = {one.name for one in wanted}
    for spot, rrset in parent.sets.items():
        owner = registered.owner(spot[0], names)
        if owner is not None:
            below.setdefault(owner, []).append(rrset)
    for one in wanted:
        sets = {rrset.spot: rrset for rrset in one.sets}
        put += [rrset for spot, rrset in sets.items() if not rrset.same(parent.sets.get(spot))]
        drop += [rrset.spot for rrset in below.get(one.name, ()) if rrset.spot not in sets]
    return Change(tuple(sorted(put, key=lambda rrset: rrset.spot)), tuple(sorted(drop)))


def early(primary: Primary, parent: Parent) -> bool:
    """Say whether a change has to wait for the next second."""
    return too_early(parent.serial, primary.clock)


def write(api: Api, zone: str, todo: Change) -> None:
    """Send a change, all of it in one request."""
    sets = [{**plain(one), "changetype": "REPLACE"} for one in todo.put]
    sets += [{"name": name, "type": kind, "changetype": "DELETE"} for name, kind in todo.drop]
    api.call("PATCH", zone_path(zone), {"rrsets": sets})


def marks(api: Api, zone: str, *, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
    """See that names which are no zones of ours are marked as the registry's, and others are not any more."""
    before = registered.marked(api, zone)
    after = (before - set(remove)) | set(add)
    if after != before:
        registered.mark(api, zone, after)


def _at(api: Api, zone: str, name: str) -> Mapping[Spot, RRset]:
    answer = api.call("GET", f"{zone_path(zone)}?rrset_name={name}")
    # A PowerDNS that does not know the question answers with all there is.
    return {spot: one for spot, one in present(answer).rrsets.items() if spot[0] == name}
