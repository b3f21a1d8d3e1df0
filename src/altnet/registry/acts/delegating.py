"""Handing a domain to its holder's own servers, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..domain import delegation
from ..domain.delegation import from_sets as from_sets  # noqa: PLC0414 - the acts' callers have it from here
from ..domain.errors import Fault, invalid
from ..domain.labels import to_unicode
from ..domain.model import Actor, Hosting, RRset, Zone
from ..storage import rows
from ..storage.tables import domains
from . import holding
from .change import change

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .desk import Desk

#: How many delegations are followed until one that leads in a circle must have been found.
_DEEP = 16


def delegate(  # noqa: PLR0917  # the contract's order
    desk: Desk,
    actor: Actor,
    domain: str,
    nameservers: Sequence[str],
    ds: Sequence[str],
    glue: Mapping[str, Sequence[str]],
    *,
    if_match: int | None = None,
) -> Zone:
    """Delegate a domain to servers of the holder's own, after they were asked for it.

    Records that the network served for it are gone then (they stay in the history), and so is a key to fetch them.
    Raises RegistryError("invalid") with the fields ``nameservers[0]``, ``ds[0]``, ``glue[HOST][0]``, or what
    desk.delegations found.
    """
    with desk.store.read() as connection:
        row = holding.seen(desk, connection, actor, domain)
    found, faults = delegation.read(row.name, nameservers, ds, glue, desk.policy)
    if faults:
        raise invalid(faults)
    if row.holder == actor.uid:
        ask(desk, row.name, found)
    with change(desk, actor) as done:
        row = holding.begin(done, domain, "change", if_match)
        present = holding.records(done.connection, row.name)
        if row.hosting == Hosting.DELEGATED and present == found:
            done.nothing()
            return Zone(rows.domain(row), present)
        holding.write_records(done, row.name, present, found)
        changed = holding.alter(done, row, hosting=Hosting.DELEGATED, tsig=None, tsig_secret=None)
        said: dict[str, object] = {"rrsets": holding.plain(found), "before": holding.plain(present)}
        done.log("domain.delegate", "domain", row.name, said)
        done.tell(row.name)
        return Zone(changed, found)


def host(desk: Desk, actor: Actor, domain: str, *, if_match: int | None = None) -> Zone:
    """Let the network serve a domain again, as a zone without records."""
    with change(desk, actor) as done:
        row = holding.begin(done, domain, "change", if_match)
        present = holding.records(done.connection, row.name)
        if row.hosting == Hosting.ZONE:
            done.nothing()
            return Zone(rows.domain(row), present)
        holding.write_records(done, row.name, present, ())
        changed = holding.alter(done, row, hosting=Hosting.ZONE)
        done.log("domain.host", "domain", row.name, {"before": holding.plain(present)})
        done.tell(row.name)
        return Zone(changed, ())


def ask(desk: Desk, zone: str, found: tuple[RRset, ...]) -> None:
    """Raise RegistryError("invalid") where delegations lead in a circle, or the servers do not answer for the zone."""
    with desk.store.read() as connection:
        circle = _circle(connection, zone, found)
    faults = [circle] if circle else list(desk.delegations.faults(zone, found))
    if faults:
        raise invalid(faults)


def _circle(connection: Connection, zone: str, found: tuple[RRset, ...]) -> Fault | None:
    """Say where every server is to be found only by way of the zone itself, through others' delegations."""
    if any(rrset.type in {"A", "AAAA"} for rrset in found):
        return None
    reached = {zone}
    asked = _hosts(found)
    for _ in range(_DEEP):
        parents = [_registered(connection, zone, host) for host in asked]
        if None in parents:
            return None
        new = {parent for parent in parents if parent} - reached
        if not new:
            ways = ", ".join(to_unicode(name) for name in sorted(reached))
            what = f"The servers are to be found only by way of one another's names, in a circle: {ways}"
            return Fault("nameservers", "loop", what, "name one server that is reached another way")
        reached |= new
        sets = [rrset for name in sorted(new) for rrset in holding.records(connection, name)]
        if any(rrset.type in {"A", "AAAA"} for rrset in sets):
            return None
        asked = _hosts(sets)
    return None


def _hosts(found: Sequence[RRset]) -> list[str]:
    return [host for rrset in found if rrset.type == "NS" for host in rrset.records]


def _registered(connection: Connection, zone: str, host: str) -> str | None:
    """Return the delegated domain that a server's name is in, None where it is found another way."""
    name = ".".join(host.removesuffix(".").split(".")[-2:]) + "."
    if name == zone:
        return zone
    row = connection.execute(select(domains.c.hosting).where(domains.c.name == name)).one_or_none()
    return name if row is not None and row.hosting == Hosting.DELEGATED else None
