"""Prefixes, AS numbers and route objects of members who route, with their reverse zones: one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from ..domain import delegation
from ..domain import prefixes as rules
from ..domain.errors import Fault, invalid, refuse
from ..domain.model import Account, Actor, Asn, Page, Prefix, Role, RRset
from ..storage.tables import asns, prefixes, routes
from . import accounts as members
from .change import Change, change
from .pages import turn
from .rights import governs, missing, need, reads, writes

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from .desk import Desk

#: Of the records that delegate a reverse zone.
_TTL: Final = 3600
#: Origins of one prefix.
_ROUTES_MAX: Final = 8


def register_prefix(
    desk: Desk,
    actor: Actor,
    size: int,
    *,
    prefix: str | None = None,
    origin: int | None = None,
    nameservers: Sequence[str] = (),
    ds: Sequence[str] = (),
) -> Prefix:
    """Give a member a /56 of the network's or a /48 of RFC 4193: the one asked for, or one that is free.

    With it, in the same transaction: a route object for ``origin`` (an AS number that the member has; 0: a new one),
    and the delegation of its reverse zone, whose servers answer already, so that ``prefix`` has to be given.
    """
    _write(actor)
    if size not in rules.SIZES:
        raise invalid([Fault("size", "out-of-range", "A prefix is a /48 or a /56", "a /48 is always free")])
    found = _reverse_of_new(desk, size, prefix, nameservers, ds)
    with change(desk, actor) as done:
        account = members.row(done, actor)
        mine = select(func.count()).select_from(prefixes).where(_mine(actor.uid))
        _quota(actor, int(done.connection.execute(mine).scalar_one()), account.prefixes_quota, desk)
        used = set(done.connection.execute(select(prefixes.c.prefix)).scalars())
        network = desk.policy.prefix
        if prefix is not None:
            given = rules.wished(prefix, size, network, used)
        else:
            given = rules.free_56(network, used) if size == 56 else rules.new_48(network, used)
        one = Prefix(given, actor.uid, done.now, done.now, (), found.get("NS", ()), found.get("DS", ()))
        values = {"first": rules.first_digits(given), "size": size, "released": None}
        done.connection.execute(insert(prefixes), {**_plain(one), **values})
        said = {"nameservers": list(one.nameservers), "ds": list(one.ds)} if one.nameservers else {}
        done.log("prefix.register", "prefix", given, {"size": size, **said})
        if one.nameservers:
            done.tell(rules.reverse_zone(given), "prefix")
        if origin is not None:
            number = origin or _new_asn(done, actor, account).number
            one = _route(done, actor, one, _own_asn(done.connection, actor, number))
    return one


def get_prefix(desk: Desk, actor: Actor, prefix: str) -> Prefix:
    """Return one's own prefix, or any for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        return _own(connection, actor, prefix)


def listed_prefixes(
    desk: Desk, actor: Actor, *, holder: str | None = None, cursor: str | None = None, limit: int = 50
) -> Page[Prefix]:
    """Return prefixes in their order: one's own, or all (of a holder) for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    query = select(prefixes).where(prefixes.c.released.is_(None))
    query = _whose(query, prefixes.c.holder, actor, holder)
    with desk.store.read() as connection:
        page = turn(connection, query, (prefixes.c.first,), lambda row: row, cursor=cursor, limit=limit)
        origins = _origins(connection, [row.prefix for row in page.items])
        return Page(tuple(_prefix(row, origins) for row in page.items), page.next)


def release_prefix(desk: Desk, actor: Actor, prefix: str, *, if_match: int | None = None) -> None:
    """Give a prefix back, with its routes and its reverse delegation; nobody else gets it."""
    _write(actor)
    with change(desk, actor) as done:
        one = _own(done.connection, actor, prefix)
        _match(one.version, if_match)
        done.connection.execute(delete(routes).where(routes.c.prefix == one.prefix))
        gone = {"released": done.now, "updated": done.now, "nameservers": [], "ds": [], "version": one.version + 1}
        done.connection.execute(update(prefixes).where(prefixes.c.prefix == one.prefix).values(gone))
        done.tell(rules.reverse_zone(one.prefix), "prefix")
        done.log("prefix.release", "prefix", one.prefix, concerns=(one.holder,))


def set_reverse(
    desk: Desk,
    actor: Actor,
    prefix: str,
    nameservers: Sequence[str],
    ds: Sequence[str],
    *,
    if_match: int | None = None,
) -> Prefix:
    """Delegate a prefix's reverse zone to its holder's servers, which have to answer for it; none takes it back."""
    _write(actor)
    with desk.store.read() as connection:
        known = _own(connection, actor, prefix)
    zone = rules.reverse_zone(known.prefix)
    _match(known.version, if_match)
    rrsets: tuple[RRset, ...] = ()
    if nameservers or ds:
        rrsets = _asked(desk, zone, nameservers, ds)
    found = {entry.type: entry.records for entry in rrsets}
    with change(desk, actor) as done:
        one = _own(done.connection, actor, prefix)
        _match(one.version, known.version)
        one = _changed(done, replace(one, nameservers=found.get("NS", ()), ds=found.get("DS", ())))
        done.tell(zone, "prefix")
        said = {"nameservers": list(one.nameservers), "ds": list(one.ds)}
        done.log("prefix.reverse", "prefix", one.prefix, said, concerns=(one.holder,))
    return one


def register_asn(desk: Desk, actor: Actor) -> Asn:
    """Give a member the next AS number."""
    _write(actor)
    with change(desk, actor) as done:
        return _new_asn(done, actor, members.row(done, actor))


def get_asn(desk: Desk, actor: Actor, number: int) -> Asn:
    """Return one's own AS number, or any for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        return _own_asn(connection, actor, number)


def listed_asns(
    desk: Desk, actor: Actor, *, holder: str | None = None, cursor: str | None = None, limit: int = 50
) -> Page[Asn]:
    """Return AS numbers in their order: one's own, or all (of a holder) for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    query = _whose(select(asns).where(asns.c.released.is_(None)), asns.c.holder, actor, holder)
    with desk.store.read() as connection:
        return turn(connection, query, (asns.c.number,), _asn, cursor=cursor, limit=limit)


def release_asn(desk: Desk, actor: Actor, number: int, *, if_match: int | None = None) -> None:
    """Give an AS number back that originates nothing; nobody else gets it."""
    _write(actor)
    with change(desk, actor) as done:
        one = _own_asn(done.connection, actor, number)
        _match(one.version, if_match)
        used = select(routes.c.prefix).where(routes.c.asn == number).limit(1)
        if prefix := done.connection.execute(used).scalar_one_or_none():
            raise refuse("state", f"AS{number} originates {prefix}", "take its routes away first")
        values = {"released": done.now, "version": one.version + 1}
        done.connection.execute(update(asns).where(asns.c.number == number).values(values))
        done.log("asn.release", "asn", str(number), concerns=(one.holder,))


def add_route(desk: Desk, actor: Actor, prefix: str, asn: int, *, if_match: int | None = None) -> Prefix:
    """Say that an AS may originate a prefix (RPSL's route6); both are the same holder's, or a registrar says so."""
    _write(actor)
    with change(desk, actor) as done:
        one, origin = _own(done.connection, actor, prefix), _own_asn(done.connection, actor, asn)
        _match(one.version, if_match)
        return _route(done, actor, one, origin)


def drop_route(desk: Desk, actor: Actor, prefix: str, asn: int, *, if_match: int | None = None) -> Prefix:
    """Say that an AS may not originate a prefix any more."""
    _write(actor)
    with change(desk, actor) as done:
        one = _own(done.connection, actor, prefix)
        _match(one.version, if_match)
        if asn not in one.asns:
            raise missing("such route", at="asn")
        done.connection.execute(delete(routes).where(routes.c.prefix == one.prefix, routes.c.asn == asn))
        one = _changed(done, replace(one, asns=tuple(number for number in one.asns if number != asn)))
        done.log("route.drop", "prefix", one.prefix, {"asn": asn}, concerns=(one.holder,))
    return one


def _reverse_of_new(
    desk: Desk, size: int, prefix: str | None, nameservers: Sequence[str], ds: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    if not (nameservers or ds):
        return {}
    if prefix is None:
        what = "Servers that answer for a prefix know which one it is"
        raise invalid([Fault("prefix", "missing", what, "say which, or delegate its reverse zone afterwards")])
    zone = rules.reverse_zone(rules.wished(prefix, size, desk.policy.prefix, ()))
    return {entry.type: entry.records for entry in _asked(desk, zone, nameservers, ds)}


def _asked(desk: Desk, zone: str, nameservers: Sequence[str], ds: Sequence[str]) -> tuple[RRset, ...]:
    """Return a reverse zone's NS and DS, after its servers were asked for it."""
    rrsets, wrong = delegation.read(zone, nameservers, ds, {}, desk.policy)
    faults = wrong or [*desk.delegations.faults(zone, rrsets)]
    if faults:
        raise invalid(faults)
    return rrsets


def _new_asn(done: Change, actor: Actor, account: Account) -> Asn:
    mine = select(func.count()).select_from(asns).where(asns.c.holder == actor.uid, asns.c.released.is_(None))
    _quota(actor, int(done.connection.execute(mine).scalar_one()), account.prefixes_quota, done.desk)
    used = done.connection.execute(select(func.max(asns.c.number))).scalar_one_or_none()
    number = rules.next_asn(done.desk.policy.asn_base, [] if used is None else [int(used)])
    done.connection.execute(insert(asns), {"number": number, "holder": actor.uid, "created": done.now})
    done.log("asn.register", "asn", str(number))
    return Asn(number, actor.uid, done.now)


def _route(done: Change, actor: Actor, one: Prefix, origin: Asn) -> Prefix:
    if origin.holder != one.holder and not governs(actor):
        raise missing("such AS number", at="asn")
    if origin.number in one.asns:
        raise refuse("conflict", f"AS{origin.number} is an origin of this prefix already", at="asn")
    if len(one.asns) >= _ROUTES_MAX:
        raise refuse("quota", f"A prefix has at most {_ROUTES_MAX} origins", "take one away first", at="asn")
    done.connection.execute(insert(routes), {"prefix": one.prefix, "asn": origin.number, "created": done.now})
    one = _changed(done, replace(one, asns=tuple(sorted({*one.asns, origin.number}))))
    done.log("route.add", "prefix", one.prefix, {"asn": origin.number}, concerns=(one.holder, origin.holder))
    return one


def _write(actor: Actor) -> None:
    need(actor, Role.MEMBER)
    writes(actor)
    if actor.scope is not None and (actor.scope.names or actor.scope.types):
        raise refuse("forbidden", "This token is for names", "use one without names and types", code="scope")


def _quota(actor: Actor, count: int, own: int | None, desk: Desk) -> None:
    most = desk.policy.prefixes_quota if own is None else own
    if count >= most and not actor.may(Role.REGISTRAR):
        raise refuse("quota", f"You have {count}, and {most} is your quota", "give one back, or ask a registrar")


def _mine(uid: str) -> Any:  # noqa: ANN401 - SQL
    return (prefixes.c.holder == uid) & prefixes.c.released.is_(None)


def _whose(query: Any, column: Any, actor: Actor, holder: str | None) -> Any:  # noqa: ANN401
    if not governs(actor):
        query = query.where(column == actor.uid)
    return query if holder is None else query.where(column == holder)


def _own(connection: Connection, actor: Actor, prefix: str) -> Prefix:
    row = connection.execute(
        select(prefixes).where(prefixes.c.prefix == prefix.strip().lower(), prefixes.c.released.is_(None))
    ).one_or_none()
    if row is None or not (row.holder == actor.uid or governs(actor)):
        raise missing("such prefix")
    return _prefix(row, _origins(connection, [row.prefix]))


def _own_asn(connection: Connection, actor: Actor, number: int) -> Asn:
    known = 0 < number < 2**32
    query = select(asns).where(asns.c.number == number, asns.c.released.is_(None))
    row = connection.execute(query).one_or_none() if known else None
    if row is None or not (row.holder == actor.uid or governs(actor)):
        raise missing("such AS number", at="asn")
    return _asn(row)


def _origins(connection: Connection, of: Sequence[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    query = select(routes.c.prefix, routes.c.asn).where(routes.c.prefix.in_(of)).order_by(routes.c.asn)
    for row in connection.execute(query):
        found.setdefault(row.prefix, []).append(row.asn)
    return {prefix: tuple(numbers) for prefix, numbers in found.items()}


def _changed(done: Change, one: Prefix) -> Prefix:
    one = replace(one, updated=done.now, version=one.version + 1)
    done.connection.execute(update(prefixes).where(prefixes.c.prefix == one.prefix).values(_plain(one)))
    return one


def _match(version: int, if_match: int | None) -> None:
    if if_match is not None and if_match != version:
        raise refuse("stale", "This has changed since you read it", "look at it again")


def _plain(one: Prefix) -> dict[str, Any]:
    return {
        "prefix": one.prefix,
        "holder": one.holder,
        "created": one.created,
        "updated": one.updated,
        "nameservers": list(one.nameservers),
        "ds": list(one.ds),
        "version": one.version,
    }


def _prefix(row: Row[Any], origins: dict[str, tuple[int, ...]]) -> Prefix:
    return Prefix(
        row.prefix,
        row.holder,
        row.created,
        row.updated,
        origins.get(row.prefix, ()),
        tuple(row.nameservers),
        tuple(row.ds),
        row.version,
    )


def _asn(row: Row[Any]) -> Asn:
    return Asn(row.number, row.holder, row.created, row.version)
