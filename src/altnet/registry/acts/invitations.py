"""Invitations: made, looked at, revoked, and joined by."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from ..domain import invitations as rules
from ..domain import people
from ..domain.errors import Fault, RegistryError, invalid, refuse
from ..domain.model import Account, AccountState, Actor, Invitation, Page, Role
from ..storage.tables import accounts, invitations
from . import accounts as members
from . import joining
from .change import Change, change
from .desk import Person
from .pages import turn
from .rights import governs, missing, need, people_only, reads

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from .desk import Desk

_ID_BYTES = 8
_COLUMNS = [column for column in invitations.c if column.name != "digest"]
#: Groups of somebody who has joined.
GROUPS = frozenset(("members",))


def create(
    desk: Desk, actor: Actor, *, uses_max: int = 1, lifetime: timedelta | None = None, note: str = ""
) -> tuple[Invitation, str]:
    """Make an invitation; the secret its link ends in is told here and never again."""
    need(actor, Role.MEMBER)
    people_only(actor)
    policy = desk.policy
    lasting = policy.invitation_lifetime if lifetime is None else lifetime
    if faults := rules.judge(policy, uses_max=uses_max, lifetime=lasting, note=note):
        raise invalid(faults)
    text = rules.secret()
    with change(desk, actor) as done:
        account = members.row(done, actor)
        _may_invite(done, actor, account)
        one = Invitation(
            secrets.token_hex(_ID_BYTES), actor.uid, 0, uses_max, done.now, done.now + lasting, note.strip()
        )
        done.connection.execute(insert(invitations), {**_plain(one), "digest": rules.digest(text)})
        done.log("invitation.create", "invitation", one.id, {"uses_max": uses_max, "expires": _iso(one.expires)})
    return one, text


def listed(
    desk: Desk,
    actor: Actor,
    *,
    inviter: str | None = None,
    open_only: bool = False,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Invitation]:
    """Return invitations, the newest first: one's own, or of ``inviter``, or everybody's for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    query = select(*_COLUMNS)
    if not governs(actor):
        query = query.where(invitations.c.inviter == actor.uid)
    if inviter is not None:
        query = query.where(invitations.c.inviter == inviter)
    if open_only:
        query = query.where(_open(desk.clock()))
    with desk.store.read() as connection:
        keys = (invitations.c.created, invitations.c.id)
        return turn(connection, query, keys, _invitation, cursor=cursor, limit=limit, newest_first=True)


def get(desk: Desk, actor: Actor, id: str) -> Invitation:  # noqa: A002 - as it is called
    """Return one's own invitation, or any for a registrar; RegistryError("missing")."""
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        return _own(connection, actor, id)


def revoke(desk: Desk, actor: Actor, id: str) -> Invitation:  # noqa: A002
    """End an invitation; who has joined by it stays. One that is revoked already stays as it is."""
    need(actor, Role.MEMBER)
    people_only(actor)
    with desk.store.read() as connection:
        known = _own(connection, actor, id)
    if known.revoked is not None:
        return known
    with change(desk, actor) as done:
        one = _own(done.connection, actor, id)
        mine = (invitations.c.id == id) & invitations.c.revoked.is_(None)
        done.connection.execute(update(invitations).where(mine).values(revoked=done.now))
        done.log("invitation.revoke", "invitation", id, concerns=(one.inviter,))
    return replace(one, revoked=done.now)


def look(desk: Desk, secret: str) -> Invitation:
    """Return the invitation of a link: what the page shows to somebody who has no account.

    Raises RegistryError: "missing" for a link that never was, "expired" for one that is over, whatever ended it.
    """
    with desk.store.read() as connection:
        return _usable(connection, secret, desk.clock())


def join(
    desk: Desk,
    secret: str,
    *,
    uid: str,
    name: str,
    password: str,
    mail: str = "",
    via: str = "portal",
    client: str = "",
) -> Account:
    """Give the newcomer who has a link an account; what is wrong in the form is said all at once.

    The use and the name are taken in one transaction, as an account that is joining; then the directory is told, and
    the account is active. Where the directory refuses, all of it is undone; where it does not answer, or we die in
    between, :func:`altnet.registry.acts.joining.finish_joining` completes or undoes it. Until then the same link and
    uid go on where it was cut off.
    """
    uid, name, mail = uid.strip().lower(), name.strip() or uid.strip().lower(), mail.strip()
    faults = people.newcomer(uid, name, password, mail)
    halfway = _halfway(desk, secret, uid)
    if halfway is None:
        look(desk, secret)
    if faults:
        raise invalid(faults)
    person = Person(uid, name, mail, GROUPS)
    if halfway is not None:
        desk.directory.create(person, password)
        return joining.activate(desk, halfway)
    if desk.directory.person(uid) is not None:
        raise _taken()
    actor = Actor(uid, frozenset((Role.MEMBER,)), via, client)
    with change(desk, actor) as done:
        one = _usable(done.connection, secret, done.now)
        if done.connection.execute(select(accounts.c.uid).where(accounts.c.uid == uid)).first() is not None:
            raise _taken()
        account = Account(uid, AccountState.JOINING, done.now, one.inviter, one.id)
        done.connection.execute(update(invitations).where(invitations.c.id == one.id).values(uses=one.uses + 1))
        done.connection.execute(insert(accounts), members.plain(account))
        done.log("account.join", "account", uid, {"invitation": one.id}, concerns=(one.inviter,))
        done.touch("invitation", one.id)
    try:
        desk.directory.create(person, password)
    except RegistryError as error:
        if error.kind != "unavailable":
            joining.undo(desk, account)
        raise
    return joining.activate(desk, account)


def _halfway(desk: Desk, secret: str, uid: str) -> Account | None:
    """Return the account of somebody who was joining by this link under this uid, and was cut off."""
    query = (
        select(*members.COLUMNS)
        .join_from(accounts, invitations, accounts.c.invitation == invitations.c.id)
        .where(invitations.c.digest == rules.digest(secret), accounts.c.state == AccountState.JOINING)
        .where(accounts.c.uid == uid)
    )
    if people.wrong_uid(uid):
        return None
    with desk.store.read() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else members.from_row(row)


def _may_invite(done: Change, actor: Actor, account: Account) -> None:
    policy = done.desk.policy
    if actor.may(Role.REGISTRAR):
        return
    most = policy.invitations_quota if account.invitations_quota is None else account.invitations_quota
    query = select(func.count()).select_from(invitations).where(invitations.c.inviter == actor.uid, _open(done.now))
    count = int(done.connection.execute(query).scalar_one())
    if count >= most:
        what = f"You have {count} open invitations, and {most} is your quota"
        raise refuse("quota", what, "revoke one that nobody will use, or ask a registrar for more")
    if policy.invitation_depth and members.depth(done.connection, actor.uid) >= policy.invitation_depth:
        what = f"Whoever came by {policy.invitation_depth} invitations in a row invites nobody"
        raise refuse("forbidden", what, "ask who invited you", code="depth")


def _open(now: datetime) -> Any:  # noqa: ANN401 - SQL
    alive = (invitations.c.revoked.is_(None)) & (invitations.c.expires > now)
    return alive & (invitations.c.uses < invitations.c.uses_max)


def _usable(connection: Connection, secret: str, now: datetime) -> Invitation:
    row = connection.execute(select(*_COLUMNS).where(invitations.c.digest == rules.digest(secret))).one_or_none()
    if row is None:
        raise refuse("missing", "This is no invitation", "see that you have the whole link", at="secret")
    one = _invitation(row)
    inviter = select(accounts.c.state).where(accounts.c.uid == one.inviter)
    stopped = connection.execute(inviter).scalar_one_or_none() in {AccountState.LOCKED, AccountState.CLOSED}
    if stopped or not one.usable(now):
        raise refuse("expired", "This invitation is over", "ask who gave it to you for another", at="secret")
    return one


def _own(connection: Connection, actor: Actor, id_: str) -> Invitation:
    row = connection.execute(select(*_COLUMNS).where(invitations.c.id == id_)).one_or_none()
    if row is None or not (row.inviter == actor.uid or governs(actor)):
        raise missing("such invitation")
    return _invitation(row)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(**{column.name: row._mapping[column] for column in _COLUMNS})


def _plain(one: Invitation) -> dict[str, Any]:
    return {column.name: getattr(one, column.name) for column in _COLUMNS}


def _taken() -> RegistryError:
    return RegistryError("conflict", (Fault("uid", "taken", "Somebody has this name already", "take another"),))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
