"""The audit log: read by those it is about, signed, and held against what others have seen of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from ..audit import heads
from ..audit.verify import Line, problems
from ..domain.errors import refuse
from ..domain.model import Actor, Entry, Head, Page, Role
from ..storage import rows
from ..storage.tables import audit, audit_about, audit_heads
from . import rights
from .pages import sayable, turn

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from sqlalchemy import Connection, Row

    from .desk import Desk

_BATCH = 2000


def listed(
    desk: Desk,
    actor: Actor,
    *,
    account: str | None = None,
    action: str | None = None,
    object: str | None = None,  # noqa: A002  # the log's word
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Entry]:
    """Return the log, the newest first: for an operator or registrar all of it, else what is about the actor.

    ``account`` is whom entries are about or who did them; ``action`` is one (``domain.hold``) or a sort
    (``domain.``). Others' client addresses are an operator's to see, and blank for everybody else.
    """
    rights.reads(actor)
    query = select(audit)
    about = account if rights.governs(actor) else actor.uid
    if (account is not None and about != account) or not sayable("".join(filter(None, (account, action, object)))):
        return Page(())
    if about is not None:
        query = query.join(audit_about, audit_about.c.number == audit.c.number).where(audit_about.c.uid == about)
    if action is not None:
        query = query.where(
            audit.c.action.startswith(action, autoescape=True) if action.endswith(".") else audit.c.action == action
        )
    if object is not None:
        query = query.where(audit.c.object == object)
    if since is not None:
        query = query.where(audit.c.time >= _aware(since, "since"))
    if until is not None:
        query = query.where(audit.c.time < _aware(until, "until"))
    everything = actor.may(Role.OPERATOR) and rights.governs(actor)

    def entry(row: Row[Any]) -> Entry:
        found = rows.entry(row)
        return found if everything or found.actor == actor.uid else replace(found, client="")

    with desk.store.read() as connection:
        return turn(connection, query, [audit.c.number], entry, cursor=cursor, limit=limit, newest_first=True)


def head(desk: Desk) -> Head | None:
    """Return the newest signed head."""
    with desk.store.read() as connection:
        return _newest(connection)


def sign(desk: Desk, key: Ed25519PrivateKey) -> Head:
    """Sign the log's end, and keep that; of a log without entries the head is number 0.

    Where nothing was written since the newest head and that is this key's, it is returned once more.
    """
    with desk.store.write() as connection:
        last = connection.execute(
            select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
        ).one_or_none()
        number, digest = (last.number, last.hash) if last else (0, "0" * 64)
        newest = _newest(connection)
        if newest and (newest.number, newest.hash) == (number, digest) and heads.verify(key.public_key(), newest):
            return newest
        signed = heads.sign(key, number, digest, desk.clock())
        if number:
            row = {"number": number, "hash": digest, "time": signed.time, "signature": signed.signature}
            connection.execute(insert(audit_heads), row)
        return signed


def verify(desk: Desk, *, key: Ed25519PublicKey | None = None, witnesses: Sequence[Head] = ()) -> list[str]:
    """Return what is wrong with the log, empty where nothing is.

    ``key`` is the registry's, for the heads' signatures; ``witnesses`` are heads that others kept: the one in the DNS,
    and those in the git export.
    """
    with desk.store.read() as connection:
        signed = [rows.head(row) for row in connection.execute(select(audit_heads).order_by(audit_heads.c.number))]
        found = problems(_lines(connection), signed, key=key, witnesses=[one for one in witnesses if one.number])
        return found + _strays(connection)


def _lines(connection: Connection) -> Iterator[Line]:
    after = None
    while True:
        query = select(audit).order_by(audit.c.number).limit(_BATCH)
        batch = connection.execute(query if after is None else query.where(audit.c.number > after)).all()
        for row in batch:
            yield Line(*(getattr(row, name) for name in Line.__slots__))
        if len(batch) < _BATCH:
            return
        after = batch[-1].number


def _strays(connection: Connection) -> list[str]:
    """Return where the index of whom entries are about says something else than the entries."""
    indexed: dict[int, set[str]] = {}
    for row in connection.execute(select(audit_about)):
        indexed.setdefault(row.number, set()).add(row.uid)
    found = []
    for row in connection.execute(select(audit.c.number, audit.c.actor, audit.c.detail).order_by(audit.c.number)):
        about = {row.actor, *_about(row.detail)}
        if indexed.pop(row.number, set()) != about:
            found.append(f"the index of entry {row.number} says another account than the entry")
    return (found + [f"the index has an entry {number}, which is not there" for number in sorted(indexed)])[:50]


def _about(detail: str) -> list[str]:
    try:
        return list(json.loads(detail).get("about", ()))
    except (ValueError, AttributeError, TypeError):
        return []


def _newest(connection: Connection) -> Head | None:
    query = select(audit_heads).order_by(audit_heads.c.number.desc(), audit_heads.c.time.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return rows.head(row) if row is not None else None


def _aware(time: datetime, at: str) -> datetime:
    if time.tzinfo is None:
        raise refuse("invalid", "The time has no zone", "write it like 2026-11-27T14:00:00Z", at=at, code="time")
    return time
