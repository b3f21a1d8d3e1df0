"""Everything that is done with a domain as a whole; its records are in :mod:`.records`."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from ..domain import states
from ..domain.errors import refuse
from ..domain.model import SYSTEM, Actor, Domain, DomainState, Hosting, Page, Zone
from ..storage import rows
from ..storage.tables import domains
from . import holding, rights
from .change import change
from .governing import hold, move, reserve, revoke, unhold, unreserve
from .pages import sayable, turn
from .registering import approve, check, purge, register, reject
from .transfers import accept, offer, withdraw

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from .desk import Desk

__all__ = [
    "accept", "allow_transfer", "approve", "check", "forbid_transfer", "get", "hold", "listed", "lock", "move",
    "offer", "register", "reject", "release", "renew", "reserve", "revoke", "tick", "unhold", "unlock", "unreserve",
    "withdraw",
]  # fmt: skip

#: How many domains one transaction of :func:`tick` takes a step with.
_BATCH = 200


def get(desk: Desk, actor: Actor, name: str) -> Zone:
    """Return a domain with its records: the actor's own, one that is offered to them, or any for a registrar."""
    with desk.store.read() as connection:
        row = holding.seen(desk, connection, actor, name)
        return Zone(rows.domain(row), holding.records(connection, row.name))


def listed(
    desk: Desk,
    actor: Actor,
    *,
    holder: str | None = None,
    state: str | None = None,
    part: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Domain]:
    """Return domains by name: the actor's own and those offered to them, or, for a registrar, all.

    ``part`` is looked for in the name, in both of its forms. Raises RegistryError("invalid") for an unknown state.
    """
    rights.reads(actor)
    query = select(domains)
    if not rights.governs(actor):
        query = query.where(or_(domains.c.holder == actor.uid, domains.c.transfer_to == actor.uid))
    if holder is not None:
        query = query.where(domains.c.holder == holder)
    if state is not None:
        if state not in set(DomainState):
            known = ", ".join(sorted(DomainState))
            raise refuse("invalid", "There is no such state", f"use one of {known}", at="state", code="state")
        query = query.where(domains.c.state == state)
    text = part.strip().lower().removesuffix(".")
    if not sayable(text + (holder or "")):
        return Page(())
    if text:
        query = query.where(
            or_(domains.c.name.contains(text, autoescape=True), domains.c.unicode.contains(text, autoescape=True))
        )
    with desk.store.read() as connection:
        return turn(connection, query.where(*_scoped(actor)), [domains.c.name], rows.domain, cursor=cursor, limit=limit)


def renew(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Begin a domain's time anew; one that has expired is again what it was before.

    Within the last day of what it was given already, nothing changes: renewing twice is renewing once.
    """
    with change(desk, actor) as done:
        row = holding.begin(done, name, "renew", if_match)
        expires = done.now + desk.policy.domain_lifetime
        expired = row.state == DomainState.EXPIRED
        if not expired and expires - row.expires < timedelta(days=1):
            done.nothing()
            return rows.domain(row)
        state = (row.before or DomainState.REGISTERED) if expired else row.state
        domain = holding.alter(done, row, state=state, before="", expires=max(expires, row.expires))
        done.log("domain.renew", "domain", row.name, {"expires": f"{expires:%Y-%m-%d}"}, concerns=[row.holder])
        if expired:
            done.tell(row.name)
        return domain


def release(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Give a domain back: it is available at once. Returns it as it was last, in the state AVAILABLE."""
    with change(desk, actor) as done:
        row = holding.begin(done, name, "release", if_match)
        revoked = holding.forget_tokens(done, row)
        records = holding.remove(done, row)
        done.log("domain.release", "domain", row.name, {"rrsets": records, "tokens": revoked})
        done.tell(row.name)
        return holding.vanished(done, row)


def lock(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Lock a domain: nothing of it changes until it is unlocked."""
    return _simple(desk, actor, name, "lock", if_match)


def unlock(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Unlock a domain."""
    return _simple(desk, actor, name, "unlock", if_match)


def allow_transfer(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> tuple[Domain, str, str]:
    """Make the key (TSIG, hmac-sha256) by which the holder fetches the zone; a former key ends.

    Returns the domain, the key's name, and its secret in base64, which is shown this once.
    """
    with change(desk, actor) as done:
        row = holding.begin(done, name, "change", if_match)
        if row.hosting != Hosting.ZONE:
            what = f"{row.unicode} is served by its holder's own servers"
            raise refuse("state", what, "there is nothing to fetch here", code="delegated")
        key, secret = f"axfr-{secrets.token_hex(8)}", base64.b64encode(secrets.token_bytes(32)).decode()
        domain = holding.alter(done, row, tsig=key, tsig_secret=secret)
        done.log("domain.allow-transfer", "domain", row.name, {"key": key})
        done.tell(row.name)
        return domain, key, secret


def forbid_transfer(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """End the key by which the holder fetches the zone."""
    with change(desk, actor) as done:
        row = holding.begin(done, name, "change", if_match)
        if row.tsig is None:
            done.nothing()
            return rows.domain(row)
        domain = holding.alter(done, row, tsig=None, tsig_secret=None)
        done.log("domain.forbid-transfer", "domain", row.name, {"key": row.tsig})
        done.tell(row.name)
        return domain


def tick(desk: Desk) -> int:
    """Let expire whose time has come, and end the grace of others; return how many took a step.

    At most :data:`_BATCH` in one transaction, so that nobody waits long for it.
    """
    taken = 0
    while True:
        with desk.store.read() as connection:
            due = _due(desk, connection.execute(_overdue(desk)).all())
        if not due:
            return taken
        with change(desk, SYSTEM) as done:
            names = [row.name for row in due[:_BATCH]]
            # Once more, now that nobody else changes them.
            still = _due(desk, done.connection.execute(select(domains).where(domains.c.name.in_(names))).all())
            for row in still:
                if holding.due(desk, row) == "expire":
                    holding.expire(done, row)
                else:
                    purge(done, row)
            taken += len(still)
            if not still:
                done.nothing()


def _overdue(desk: Desk) -> Any:  # noqa: ANN401
    """Return the query of what may be due, by the index of state and expiry."""
    steps = states.STEPS
    now = desk.clock()
    expiring = domains.c.state.in_(sorted(steps["expire"].before)) & (domains.c.expires <= now)
    ending = domains.c.state.in_(sorted(steps["purge"].before)) & (domains.c.expires <= now - desk.policy.domain_grace)
    return select(domains).where(or_(expiring, ending)).order_by(domains.c.name)


def _due(desk: Desk, found: Any) -> list[Row[Any]]:  # noqa: ANN401
    return [row for row in found if holding.due(desk, row)]


def _simple(desk: Desk, actor: Actor, name: str, step: str, if_match: int | None) -> Domain:
    with change(desk, actor) as done:
        row = holding.begin(done, name, step, if_match)
        domain = holding.alter(done, row, state=states.STEPS[step].after)
        done.log(f"domain.{step}", "domain", row.name)
        done.tell(row.name)
        return domain


def _scoped(actor: Actor) -> list[ColumnElement[bool]]:
    """Return the condition that a token's names set: the domains that they are, or are in."""
    scope = actor.scope
    if scope is None or "full" in scope.verbs or not scope.names:
        return []
    named = set()
    for pattern in scope.names:
        labels = pattern.removeprefix("*.").removesuffix(".").split(".")
        if len(labels) == 1:
            named.add(domains.c.tld == f"{labels[0]}.")
        else:
            named.add(domains.c.name == ".".join(labels[-2:]) + ".")
    return [or_(*named)]
