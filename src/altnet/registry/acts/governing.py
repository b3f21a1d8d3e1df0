"""What a registrar does with names: holds, takedowns, moves, and those that nobody can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from ..domain.confusables import likeness
from ..domain.errors import refuse
from ..domain.labels import reserved as network_reserved
from ..domain.labels import to_unicode
from ..domain.model import Actor, Domain, DomainState, Hosting, Role
from ..storage import rows
from ..storage.tables import domains
from . import holding, rights
from .change import Change, change
from .registering import purge
from .transfers import hand_over, somebody

if TYPE_CHECKING:
    from sqlalchemy import Row

    from .desk import Desk


def hold(desk: Desk, actor: Actor, name: str, reason: str, *, if_match: int | None = None) -> Domain:
    """Take a domain out of the DNS for a while, with a reason that its holder reads; an offer ends with it."""
    rights.need(actor, Role.REGISTRAR)
    said = holding.reasoned(reason)
    with change(desk, actor) as done:
        return take(done, holding.begin(done, name, "hold", if_match), said)


def take(done: Change, row: Row[Any], said: str) -> Domain:
    """Take the step ``hold`` with a domain that may take it, as a part of an act."""
    before = DomainState.REGISTERED if row.state == DomainState.TRANSFERRING else row.state
    # What was expired has in its own ``before`` what it was before that.
    keep = row.before if row.state == DomainState.EXPIRED else ""
    domain = holding.alter(
        done, row, state=DomainState.HELD, before=f"{before} {keep}".strip(), reason=said, transfer_to=None
    )
    done.log("domain.hold", "domain", row.name, {"reason": said}, concerns=[row.holder])
    done.tell(row.name)
    return domain


def unhold(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """End a hold: the domain is what it was before."""
    rights.need(actor, Role.REGISTRAR)
    with change(desk, actor) as done:
        row = holding.begin(done, name, "unhold", if_match)
        state, _, before = row.before.partition(" ")
        domain = holding.alter(done, row, state=state or DomainState.REGISTERED, before=before, reason="")
        done.log("domain.unhold", "domain", row.name, concerns=[row.holder])
        done.tell(row.name)
        return domain


def revoke(desk: Desk, actor: Actor, name: str, reason: str, *, if_match: int | None = None) -> Domain:
    """Take a domain down for good: it is not in the DNS, and nobody can have it. Its records stay, as evidence."""
    rights.need(actor, Role.REGISTRAR)
    said = holding.reasoned(reason)
    with change(desk, actor) as done:
        row = holding.begin(done, name, "revoke", if_match)
        revoked = holding.forget_tokens(done, row)
        values = {"before": "", "reason": said, "transfer_to": None, "tsig": None, "tsig_secret": None}
        domain = holding.alter(done, row, state=DomainState.REVOKED, **values)
        done.log("domain.revoke", "domain", row.name, {"reason": said, "tokens": revoked}, concerns=[row.holder])
        done.tell(row.name)
        return domain


def move(desk: Desk, actor: Actor, name: str, to_uid: str, reason: str, *, if_match: int | None = None) -> Domain:
    """Give a domain to somebody else, whatever their quota; it keeps its state."""
    rights.need(actor, Role.REGISTRAR)
    said = holding.reasoned(reason)
    uid = somebody(desk, to_uid)
    with change(desk, actor) as done:
        row = holding.begin(done, name, "move", if_match)
        if row.holder == uid:
            done.nothing()
            return rows.domain(row)
        domain, revoked = hand_over(done, row, uid)
        detail = {"from": row.holder, "to": uid, "reason": said, "tokens": revoked}
        done.log("domain.move", "domain", row.name, detail, concerns=[row.holder, uid])
        done.tell(row.name)
        return domain


def reserve(desk: Desk, actor: Actor, name: str, reason: str) -> Domain:
    """Keep a name that nobody has: nobody can have it."""
    rights.need(actor, Role.REGISTRAR)
    said = holding.reasoned(reason)
    absolute = holding.parsed(desk, name)
    shown = to_unicode(absolute)
    if network_reserved(absolute, desk.policy):
        raise refuse("conflict", f"{shown} is the network's own already", "there is nothing to do", at="name")
    with change(desk, actor) as done:
        row = holding.find(done.connection, absolute)
        if row is not None and not holding.gone(desk, row):
            what = f"{shown} is {row.state}"
            raise refuse("conflict", what, "hold, revoke or move a name that somebody has", at="name")
        if row is not None:
            purge(done, row)
        done.connection.execute(
            insert(domains),
            {
                "name": absolute,
                "tld": absolute.partition(".")[2],
                "unicode": shown,
                "skeleton": likeness(shown.partition(".")[0]),
                "state": DomainState.RESERVED,
                "hosting": Hosting.ZONE,
                "holder": "",
                "created": done.now,
                "updated": done.now,
                "expires": done.now + desk.policy.domain_lifetime,  # which nothing looks at
                "version": 1,
                "reason": said,
            },
        )
        done.log("domain.reserve", "domain", absolute, {"reason": said})
        return rows.domain(holding.found(done.connection, absolute))


def unreserve(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Let a reserved name be had again; and, for an operator, one that was revoked. Returns it as available."""
    rights.need(actor, Role.REGISTRAR)
    with change(desk, actor) as done:
        row = holding.find(done.connection, holding.known(desk, name))
        step = "restore" if row is not None and row.state == DomainState.REVOKED else "unreserve"
        row = holding.begin(done, name, step, if_match)
        records = holding.remove(done, row)
        done.log(f"domain.{step}", "domain", row.name, {"rrsets": records} if records else {}, concerns=[row.holder])
        done.tell(row.name)
        return holding.vanished(done, row)
