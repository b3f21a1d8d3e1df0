"""From one holder to another, who has to accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ..domain.errors import refuse
from ..domain.model import AccountState, Actor, Domain, DomainState
from ..storage.tables import accounts
from . import holding, rights
from .change import Change, change
from .pages import sayable

if TYPE_CHECKING:
    from sqlalchemy import Row

    from .desk import Desk


def offer(desk: Desk, actor: Actor, name: str, to_uid: str, *, if_match: int | None = None) -> Domain:
    """Offer a domain to somebody; it stays the holder's until they accept.

    Raises RegistryError("invalid") with the field ``to`` where there is no such account.
    """
    rights.writes(actor)
    uid = somebody(desk, to_uid)
    if uid == actor.uid:
        raise refuse("invalid", "It is yours already", "offer it to somebody else", at="to", code="self")
    with change(desk, actor) as done:
        row = holding.begin(done, name, "offer", if_match)
        domain = holding.alter(done, row, state=DomainState.TRANSFERRING, transfer_to=uid)
        done.log("domain.offer", "domain", row.name, {"to": uid}, concerns=[uid])
        done.tell(row.name)
        return domain


def accept(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Take a domain that is offered: it counts for the new holder's quota, and the former one's keys to it end."""
    with change(desk, actor) as done:
        row = holding.begin(done, name, "accept", if_match)
        over = holding.quota(done.connection, desk.policy, actor.uid, "accept")
        if over:
            raise over
        domain, revoked = hand_over(done, row, actor.uid)
        done.log("domain.accept", "domain", row.name, {"from": row.holder, "tokens": revoked}, concerns=[row.holder])
        done.tell(row.name)
        return domain


def withdraw(desk: Desk, actor: Actor, name: str, *, if_match: int | None = None) -> Domain:
    """Take an offer back, or decline one."""
    with change(desk, actor) as done:
        row = holding.begin(done, name, "withdraw", if_match)
        domain = holding.alter(done, row, state=DomainState.REGISTERED, transfer_to=None)
        done.log("domain.withdraw", "domain", row.name, {"to": row.transfer_to}, concerns=[row.holder, row.transfer_to])
        done.tell(row.name)
        return domain


def hand_over(done: Change, row: Row[Any], uid: str, **values: Any) -> tuple[Domain, int]:  # noqa: ANN401
    """Make somebody the holder; return the domain, and how many tokens of the former one ended."""
    revoked = holding.forget_tokens(done, row)
    state = DomainState.REGISTERED if row.state == DomainState.TRANSFERRING else row.state
    handed = {"holder": uid, "state": state, "transfer_to": None, "tsig": None, "tsig_secret": None}
    return holding.alter(done, row, **(handed | values)), revoked


def somebody(desk: Desk, given: str) -> str:
    """Return the uid of an account that may hold names; raise RegistryError("invalid"), field ``to``, for none."""
    uid = given.strip().lower()
    if uid and len(uid) <= 64 and sayable(uid):
        with desk.store.read() as connection:
            state = connection.scalar(select(accounts.c.state).where(accounts.c.uid == uid))
        if state == AccountState.ACTIVE:
            return uid
        person = desk.directory.person(uid) if state is None else None
        if person is not None and not person.locked:
            return person.uid
    raise refuse("invalid", "There is nobody of that name here", "give an account's name", at="to", code="nobody")
