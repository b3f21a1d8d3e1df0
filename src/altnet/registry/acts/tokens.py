"""Tokens of the API: made, listed, revoked, and known again."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from ..domain import scopes
from ..domain import tokens as rules
from ..domain.errors import Fault, RegistryError, invalid, refuse
from ..domain.model import AccountState, Actor, Page, Role, Scope, Token
from ..domain.people import wrong_text
from ..storage.tables import accounts, tokens
from . import accounts as members
from .change import change
from .pages import turn
from .rights import governs, missing, need, people_only, reads

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .desk import Desk

_COLUMNS = [tokens.c[one.name] for one in fields(Token)]
#: Built once: every request of a program asks it.
_PRESENTED: Final = (
    select(*_COLUMNS, accounts.c.state.label("standing"))
    .join_from(tokens, accounts, tokens.c.account == accounts.c.uid, isouter=True)
    .where(tokens.c.digest == bindparam("presented"))
)
_ID_BYTES: Final = 8
_MOST: Final = 100  # that are good, of one account
#: A use is noted once in that time: a note is a write, and a program may come every second.
_NOTED: Final = timedelta(minutes=10)
#: Seconds for which the directory's word about somebody's groups is remembered.
MEMORY: Final = 10.0


def make(desk: Desk, actor: Actor, label: str, scope: Scope, *, lifetime: timedelta | None = None) -> tuple[Token, str]:
    """Make a token, and return it with its secret, which is told here and never again.

    Whoever has a token themselves makes only narrower ones, that end with it or before; and none that may do
    everything.
    """
    need(actor, Role.MEMBER)
    scope = rules.normal(scope)
    faults = rules.judge(scope)
    if fault := wrong_text(label, at="label", most=100, needed=True):
        faults.append(fault)
    if lifetime is not None and not timedelta(0) < lifetime <= timedelta(days=3660):
        faults.append(Fault("lifetime", "out-of-range", "A token lasts up to ten years", "or leave it out: for ever"))
    if faults:
        raise invalid(faults)
    if actor.scope is not None:
        _narrower(actor, scope)
    text = rules.secret()
    with change(desk, actor) as done:
        members.row(done, actor)
        mine = select(tokens.c.id).where(tokens.c.account == actor.uid, _good(done.now)).limit(_MOST)
        if len(done.connection.execute(mine).all()) >= _MOST:
            raise refuse("quota", f"You have {_MOST} tokens", "revoke one that nothing uses")
        until = None if lifetime is None else done.now + lifetime
        if actor.token is not None:
            parent = _one(done.connection, actor.token)
            if parent is None or parent.revoked is not None:
                raise _unknown()  # it was revoked since this request began
            ends = [moment for moment in (until, parent.expires) if moment is not None]
            until = min(ends, default=None)
        one = Token(secrets.token_hex(_ID_BYTES), actor.uid, label.strip(), scope, done.now, until)
        done.connection.execute(
            insert(tokens),
            {
                "id": one.id,
                "digest": rules.digest(text),
                "account": one.account,
                "label": one.label,
                "scope": _plain(scope),
                "created": one.created,
                "expires": one.expires,
                "parent": actor.token,
            },
        )
        done.log("token.create", "token", one.id, {"label": one.label, "scope": _plain(scope)})
    return one, text


def listed(
    desk: Desk, actor: Actor, *, account: str | None = None, cursor: str | None = None, limit: int = 50
) -> Page[Token]:
    """Return one's own tokens, or an account's for a registrar, the newest first."""
    need(actor, Role.MEMBER)
    reads(actor)
    whose = account or actor.uid
    if whose != actor.uid and not governs(actor):
        raise missing("such account")
    query = select(*_COLUMNS).where(tokens.c.account == whose)
    with desk.store.read() as connection:
        keys = (tokens.c.created, tokens.c.id)
        return turn(connection, query, keys, _token, cursor=cursor, limit=limit, newest_first=True)


def get(desk: Desk, actor: Actor, id: str) -> Token:  # noqa: A002 - as it is called
    """Return one's own token, or any for a registrar."""
    need(actor, Role.MEMBER)
    reads(actor)
    with desk.store.read() as connection:
        return _own(connection, actor, id)


def revoke(desk: Desk, actor: Actor, id: str) -> Token:  # noqa: A002
    """End a token, and those that were made by it; a token may end itself. One that is revoked already stays so."""
    need(actor, Role.MEMBER)
    if actor.token != id:
        people_only(actor)
    with desk.store.read() as connection:
        known = _own(connection, actor, id)
    if known.revoked is not None:
        return known
    with change(desk, actor) as done:
        one = _own(done.connection, actor, id)
        below = _below(done.connection, id)
        with_it = tokens.c.id.in_([id, *below]) & tokens.c.revoked.is_(None)
        done.connection.execute(update(tokens).where(with_it).values(revoked=done.now))
        done.log("token.revoke", "token", id, {"with": below} if below else {}, concerns=(one.account,))
        for child in below:
            done.touch("token", child)
    return replace(one, revoked=done.now)


@dataclass
class _Memory:
    """What the directory said of people, for a moment: a program may ask many times a second."""

    of: object  # kept, so that no other directory gets its identity
    known: dict[str, tuple[datetime, frozenset[Role]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_memories: dict[int, _Memory] = {}


def authenticate(desk: Desk, secret: str, client: str, via: str) -> Actor:
    """Return who has a token, with the rights that they have now.

    Raises RegistryError: "unauthenticated" for one that is not known, over, or whose account is shut out, all in the
    same words; "forbidden" from an address that is none of its sources.
    """
    if not rules.well_formed(secret):
        raise _unknown()
    now = desk.clock()
    with desk.store.read() as connection:
        row = connection.execute(_PRESENTED, {"presented": rules.digest(secret)}).one_or_none()
    if row is None:
        raise _unknown()
    one = _token(row[:-1])
    over = one.revoked is not None or (one.expires is not None and one.expires <= now)
    if over or row.standing not in {None, AccountState.ACTIVE}:
        raise _unknown()
    if not scopes.from_there(one.scope, client):
        raise refuse("forbidden", "This token may not be used from here", "see its sources", code="source")
    roles = roles_of(desk, one.account)
    if not roles:
        raise _unknown()
    if one.used is None or now - one.used >= _NOTED:
        with desk.store.write() as connection:
            connection.execute(update(tokens).where(tokens.c.id == one.id).values(used=now))
    return Actor(one.account, roles, via, client, one.scope, one.id)


def roles_of(desk: Desk, uid: str) -> frozenset[Role]:
    """Return somebody's roles by the directory's groups, none for who is not there or locked, here or there.

    Remembered for 10 s.
    """
    memory = _memories.setdefault(id(desk.directory), _Memory(desk.directory))
    now = desk.clock()
    at, roles = memory.known.get(uid, (None, frozenset[Role]()))
    if at is not None and timedelta(0) <= now - at < timedelta(seconds=MEMORY):
        return roles
    with desk.store.read() as connection:
        standing = members.find(connection, uid)
    # The directory is told of a lock after it is here.
    shut = standing is not None and standing.state in {AccountState.LOCKED, AccountState.CLOSED}
    person = None if shut else desk.directory.person(uid)
    roles = frozenset[Role]() if person is None or person.locked else roles_from(person.groups)
    with memory.lock:
        if len(memory.known) > 10_000:
            memory.known.clear()
        memory.known[uid] = now, roles
    return roles


def roles_from(groups: frozenset[str]) -> frozenset[Role]:
    """Return the roles that groups of the directory give."""
    given = {"members": Role.MEMBER, "registrars": Role.REGISTRAR, "operators": Role.OPERATOR}
    return frozenset(given[group] for group in groups if group in given)


def _narrower(actor: Actor, scope: Scope) -> None:
    if "full" in scope.verbs or not scopes.within(scope, actor.scope):
        what = "A token makes only narrower ones, and none that may do everything"
        raise refuse("forbidden", what, "sign in to make this one", at="scope", code="scope")


def _good(now: datetime) -> Any:  # noqa: ANN401 - SQL
    return tokens.c.revoked.is_(None) & (tokens.c.expires.is_(None) | (tokens.c.expires > now))


def _one(connection: Connection, id_: str) -> Token | None:
    row = connection.execute(select(*_COLUMNS).where(tokens.c.id == id_)).one_or_none()
    return None if row is None else _token(row)


def _below(connection: Connection, id_: str) -> list[str]:
    """Return the tokens that were made by a token, or by one of those."""
    found: list[str] = []
    newest = [id_]
    while newest:
        made = select(tokens.c.id).where(tokens.c.parent.in_(newest)).order_by(tokens.c.id)
        newest = list(connection.execute(made).scalars())
        found += newest
    return found


def _own(connection: Connection, actor: Actor, id_: str) -> Token:
    one = _one(connection, id_)
    if one is None or not (one.account == actor.uid or governs(actor)):
        raise missing("such token")
    return one


def _plain(scope: Scope) -> dict[str, list[str]]:
    return {
        "verbs": list(scope.verbs),
        "names": list(scope.names),
        "types": list(scope.types),
        "sources": list(scope.sources),
    }


def _token(row: Sequence[Any]) -> Token:
    """Return a token of its row's :data:`_COLUMNS`, which are named and sorted as the model has them."""
    id_, account, label, scope, *times = row
    return Token(id_, account, label, Scope(**{key: tuple(entry) for key, entry in scope.items()}), *times)


def _unknown() -> RegistryError:
    return RegistryError(
        "unauthenticated",
        (Fault("", "token", "This token is not known, or over", "make a new one in the portal"),),
        {"WWW-Authenticate": 'Bearer realm="altnet", error="invalid_token"'},
    )
