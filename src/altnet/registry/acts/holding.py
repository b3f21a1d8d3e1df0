"""What the acts on domains share: finding the row, judging who asks, and changing it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from ..audit.chain import canonical
from ..domain import scopes, states
from ..domain.errors import RegistryError, invalid, refuse
from ..domain.labels import Refused, absolute, to_unicode
from ..domain.model import SYSTEM, AccountState, Actor, Domain, DomainState, Role, RRset
from ..storage import rows
from ..storage.tables import accounts, domains, rrsets, tokens
from . import rights
from .change import Change

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from ..domain.policy import Policy
    from .desk import Desk

REASON_MAX = 1000
#: So many characters of records are in one entry of the log; of more there is a digest. The git export has them all.
LOGGED_MAX = 20_000

# Built once: making a statement costs more than asking it.
_DOMAIN: Final = select(domains).where(domains.c.name == bindparam("domain"))
_RECORDS: Final = select(rrsets).where(rrsets.c.domain == bindparam("domain")).order_by(rrsets.c.name, rrsets.c.type)
_CHANGED: Final = (
    update(domains)
    .where(domains.c.name == bindparam("domain"))
    .values(version=bindparam("counted"), updated=bindparam("now"))
)
_ONE_SET: Final = (
    rrsets.c.domain == bindparam("of"), rrsets.c.name == bindparam("owner"), rrsets.c.type == bindparam("kind")
)  # fmt: skip
_RESET: Final = update(rrsets).where(*_ONE_SET).values(ttl=bindparam("ttl"), records=bindparam("records"))
_REMOVED: Final = delete(rrsets).where(*_ONE_SET)
_ADDED: Final = insert(rrsets)
_STANDING: Final = select(accounts.c.state).where(accounts.c.uid == bindparam("account"))
_QUOTA: Final = select(accounts.c.domains_quota).where(accounts.c.uid == bindparam("account"))
_HAS: Final = (
    select(func.count())
    .select_from(domains)
    .where(domains.c.holder == bindparam("account"), domains.c.state.in_(sorted(states.COUNTED)))
)


def parsed(desk: Desk, typed: str) -> str:
    """Return a typed name's registered form; raise RegistryError("invalid"), with the field ``name``."""
    try:
        return absolute(typed, desk.policy)
    except Refused as refused:
        raise invalid([refused.fault]) from None


def known(desk: Desk, typed: str) -> str:
    """Return the registered form of a name that should be there; raise RegistryError("missing") where it cannot be."""
    try:
        return absolute(typed, desk.policy)
    except Refused:
        raise rights.missing("domain of that name", at="name") from None


def find(connection: Connection, name: str) -> Row[Any] | None:
    """Return a domain's row."""
    return connection.execute(_DOMAIN, {"domain": name}).one_or_none()


def parts(row: Row[Any], actor: Actor) -> frozenset[str]:
    """Return what the actor is to a domain; nothing of it lets them know that it is there."""
    found = set()
    if row.holder and row.holder == actor.uid:
        found.add(states.HOLDER)
    if row.transfer_to and row.transfer_to == actor.uid:
        found.add(states.RECIPIENT)
    if rights.governs(actor):
        found.add(states.REGISTRAR)
        if actor.may(Role.OPERATOR):
            found.add(states.OPERATOR)
    if actor == SYSTEM:
        found.add(states.SYSTEM)
    return frozenset(found)


def seen(desk: Desk, connection: Connection, actor: Actor, typed: str) -> Row[Any]:
    """Return the row of a domain that the actor may read; raise RegistryError("missing") for any other."""
    rights.reads(actor)
    row = find(connection, known(desk, typed))
    if row is None or not parts(row, actor) or not scopes.touches(actor.scope, row.name) or gone(desk, row):
        raise rights.missing("domain of that name", at="name")
    return row


def begin(change: Change, typed: str, step: str, if_match: int | None = None, *, whole: bool = True) -> Row[Any]:
    """Return the row of a domain on which the actor takes a step, after everything was judged.

    ``whole`` asks for a token that includes all of the domain; else the caller judges the scope by owner and type.
    Raises RegistryError: missing, forbidden, state, stale.
    """
    desk, actor = change.desk, change.actor
    rights.writes(actor)
    row = find(change.connection, known(desk, typed))
    if row is None or not parts(row, actor) or not scopes.touches(actor.scope, row.name) or gone(desk, row):
        raise rights.missing("domain of that name", at="name")
    shown = to_unicode(row.name)
    if not states.may(step, parts(row, actor)):
        who = " or ".join(sorted(states.STEPS[step].by - {states.SYSTEM})).replace("holder", "its holder")
        raise refuse("forbidden", f"Only {who} may do this to {shown}", code="who")
    if whole and not scopes.covers_zone(actor.scope, row.name):
        raise out_of_scope(row.name)
    standing(change)
    row = settle(change, row)
    refused = states.judge(step, DomainState(row.state), shown)
    if refused:
        raise refused
    if if_match is not None and if_match != row.version:
        what = f"{shown} has the version {row.version} now, and you read {if_match}"
        raise refuse("stale", what, "read it again, and change that")
    return row


def standing(change: Change) -> None:
    """Raise RegistryError("forbidden") where the actor's account is not active; without a row it is."""
    if change.actor == SYSTEM:
        return
    state = change.connection.scalar(_STANDING, {"account": change.actor.uid})
    if state not in {None, AccountState.ACTIVE}:
        raise refuse("forbidden", f"Your account is {state}", "ask a registrar", code="account")


def out_of_scope(name: str, kind: str = "") -> RegistryError:
    """Return the refusal of a token that does not reach so far."""
    what = f"This token does not include {kind + ' of ' if kind else ''}{to_unicode(name)}"
    return refuse("forbidden", what, "use one whose scope has it", code="scope")


def quota(connection: Connection, policy: Policy, uid: str, step: str = "register") -> RegistryError | None:
    """Return the refusal of one more domain for an account, None where it may have one more."""
    most = connection.scalar(_QUOTA, {"account": uid})
    most = policy.domains_quota if most is None else most
    has = connection.scalar(_HAS, {"account": uid}) or 0
    if has < most:
        return None
    what = f"You have {has} domains, and may have {most}"
    return refuse("quota", what, f"release one before you {step} another, or ask a registrar for more", code="quota")


def alter(change: Change, row: Row[Any], **values: Any) -> Domain:  # noqa: ANN401
    """Change a domain's row, count its version up, and return it as it is now."""
    values |= {"version": row.version + 1, "updated": change.now}
    change.connection.execute(update(domains).where(domains.c.name == row.name).values(values))
    return rows.domain(found(change.connection, row.name))


def count_up(change: Change, row: Row[Any]) -> None:
    """Count the version of a domain up whose records were changed."""
    change.connection.execute(_CHANGED, {"domain": row.name, "counted": row.version + 1, "now": change.now})


def found(connection: Connection, name: str) -> Row[Any]:
    """Return the row of a domain that is there."""
    return connection.execute(_DOMAIN, {"domain": name}).one()


def remove(change: Change, row: Row[Any]) -> list[dict[str, object]]:
    """Remove a domain with its records, and return those, for the log."""
    said = plain(records(change.connection, row.name))
    change.connection.execute(delete(domains).where(domains.c.name == row.name))
    return said


def records(connection: Connection, name: str) -> tuple[RRset, ...]:
    """Return a domain's record sets, sorted."""
    return tuple(sorted(rows.rrset(row) for row in connection.execute(_RECORDS, {"domain": name})))


def write_records(change: Change, name: str, present: Iterable[RRset], wanted: Iterable[RRset]) -> None:
    """Make a domain's record sets, which in this transaction are the ``present`` ones, the wanted ones."""
    old = {(rrset.name, rrset.type): rrset for rrset in present}
    new = {(rrset.name, rrset.type): rrset for rrset in wanted}
    gone = [{"of": name, "owner": owner, "kind": kind} for owner, kind in old if (owner, kind) not in new]
    changed = [
        {"of": name, "owner": key[0], "kind": key[1], "ttl": rrset.ttl, "records": rrset.records}
        for key, rrset in new.items()
        if key in old and old[key] != rrset
    ]
    added = [
        {"domain": name, "name": rrset.name, "type": rrset.type, "ttl": rrset.ttl, "records": rrset.records}
        for key, rrset in new.items()
        if key not in old
    ]
    for statement, values in ((_REMOVED, gone), (_RESET, changed), (_ADDED, added)):
        if values:
            change.connection.execute(statement, values)


def plain(given: tuple[RRset, ...]) -> list[dict[str, object]]:
    """Return record sets as the log says them: whole, or, where that is long, by their digest alone."""
    size = sum(len(one.name) + sum(map(len, one.records)) for one in given)
    if size <= LOGGED_MAX:
        return [{"name": one.name, "type": one.type, "ttl": one.ttl, "records": list(one.records)} for one in given]
    text = canonical([[one.name, one.type, one.ttl, list(one.records)] for one in given])
    return [{"sets": len(given), "bytes": size, "sha256": hashlib.sha256(text.encode()).hexdigest()}]


def forget_tokens(change: Change, row: Row[Any]) -> int:
    """Revoke its holder's tokens that are for this domain alone, and return how many those were."""
    query = select(tokens).where(tokens.c.account == row.holder, tokens.c.revoked.is_(None))
    ids = []
    for token in change.connection.execute(query):
        names = token.scope.get("names") or ()
        if names and all(name == row.name or name.endswith(f".{row.name}") for name in names):
            ids.append(token.id)
    if ids:
        change.connection.execute(update(tokens).where(tokens.c.id.in_(ids)).values(revoked=change.now))
    return len(ids)


def gone(desk: Desk, row: Row[Any]) -> bool:
    """Say whether a domain's grace is over, so that it is nobody's, even if its row is still to be removed."""
    return due(desk, row) == "purge"


def due(desk: Desk, row: Row[Any]) -> str | None:
    """Return the step that time takes with a domain, if any."""
    return states.due(DomainState(row.state), row.expires, row.updated, desk.policy.domain_grace, desk.clock())


def settle(change: Change, row: Row[Any]) -> Row[Any]:
    """Let a domain expire whose time has come, before anything else is done to it."""
    if due(change.desk, row) == "expire":
        expire(change, row)
        return found(change.connection, row.name)
    return row


def expire(change: Change, row: Row[Any]) -> None:
    """Take the step ``expire``: an offer ends with it."""
    before = DomainState.LOCKED if row.state == DomainState.LOCKED else DomainState.REGISTERED
    alter(change, row, state=DomainState.EXPIRED, before=before, transfer_to=None)
    as_system(change, lambda: change.log("domain.expire", "domain", row.name, {}, concerns=[row.holder]))
    change.tell(row.name)


def as_system(change: Change, act: Callable[[], object]) -> None:
    """Do something in the network's own name within somebody's transaction."""
    change.actor, actor = SYSTEM, change.actor
    try:
        act()
    finally:
        change.actor = actor


def reasoned(reason: str) -> str:
    """Return a reason that a registrar gave; raise RegistryError("invalid") for none."""
    text = " ".join(reason.split())
    if not text:
        raise refuse("invalid", "A reason is needed: its holder reads it", "say why", at="reason", code="empty")
    if not all(letter.isprintable() for letter in text):
        what = "The reason has a sign in it that cannot be shown"
        raise refuse("invalid", what, "leave it out", at="reason", code="unprintable")
    if len(text) > REASON_MAX:
        raise refuse(
            "invalid", f"A reason has at most {REASON_MAX} characters", "say it shorter", at="reason", code="long"
        )
    return text


def vanished(change: Change, row: Row[Any]) -> Domain:
    """Return a domain that is no more, as it was last, available."""
    return replace(
        rows.domain(row), state=DomainState.AVAILABLE, tsig=None, updated=change.now, version=row.version + 1
    )
