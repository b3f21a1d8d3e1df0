"""Accounts: who there is, who came by whom, what each may have, and how one is shut out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from ..domain.errors import Fault, RegistryError, invalid, refuse
from ..domain.invitations import depth as depth_of
from ..domain.model import Account, AccountState, Actor, DomainState, Page, Role
from ..domain.people import wrong_text
from ..storage.tables import accounts, asns, domains, prefixes
from .change import Change, change
from .pages import turn
from .rights import governs, missing, need, people_only, reads

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from .desk import Desk

#: What the model has of the table.
COLUMNS = [column for column in accounts.c if column.name not in {"reason", "untold"}]
QUOTA_MAX: Final = 1_000_000
#: Of so many people the directory is asked one by one.
_FEW: Final = 50


class _Keep:
    """A quota that is left as it is."""


KEEP: Final = _Keep()
Quota = int | _Keep | None
"""A number, None for the policy's, or KEEP."""


def me(desk: Desk, actor: Actor) -> Account:
    """Return one's own account; somebody whom the operator declared gets a row with their first act."""
    with desk.store.read() as connection:
        known = find(connection, actor.uid)
    if known is not None:
        return known
    with change(desk, actor) as done:
        account = row(done, actor)
        if not done.logged:
            done.log("account.appear", "account", actor.uid)
    return account


def row(done: Change, actor: Actor) -> Account:
    """Return the actor's account as a part of another act, with a row made where there is none yet."""
    known = find(done.connection, actor.uid)
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
        known = find(connection, uid)
        if known is None or not (governs(actor) or actor.uid == uid or actor.uid in _above(connection, uid)):
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
    if fault := wrong_text(part, at="part"):
        raise invalid([fault])
    query = select(*COLUMNS)
    if not governs(actor):
        query = query.where((accounts.c.invited_by == actor.uid) | (accounts.c.uid == actor.uid))
    if part:
        query = query.where(accounts.c.uid.contains(part.strip().lower(), autoescape=True))
    if state is not None:
        query = query.where(accounts.c.state == state)
    with desk.store.read() as connection:
        return turn(connection, query, (accounts.c.uid,), from_row, cursor=cursor, limit=limit)


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
        first = find(connection, start)
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
        account = write(done, replace(known, **new))  # type: ignore[arg-type]
        done.log("account.quota", "account", uid, dict(new), concerns=(uid,))
    return account


def lock(desk: Desk, actor: Actor, uid: str, reason: str) -> Account:
    """Shut an account out: nobody signs in with it, and its tokens say no. A registrar's act; never an operator's."""
    from . import joining  # noqa: PLC0415 - it uses this module

    need(actor, Role.REGISTRAR)
    _reason(reason)
    _protected(desk, actor, [uid])
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.ACTIVE:
            raise _state(known)
        account = write(done, replace(known, state=AccountState.LOCKED), reason=reason, untold=1)
        done.log("account.lock", "account", uid, {"reason": reason}, concerns=(uid,))
    joining.tell(desk, [account])
    return account


def unlock(desk: Desk, actor: Actor, uid: str) -> Account:
    """Let somebody in again; what was revoked with them stays revoked."""
    from . import joining  # noqa: PLC0415

    need(actor, Role.REGISTRAR)
    _protected(desk, actor, [uid])
    if desk.directory.person(uid) is None:
        raise refuse("state", "The directory has no entry of this account", "invite its owner anew")
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is not AccountState.LOCKED:
            raise _state(known)
        account = write(done, replace(known, state=AccountState.ACTIVE), reason="", untold=1)
        done.log("account.unlock", "account", uid, concerns=(uid,))
    joining.tell(desk, [account])
    return account


def cut(desk: Desk, actor: Actor, uid: str, reason: str, *, names: str = "hold") -> list[Account]:
    """Lock an account and all that came by it, end their invitations and tokens, and hold their names (or ``keep``).

    One transaction, with one entry in the log that concerns them all; the directory is told after it, and again by
    :func:`finish_joining` until it knows.
    """
    from . import branches, joining  # noqa: PLC0415 - they use this module

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
        half = {account.uid for account in whole if account.state is AccountState.JOINING}
        open_ones = (AccountState.ACTIVE, AccountState.JOINING)
        hit = [
            replace(account, state=AccountState.LOCKED, version=account.version + 1)
            for account in whole
            if account.state in open_ones
        ]
        uids = [account.uid for account in whole]
        said = {"reason": reason, "accounts": len(hit), "names": names}
        done.log("account.cut", "account", uid, said, concerns=(account.uid for account in hit))
        branches.lock(done, [account.uid for account in hit], reason)
        branches.revoke_invitations(done, uids)
        branches.revoke_tokens(done, uids)
        if names == "hold":
            branches.hold_names(done, uids, reason)
    # Whoever is just joining has perhaps no entry yet: that is for later.
    joining.tell(desk, [account for account in hit if account.uid not in half])
    return hit


def close(desk: Desk, actor: Actor, uid: str) -> Account:
    """End an account that has nothing any more: its own holder's act, or a registrar's. Nobody else gets its uid."""
    from . import branches, joining  # noqa: PLC0415 - they use this module

    need(actor, Role.MEMBER)
    people_only(actor)
    if uid != actor.uid:
        need(actor, Role.REGISTRAR)
    _protected(desk, actor, [uid], oneself=True)
    with change(desk, actor) as done:
        known = _there(done.connection, uid)
        if known.state is AccountState.CLOSED:
            raise _state(known)
        if has := _something(done.connection, uid):
            raise refuse("state", f"{has} is still this account's", "release or transfer what it has first")
        account = write(done, replace(known, state=AccountState.CLOSED), reason="", untold=1)
        done.log("account.close", "account", uid, concerns=(uid,))
        branches.revoke_invitations(done, [uid])
        branches.revoke_tokens(done, [uid])
    joining.tell(desk, [account])
    return account


def finish_joining(desk: Desk) -> int:
    """Complete what was cut off between here and the directory (:mod:`.joining`), and return how much that was."""
    from . import joining  # noqa: PLC0415 - it uses this module

    return joining.finish_joining(desk)


def depth(connection: Connection, uid: str) -> int:
    """Return how many invitations lie between an account and the first one."""
    return len(_above(connection, uid))


def plain(account: Account) -> dict[str, Any]:
    """Return an account as its table has it."""
    return {column.name: getattr(account, column.name) for column in COLUMNS}


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
    rows = [from_row(entry) for entry in connection.execute(select(*COLUMNS).order_by(accounts.c.uid))]
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


def _protected(desk: Desk, actor: Actor, uids: list[str], *, oneself: bool = False) -> None:
    """Refuse to touch operators, and registrars unless an operator does it; ``oneself`` only where that is allowed."""
    if actor.uid in uids and not oneself:
        raise refuse("forbidden", "Nobody locks themselves out", "ask another registrar", code="self")
    operators, registrars = _who_governs(desk, uids)
    untouchable = operators if actor.may(Role.OPERATOR) else operators | (registrars - {actor.uid})
    if untouchable:
        what = f"{min(untouchable)} is one of those who run the network"
        raise refuse("forbidden", what, "an operator changes the inventory", code="protected")


def _who_governs(desk: Desk, uids: list[str]) -> tuple[set[str], set[str]]:
    """Return the operators and the registrars among some: of a few each is asked for, of many the groups are."""
    if len(uids) > _FEW:
        return {*uids} & desk.directory.members("operators"), {*uids} & desk.directory.members("registrars")
    found = {uid: person.groups for uid in uids if (person := desk.directory.person(uid)) is not None}
    operators = {uid for uid, groups in found.items() if "operators" in groups}
    return operators, {uid for uid, groups in found.items() if "registrars" in groups}


def _something(connection: Connection, uid: str) -> str | None:
    """Return something that an account has."""
    held = select(domains.c.name).where(domains.c.holder == uid, domains.c.state != DomainState.REVOKED)
    if name := connection.scalar(held.limit(1)):
        return str(name).rstrip(".")
    routed = select(prefixes.c.prefix).where(prefixes.c.holder == uid, prefixes.c.released.is_(None))
    if prefix := connection.scalar(routed.limit(1)):
        return str(prefix)
    number = connection.scalar(select(asns.c.number).where(asns.c.holder == uid, asns.c.released.is_(None)).limit(1))
    return None if number is None else f"AS{number}"


def _reason(reason: str) -> None:
    if fault := wrong_text(reason, at="reason", most=500, needed=True):
        raise invalid([fault])


def find(connection: Connection, uid: str) -> Account | None:
    """Return an account."""
    found = connection.execute(select(*COLUMNS).where(accounts.c.uid == uid)).one_or_none()
    return None if found is None else from_row(found)


def _there(connection: Connection, uid: str) -> Account:
    if (known := find(connection, uid)) is None:
        raise missing("such account")
    return known


def write(done: Change, changed: Account, **more: Any) -> Account:  # noqa: ANN401
    """Change an account's row, with what the model does not have in ``more``, and return it with its new version."""
    changed = replace(changed, version=changed.version + 1)
    values = {**plain(changed), **more}
    done.connection.execute(update(accounts).where(accounts.c.uid == changed.uid).values(values))
    return changed


def _match(known: Account, if_match: int | None) -> None:
    if if_match is not None and if_match != known.version:
        raise refuse("stale", "This account has changed since you read it", "look at it again")


def _state(account: Account) -> RegistryError:
    return refuse("state", f"This account is {account.state}")


def from_row(found: Row[Any]) -> Account:
    """Return the account in a row that has :data:`COLUMNS`."""
    values = {column.name: found._mapping[column] for column in COLUMNS}
    return Account(**{**values, "state": AccountState(values["state"])})
