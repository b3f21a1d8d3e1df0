"""Accounts: who there is, who came by whom, what each may have, and how one is shut out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update

from ..domain.errors import Fault, RegistryError, invalid, refuse
from ..domain.invitations import depth as depth_of
from ..domain.model import SYSTEM, Account, AccountState, Actor, Page, Role
from ..domain.people import wrong_text
from ..storage.tables import accounts, domains, invitations, tokens
from .change import Change, change
from .pages import turn
from .rights import governs, missing, need, people_only, reads

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from .desk import Desk

_COLUMNS = [column for column in accounts.c if column.name != "reason"]
QUOTA_MAX: Final = 1_000_000
#: How long somebody may be joining before that is looked into.
_JOINING: Final = timedelta(minutes=1)
_ROUND: Final = 500


class _Keep:
    """A quota that is left as it is."""


KEEP: Final = _Keep()
Quota = int | _Keep | None
"""A number, None for the policy's, or KEEP."""


def me(desk: Desk, actor: Actor) -> Account:
    """Return one's own account; somebody whom the operator declared gets a row with their first act."""
    with desk.store.read() as connection:
        known = _found(connection, actor.uid)
    if known is not None:
        return known
    with change(desk, actor) as done:
        account = row(done, actor)
        if not done.logged:
            done.log("account.appear", "account", actor.uid)
    return account


def row(done: Change, actor: Actor) -> Account:
    """Return the actor's account as a part of another act, with a row made where there is none yet."""
    known = _found(done.connection, actor.uid)
    if known is None:
        known = Account(actor.uid, AccountState.ACTIVE, done.now)
        done.connection.execute(insert(accounts), plain(known))
        done.log("account.appear", "account", actor.uid)
    if known.state in {AccountState.LOCKED, AccountState.CLOSED}:
        raise refuse("forbidden", "This account is locked", "ask a registrar", code="locked")
    return known


def get(desk: Desk, actor: Actor, uid: str) -> Account:
    """Return an account: one's own, one that is below oneself in the tree, or any for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        known = _found(connection, uid)
        if known is None or not (governs(actor) or actor.uid in {uid, *_above(connection, uid)}):
            raise missing("such account")
    return known


def listed(
    desk: Desk,
    actor: Actor,
    *,
    part: str = "",
    state: AccountState | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Account]:
    """Return accounts by uid; a member sees who came by them directly, and themselves."""
    need(actor, Role.MEMBER)
    reads(actor)
    query = select(*_COLUMNS)
    if not governs(actor):
        query = query.where((accounts.c.invited_by == actor.uid) | (accounts.c.uid == actor.uid))
    if part:
        query = query.where(accounts.c.uid.contains(part.strip().lower(), autoescape=True))
    if state is not None:
        query = query.where(accounts.c.state == state)
    with desk.store.read() as connection:
        return turn(connection, query, (accounts.c.uid,), _account, cursor=cursor, limit=limit)


def tree(desk: Desk, actor: Actor, root: str | None = None) -> list[tuple[int, Account]]:
    """Return who came by whom, depth first, each with its distance from the root.

    A member sees what is below themselves; a registrar below anybody, or all where ``root`` is None.
    """
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        start = root if governs(actor) else root or actor.uid
        if not governs(actor) and start is not None and actor.uid not in {start, *_above(connection, start)}:
            raise missing("such account")
        below = _children(connection)
        if start is None:
            return _walk(below.get(None, []), below)
        first = _found(connection, start)
        if first is None:
            raise missing("such account")
        return _walk([first], below)


def set_quota(
    desk: Desk,
    actor: Actor,
    uid: str,
    *,
    domains: Quota = KEEP,
    prefixes: Quota = KEEP,
    invitations: Quota = KEEP,
    if_match: int | None = None,
) -> Account:
    """Say how much an account may have; a registrar's act."""
    need(actor, Role.REGISTRAR)
    wanted = {"domains": domains, "prefixes": prefixes, "invitations": invitations}
    faults = [
        Fault(field, "out-of-range", f"A quota is a number from 0 to {QUOTA_MAX}", "or nothing, for the usual one")
        for field, value in wanted.items()
        if isinstance(value, int) and not 0 <= value <= QUOTA_MAX
    ]
    if faults:
        raise invalid(faults)
    new = {f"{field}_quota": value for field, value in wanted.items() if not isinstance(value, _Keep)}
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        _match(known, if_match)
        account = _write(done, replace(known, **new))  # type: ignore[arg-type]
        done.log("account.quota", "account", uid, dict(new), concerns=(uid,))
    return account


def lock(desk: Desk, actor: Actor, uid: str, reason: str) -> Account:
    """Shut an account out: nobody signs in with it, and its tokens say no. A registrar's act; never an operator's."""
    need(actor, Role.REGISTRAR)
    _reason(reason)
    _protected(desk, actor, [uid])
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.ACTIVE:
            raise _state(known)
        account = _write(done, replace(known, state=AccountState.LOCKED), reason=reason)
        done.log("account.lock", "account", uid, {"reason": reason}, concerns=(uid,))
    _tell(desk, [uid], locked=True)
    return account


def unlock(desk: Desk, actor: Actor, uid: str) -> Account:
    """Let somebody in again; what was revoked with them stays revoked."""
    need(actor, Role.REGISTRAR)
    _protected(desk, actor, [uid])
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.LOCKED:
            raise _state(known)
        account = _write(done, replace(known, state=AccountState.ACTIVE), reason="")
        done.log("account.unlock", "account", uid, concerns=(uid,))
    _tell(desk, [uid], locked=False)
    return account


def cut(desk: Desk, actor: Actor, uid: str, reason: str, *, names: str = "hold") -> list[Account]:
    """Lock an account and all that came by it, end their invitations and tokens, and hold their names (or ``keep``).

    One transaction; the directory is told after it, and again by :func:`finish_joining` until it knows.
    """
    from . import domains as names_of  # noqa: PLC0415 - it uses this module
    from .invitations import revoke_all  # noqa: PLC0415

    need(actor, Role.REGISTRAR)
    _reason(reason)
    if names not in {"hold", "keep"}:
        raise invalid([Fault("names", "choice", "Names are held or kept", "say hold or keep")])
    with desk.store.read() as connection:
        first = _there(connection, uid)
        branch = [account.uid for _, account in _walk([first], _children(connection))]
    _protected(desk, actor, branch)
    with change(desk, actor) as done:
        # Somebody may have joined below them since.
        whole = [account for _, account in _walk([_there(done.connection, uid)], _children(done.connection))]
        late = sorted({account.uid for account in whole} - set(branch))
        if late:
            raise refuse("stale", f"{', '.join(late)} came to this branch meanwhile", "look at it, and cut it again")
        hit = [
            _write(done, replace(account, state=AccountState.LOCKED), reason=reason)
            for account in whole
            if account.state in {AccountState.ACTIVE, AccountState.JOINING}
        ]
        uids = [account.uid for account in whole]
        revoke_all(done, uids)
        _revoke_tokens(done, uids)
        if names == "hold":
            names_of.hold_all(done, uids, reason)
        for account in hit:
            done.log("account.lock", "account", account.uid, {"reason": reason, "branch": uid}, concerns=(account.uid,))
        done.log("account.cut", "account", uid, {"reason": reason, "accounts": len(hit), "names": names})
    _tell(desk, [account.uid for account in hit], locked=True)
    return hit


def close(desk: Desk, actor: Actor, uid: str) -> Account:
    """End an account that has nothing any more: its own holder's act, or a registrar's. Nobody else gets its uid."""
    need(actor, Role.MEMBER)
    people_only(actor)
    if uid != actor.uid:
        need(actor, Role.REGISTRAR)
    _protected(desk, actor, [uid] if uid != actor.uid else [])
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is AccountState.CLOSED:
            raise _state(known)
        held = select(domains.c.name).where(domains.c.holder == uid, domains.c.state != "revoked").limit(1)
        if name := done.connection.execute(held).scalar_one_or_none():
            raise refuse("state", f"{name.rstrip('.')} is still this account's", "release or transfer its names first")
        account = _write(done, replace(known, state=AccountState.CLOSED), reason="")
        _revoke_tokens(done, [uid])
        done.log("account.close", "account", uid, concerns=(uid,))
    _tell(desk, [uid], locked=True)
    return account


def activate(desk: Desk, uid: str) -> Account:
    """Note that the directory knows somebody who is joining."""
    with change(desk, SYSTEM) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.JOINING:
            raise refuse("state", "This account is not joining any more")
        account = _write(done, replace(known, state=AccountState.ACTIVE))
        done.log("account.active", "account", uid, concerns=(uid,))
    return account


def undo_joining(desk: Desk, uid: str) -> None:
    """Take back the use and the name of somebody whom the directory did not take."""
    with change(desk, SYSTEM) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.JOINING:
            raise refuse("state", "This account is not joining any more")
        mine = invitations.c.id == known.invitation
        done.connection.execute(update(invitations).where(mine).values(uses=invitations.c.uses - 1))
        done.connection.execute(delete(accounts).where(accounts.c.uid == uid))
        done.log("account.undo", "account", uid, {"invitation": known.invitation})


def finish_joining(desk: Desk) -> int:
    """Complete what was cut off between here and the directory, and return how much that was.

    Whoever is joining for longer than a minute is active if the directory knows them, and is undone if not; whoever is
    locked here is locked there.
    """
    late = desk.clock() - _JOINING
    waiting = (accounts.c.state == AccountState.JOINING) & (accounts.c.created < late)
    with desk.store.read() as connection:
        joining = connection.execute(select(accounts.c.uid).where(waiting)).scalars().all()
        shut = (AccountState.LOCKED, AccountState.CLOSED)
        locked = connection.execute(select(accounts.c.uid).where(accounts.c.state.in_(shut))).scalars().all()
    for uid in joining:
        if desk.directory.person(uid) is None:
            undo_joining(desk, uid)
        else:
            activate(desk, uid)
    return len(joining) + _lock_there(desk, locked)


def _lock_there(desk: Desk, uids: Iterable[str]) -> int:
    """Lock in the directory who is not locked there; return how many that were."""
    count = 0
    for uid in uids:
        person = desk.directory.person(uid)
        if person is not None and not person.locked and not _is_operator(person.groups):
            desk.directory.lock(uid, locked=True)
            count += 1
    return count


def depth(connection: Connection, uid: str) -> int:
    """Return how many invitations lie between an account and the first one."""
    return len(_above(connection, uid))


def plain(account: Account) -> dict[str, Any]:
    """Return an account as its table has it."""
    return {column.name: getattr(account, column.name) for column in _COLUMNS}


def _above(connection: Connection, uid: str) -> list[str]:
    """Return those by whom an account came, the nearest first."""
    rows = connection.execute(select(accounts.c.uid, accounts.c.invited_by).where(accounts.c.invited_by.is_not(None)))
    inviter_of: dict[str, str | None] = {found.uid: found.invited_by for found in rows}
    path, here = [], inviter_of.get(uid)
    for _ in range(depth_of(uid, inviter_of)):
        if here is not None:
            path.append(here)
            here = inviter_of.get(here)
    return path


def _children(connection: Connection) -> dict[str | None, list[Account]]:
    found: dict[str | None, list[Account]] = {}
    known = set()
    rows = [_account(entry) for entry in connection.execute(select(*_COLUMNS).order_by(accounts.c.uid))]
    known = {account.uid for account in rows}
    for account in rows:
        # Whose inviter has no row (was undone) stands beside the first ones.
        found.setdefault(account.invited_by if account.invited_by in known else None, []).append(account)
    return found


def _walk(start: list[Account], below: dict[str | None, list[Account]]) -> list[tuple[int, Account]]:
    """Return a tree depth first, however deep it is."""
    stack, found, seen = [(0, account) for account in reversed(start)], [], set()
    while stack:
        level, account = stack.pop()
        if account.uid in seen:
            continue
        seen.add(account.uid)
        found.append((level, account))
        stack += [(level + 1, child) for child in reversed(below.get(account.uid, []))]
    return found


def _protected(desk: Desk, actor: Actor, uids: list[str]) -> None:
    """Refuse to touch operators, and registrars unless an operator does it; oneself never."""
    for uid in uids:
        if uid == actor.uid:
            raise refuse("forbidden", "Nobody locks themselves out", "ask another registrar", code="self")
        person = desk.directory.person(uid)
        groups = person.groups if person else frozenset()
        if _is_operator(groups) or ("registrars" in groups and not actor.may(Role.OPERATOR)):
            what = f"{uid} is one of those who run the network"
            raise refuse("forbidden", what, "an operator changes the inventory", code="protected")


def _is_operator(groups: frozenset[str]) -> bool:
    return "operators" in groups


def _tell(desk: Desk, uids: list[str], *, locked: bool) -> None:
    """Tell the directory; what it does not hear now it is told again by :func:`finish_joining`."""
    try:
        for uid in uids:
            desk.directory.lock(uid, locked=locked)
    except RegistryError as error:
        if error.kind != "unavailable" or not locked:
            raise


def _revoke_tokens(done: Change, uids: list[str]) -> None:
    for start in range(0, len(uids), _ROUND):
        mine = tokens.c.account.in_(uids[start : start + _ROUND]) & tokens.c.revoked.is_(None)
        done.connection.execute(update(tokens).where(mine).values(revoked=done.now))


def _reason(reason: str) -> None:
    if fault := wrong_text(reason, at="reason", most=500, needed=True):
        raise invalid([fault])


def _found(connection: Connection, uid: str) -> Account | None:
    found = connection.execute(select(*_COLUMNS).where(accounts.c.uid == uid)).one_or_none()
    return None if found is None else _account(found)


def _there(connection: Connection, uid: str) -> Account:
    if (known := _found(connection, uid)) is None:
        raise missing("such account")
    return known


def _write(done: Change, account: Account, **more: Any) -> Account:  # noqa: ANN401
    account = replace(account, version=account.version + 1)
    values = {**plain(account), **more}
    done.connection.execute(update(accounts).where(accounts.c.uid == account.uid).values(values))
    return account


def _match(known: Account, if_match: int | None) -> None:
    if if_match is not None and if_match != known.version:
        raise refuse("stale", "This account has changed since you read it", "look at it again")


def _state(account: Account) -> RegistryError:
    return refuse("state", f"This account is {account.state}")


def _account(found: Row[Any]) -> Account:
    values = {column.name: found._mapping[column] for column in _COLUMNS}
    return Account(**{**values, "state": AccountState(values["state"])})
