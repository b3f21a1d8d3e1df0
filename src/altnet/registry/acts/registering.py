"""Registering a name: from the question whether it can be had to the registrars' queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select

from ..domain import labels, scopes
from ..domain import rrsets as record_rules
from ..domain.confusables import likeness, skeleton
from ..domain.errors import Fault, RegistryError, invalid, refuse
from ..domain.model import Actor, Domain, DomainState, Hosting, Role, RRset, Zone
from ..storage import rows
from ..storage.store import IntegrityError
from ..storage.tables import domains
from . import delegating, holding, rights
from .change import Change, change

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from .desk import Desk

_ALIKE: Final = (
    select(domains.c.name, domains.c.unicode)
    .where(
        domains.c.skeleton == bindparam("likeness"),
        domains.c.tld == bindparam("below"),
        domains.c.name != bindparam("domain"),
        domains.c.holder != bindparam("asker"),
        # What is only asked for must not keep anybody from what it looks like.
        domains.c.state != DomainState.REQUESTED,
    )
    .order_by(domains.c.name)
)


def check(desk: Desk, actor: Actor, name: str) -> tuple[str, DomainState, tuple[Fault, ...]]:
    """Return a name's registered form, its state, and why the actor cannot have it; no faults: it is theirs to take.

    A name that cannot be one comes back as typed, as available, with its fault. Who holds it is not said.
    """
    rights.need(actor, Role.MEMBER)
    rights.reads(actor)
    try:
        absolute = labels.absolute(name, desk.policy)
    except labels.Refused as refused:
        return name, DomainState.AVAILABLE, (refused.fault,)
    fault = labels.reserved(absolute, desk.policy)
    if fault:
        return absolute, DomainState.RESERVED, (fault,)
    with desk.store.read() as connection:
        row = holding.find(connection, absolute)
        if row is not None and not holding.gone(desk, row):
            return absolute, DomainState(row.state), (_taken(row),)
        double, _ = _lookalikes(connection, absolute, actor)
        over = holding.quota(connection, desk.policy, actor.uid)
    faults = ([double] if double else []) + list(over.faults if over else ())
    return absolute, DomainState.AVAILABLE, tuple(faults)


def register(
    desk: Desk, actor: Actor, name: str, *, rrsets: Sequence[Mapping[str, Any]] | None = None, hosting: str = "zone"
) -> Zone:
    """Register a name, with its first records or a delegation (NS, DS and glue among ``rrsets``) if they are given.

    The zone is in the state REQUESTED where a registrar has to approve it first: by the policy, or because the name
    looks like another one. Raises RegistryError: invalid (``name``, ``rrsets[0].records[1]``, ``hosting``), conflict
    (somebody has it), quota, forbidden.
    """
    rights.need(actor, Role.MEMBER)
    rights.writes(actor)
    if hosting not in set(Hosting):
        raise refuse("invalid", "There is no such hosting", 'use "zone" or "delegated"', at="hosting")
    absolute = holding.parsed(desk, name)
    if not scopes.covers_zone(actor.scope, absolute):
        raise holding.out_of_scope(absolute)
    reserved = labels.reserved(absolute, desk.policy)
    found, faults = _first_records(desk, absolute, rrsets or (), hosting)
    if reserved or faults:
        raise invalid([*([reserved] if reserved else []), *faults])
    if hosting == Hosting.DELEGATED:
        with desk.store.read() as connection:
            # Before servers are asked; it is judged once more in the transaction.
            _may_have(desk, connection, actor, absolute)
        delegating.ask(desk, absolute, found)
    with change(desk, actor) as done:
        holding.standing(done)
        why = _may_have(desk, done.connection, actor, absolute)
        old = holding.find(done.connection, absolute)
        if old is not None:
            purge(done, old)
        return _insert(done, absolute, found, Hosting(hosting), why)


def approve(desk: Desk, actor: Actor, name: str) -> Domain:
    """Let a name of the queue in; its time begins now."""
    with change(desk, actor) as done:
        row = holding.begin(done, name, "approve")
        expires = done.now + desk.policy.domain_lifetime
        domain = holding.alter(done, row, state=DomainState.REGISTERED, reason="", expires=expires)
        done.log("domain.approve", "domain", row.name, concerns=[row.holder])
        done.tell(row.name)
        return domain


def reject(desk: Desk, actor: Actor, name: str, reason: str) -> None:
    """Take a name out of the queue: it is available again, and the reason is in its requester's history."""
    said = holding.reasoned(reason)
    with change(desk, actor) as done:
        row = holding.begin(done, name, "reject")
        holding.remove(done, row)
        done.log("domain.reject", "domain", row.name, {"reason": said}, concerns=[row.holder])
        done.tell(row.name)


def purge(done: Change, row: Row[Any]) -> None:
    """Take the step ``purge``: the grace is over, and the name is available again."""
    records = holding.remove(done, row)
    said = {"rrsets": records}
    holding.as_system(done, lambda: done.log("domain.purge", "domain", row.name, said, concerns=[row.holder]))
    done.tell(row.name)


def _may_have(desk: Desk, connection: Connection, actor: Actor, name: str) -> str:
    """Return why a registrar has to see it first, empty where not; raise RegistryError where it cannot be had."""
    row = holding.find(connection, name)
    if row is not None and not holding.gone(desk, row):
        raise RegistryError("conflict", (_taken(row),))
    double, near = _lookalikes(connection, name, actor)
    if double:
        raise invalid([double])
    over = holding.quota(connection, desk.policy, actor.uid)
    if over:
        raise over
    if rights.governs(actor):
        return ""
    if labels.is_disguise(name):
        return "It looks like a name in Latin letters"
    return near or ("Every name is looked at first" if desk.policy.review else "")


def _lookalikes(connection: Connection, name: str, actor: Actor) -> tuple[Fault | None, str]:
    """Return the fault of a name that nobody can tell from somebody else's, and what it is merely close to."""
    label, _, tld = name.removesuffix(".").partition(".")
    shown = labels.to_unicode(label)
    near = ""
    asked = {"likeness": likeness(shown), "below": f"{tld}.", "domain": name, "asker": actor.uid}
    for row in connection.execute(_ALIKE, asked):
        other = row.unicode.partition(".")[0]
        if skeleton(other) == skeleton(shown) and not (other.isascii() and shown.isascii()):
            what = f"{shown!r} cannot be told from {row.unicode}, which is somebody else's"
            return Fault("name", "homograph", what, "choose another name"), ""
        near = near or f"It looks much like {row.unicode}"
    return None, near


def _taken(row: Row[Any]) -> Fault:
    state = DomainState(row.state)
    code = "reserved" if state is DomainState.RESERVED else "taken"
    what = "is reserved" if code == "reserved" else "is registered already"
    return Fault("name", code, f"{row.unicode} {what}", "choose another name")


def _first_records(
    desk: Desk, name: str, given: Sequence[Mapping[str, Any]], hosting: str
) -> tuple[tuple[RRset, ...], list[Fault]]:
    if hosting == Hosting.DELEGATED:
        return delegating.from_sets(desk.policy, name, given)
    return record_rules.read_all(given, name, desk.policy)


def _insert(done: Change, name: str, records: tuple[RRset, ...], hosting: Hosting, why: str) -> Zone:
    shown = labels.to_unicode(name)
    state = DomainState.REQUESTED if why else DomainState.REGISTERED
    row = {
        "name": name,
        "tld": name.partition(".")[2],
        "unicode": shown,
        "skeleton": likeness(shown.partition(".")[0]),
        "state": state,
        "hosting": hosting,
        "holder": done.actor.uid,
        "created": done.now,
        "updated": done.now,
        "expires": done.now + done.desk.policy.domain_lifetime,
        "version": 1,
        "reason": why,
    }
    try:
        done.connection.execute(insert(domains), row)
    except IntegrityError:
        raise refuse("conflict", f"{shown} is registered already", "choose another name", at="name") from None
    holding.write_records(done, name, (), records)
    said = {"hosting": str(hosting), **({"rrsets": holding.plain(records)} if records else {})}
    done.log("domain.request" if why else "domain.register", "domain", name, said | ({"reason": why} if why else {}))
    if not why:
        done.tell(name)
    return Zone(rows.domain(holding.found(done.connection, name)), records)
