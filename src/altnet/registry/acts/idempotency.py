"""The same request twice is one act (the header Idempotency-Key).

A key is claimed before the act, and marked in the act's own transaction, so that after a crash nobody does twice what
was done: where the answer was lost, the second request is told that it was done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from ..domain.errors import RegistryError, refuse
from ..domain.model import Actor
from ..storage.tables import idempotency

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from .desk import Desk

#: How long an answer is kept.
KEPT: Final = timedelta(hours=24)
#: After this time a claim is one whose process died before its act was done.
ABANDONED: Final = timedelta(seconds=60)
BODY_MAX: Final = 1_000_000
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
#: States of a claim, where an answer would have its status.
_CLAIMED, _DONE = 0, 1
_running: ContextVar[tuple[str, str] | None] = ContextVar("idempotency", default=None)


def once(
    desk: Desk, actor: Actor, key: str, digest: str, act: Callable[[], tuple[int, bytes]]
) -> tuple[int, bytes, bool]:  # fmt: skip
    """Do an act once for a key of the actor's; return status and body, and whether they are the first time's.

    ``digest`` is SHA-256 of the request (method, path, body). What raised, or answered with 500 and more, may be tried
    again under its key. Raises RegistryError: invalid (no key: 1 to 128 visible ASCII characters; or another request
    under the same one), conflict (the first is still at it, or was done and its answer lost).
    """
    if not _KEY.fullmatch(key):
        what = "An idempotency key has 1 to 128 visible ASCII characters"
        raise refuse("invalid", what, "use a random UUID", at="Idempotency-Key", code="key")
    with desk.store.write() as connection:
        answered = _claim(desk, connection, actor.uid, key, digest)
    if answered is not None:
        return (*answered, True)
    token = _running.set((actor.uid, key))
    try:
        status, body = act()
    except BaseException:
        _forget(desk, actor.uid, key)
        raise
    finally:
        _running.reset(token)
    if status >= 500 or len(body) > BODY_MAX:
        _forget(desk, actor.uid, key)
        return status, body, False
    with desk.store.write() as connection:
        connection.execute(update(idempotency).where(*_where(actor.uid, key)).values(status=status, body=body))
    return status, body, False


def mark(connection: Connection) -> None:
    """Say in an act's transaction that it was done under the key that is running, if one is."""
    running = _running.get()
    if running is not None:
        connection.execute(update(idempotency).where(*_where(*running)).values(status=_DONE))


def _claim(desk: Desk, connection: Connection, uid: str, key: str, digest: str) -> tuple[int, bytes] | None:
    now = desk.clock()
    connection.execute(delete(idempotency).where(idempotency.c.created < now - KEPT))
    row = connection.execute(select(idempotency).where(*_where(uid, key))).one_or_none()
    if row is None:
        claim = {"account": uid, "key": key, "digest": digest, "status": _CLAIMED, "body": b"", "created": now}
        connection.execute(insert(idempotency), claim)
        return None
    if row.digest != digest:
        what = "This idempotency key was used for another request"
        raise refuse("invalid", what, "use a new key for each request", at="Idempotency-Key", code="key-reused")
    if row.status == _DONE:
        what = "This was done already, and its answer was lost"
        raise refuse("conflict", what, "read what is there now", code="done")
    if row.status == _CLAIMED:
        if now - row.created < ABANDONED:
            raise refuse("conflict", "The first request with this key is still at it", "wait a moment", code="running")
        connection.execute(update(idempotency).where(*_where(uid, key)).values(created=now))
        return None
    return row.status, row.body


def _forget(desk: Desk, uid: str, key: str) -> None:
    """Let a key be used again whose act was not done."""
    try:
        with desk.store.write() as connection:
            connection.execute(delete(idempotency).where(*_where(uid, key), idempotency.c.status == _CLAIMED))
    except RegistryError:
        return  # it is abandoned by itself


def _where(uid: str, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (idempotency.c.account == uid, idempotency.c.key == key)
