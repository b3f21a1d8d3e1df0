"""A domain's records, one set or all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..domain import rrsets as rules
from ..domain import scopes
from ..domain.errors import Fault, invalid, refuse
from ..domain.model import Actor, Hosting, RRset, Zone
from ..storage import rows
from . import holding, rights
from .change import Change, change
from .delegating import delegate, host

if TYPE_CHECKING:
    from sqlalchemy import Row

    from .desk import Desk

__all__ = ["delegate", "delete", "host", "listed", "put", "replace"]


def listed(desk: Desk, actor: Actor, domain: str) -> tuple[RRset, ...]:
    """Return a domain's record sets; of a delegated one NS, DS and glue."""
    with desk.store.read() as connection:
        row = holding.seen(desk, connection, actor, domain)
        return holding.records(connection, row.name)


def put(  # noqa: PLR0917  # one set's parts, in their usual order
    desk: Desk,
    actor: Actor,
    domain: str,
    owner: str,
    type: str,  # noqa: A002  # the DNS's word
    ttl: int,
    records: Sequence[str],
    *,
    if_match: int | None = None,
) -> RRset:
    """Make one record set this, whether it is there or not; return it in its canonical form.

    Raises RegistryError("invalid") with the fields ``name``, ``type``, ``ttl``, ``records[1]``.
    """
    raw = {"name": owner, "type": type, "ttl": ttl, "records": records}
    with change(desk, actor) as done:
        row, present = _open(done, domain, if_match)
        rrset, faults = rules.read(raw, row.name, desk.policy)
        if rrset is None:
            raise invalid(faults)
        key = (rrset.name, rrset.type)
        _may(actor, {key})
        before = present.get(key)
        if before == rrset:
            done.nothing()
            return rrset
        wanted = present | {key: rrset}
        _together(done, row, wanted, {key: ""})
        holding.write_records(done, row.name, present.values(), wanted.values())
        _done(done, row, "rrset.put", [rrset], [before] if before else [])
        return rrset


def delete(
    desk: Desk,
    actor: Actor,
    domain: str,
    owner: str,
    type: str,  # noqa: A002  # the DNS's word
    *,
    if_match: int | None = None,
) -> None:
    """Remove one record set; raises RegistryError("missing") where there is none."""
    with change(desk, actor) as done:
        row, present = _open(done, domain, if_match)
        name, fault = rules.owner(owner, row.name, "name")
        key = (name, type.strip().upper())
        if fault is None:
            _may(actor, {key})
        if fault or key not in present:
            raise refuse("missing", "There is no such record set", "it may be gone already")
        wanted = {other: rrset for other, rrset in present.items() if other != key}
        _together(done, row, wanted, {})
        holding.write_records(done, row.name, present.values(), wanted.values())
        _done(done, row, "rrset.delete", [], [present[key]])


def replace(
    desk: Desk,
    actor: Actor,
    domain: str,
    rrsets: Sequence[Mapping[str, Any]],
    *,
    if_match: int | None = None,
) -> Zone:
    """Make all of a domain's record sets these; a token has to include each one that changes.

    Raises RegistryError("invalid") with fields such as ``rrsets[2].records[0]``.
    """
    with change(desk, actor) as done:
        row, present = _open(done, domain, if_match)
        found, faults = rules.read_all(rrsets, row.name, desk.policy)
        if faults:
            raise invalid(faults)
        wanted = rules.keys(found)
        added = [rrset for key, rrset in wanted.items() if present.get(key) != rrset]
        removed = [rrset for key, rrset in present.items() if wanted.get(key) != rrset]
        if not added and not removed:
            done.nothing()
            return Zone(rows.domain(row), found)
        _may(actor, {(rrset.name, rrset.type) for rrset in (*added, *removed)})
        holding.write_records(done, row.name, present.values(), found)
        _done(done, row, "rrset.replace", added, removed)
        return Zone(rows.domain(holding.found(done.connection, row.name)), found)


def _open(done: Change, domain: str, if_match: int | None) -> tuple[Row[Any], dict[rules.Keys, RRset]]:
    row = holding.begin(done, domain, "change", if_match, whole=False)
    if row.hosting != Hosting.ZONE:
        what = f"{row.unicode} is served by its holder's own servers"
        raise refuse("state", what, "change the records there, or let the network serve it again", code="delegated")
    return row, rules.keys(holding.records(done.connection, row.name))


def _may(actor: Actor, keys: set[rules.Keys]) -> None:
    rights.writes(actor)
    for name, kind in sorted(keys):
        if not scopes.covers(actor.scope, name, kind):
            raise holding.out_of_scope(name, kind)


def _together(done: Change, row: Row[Any], wanted: Mapping[rules.Keys, RRset], paths: Mapping[rules.Keys, str]) -> None:
    faults: list[Fault] = list(rules.together(tuple(wanted.values()), row.name, done.desk.policy, paths))
    if faults:
        raise invalid(faults)


def _done(done: Change, row: Row[Any], action: str, added: list[RRset], removed: list[RRset]) -> None:
    holding.count_up(done, row)
    said = {"added": holding.plain(tuple(sorted(added))), "removed": holding.plain(tuple(sorted(removed)))}
    done.log(action, "domain", row.name, {key: sets for key, sets in said.items() if sets})
    done.tell(row.name)
