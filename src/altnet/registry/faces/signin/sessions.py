"""Sessions: begun, known again, listed, ended. A browser has a secret, the database its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from ....authenticator.seals import digest, random
from ...acts.change import change
from ...acts.tokens import roles_of
from ...domain.model import Actor, Role
from ...storage.signin_tables import sessions, used
from .signin import Signin

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_NOTED = timedelta(minutes=5)


@dataclass(frozen=True)
class Session:
    """Somebody in a browser. ``fresh`` says that they proved a moment ago who they are; ``csrf`` goes into forms."""

    id: str
    uid: str
    roles: frozenset[Role]
    csrf: str
    fresh: bool
    created: datetime
    used: datetime
    expires: datetime
    client: str
    agent: str
    method: str

    def may(self, role: Role) -> bool:
        """Say whether its owner has a role, or one that includes it."""
        return Actor(self.uid, self.roles, "portal").may(role)


def begin(signin: Signin, uid: str, *, client: str, agent: str, method: str, before: str = "") -> str:
    """Make a session and return its secret; ``before`` is that of the browser's session until now, which ends."""
    secret, now = random(), signin.desk.clock()
    actor = Actor(uid, standing(signin, uid) or frozenset(), "portal", client)
    values = {
        "digest": digest(secret),
        "id": digest(random())[:32],
        "uid": uid,
        "created": now,
        "used": now,
        "proved": now,
        "expires": now + timedelta(seconds=signin.times.session),
        "client": client[:64],
        "agent": agent[:200],
        "method": method,
    }
    with change(signin.desk, actor) as done:
        over = (sessions.c.expires <= now) | (sessions.c.digest == digest(before))
        done.connection.execute(delete(sessions).where(over))
        done.connection.execute(delete(used).where(used.c.expires <= now))
        done.connection.execute(insert(sessions), values)
        done.log("session.begin", "account", uid, {"method": method})
    return secret


def standing(signin: Signin, uid: str) -> frozenset[Role] | None:
    """Return somebody's roles here, None for who is gone or locked.

    Whoever is in no group of the registry's has none, and is still somebody to the sites that are theirs.
    """
    found = roles_of(signin.desk, uid)
    if found:
        return found
    person = signin.desk.directory.person(uid)
    return None if person is None or person.locked else found


def find(signin: Signin, secret: str) -> Session | None:
    """Return the session of a cookie; None for one that is over, or whose owner is gone or locked."""
    if not secret:
        return None
    now = signin.desk.clock()
    key = digest(secret)
    with signin.desk.store.read() as connection:
        row = connection.execute(select(sessions).where(sessions.c.digest == key)).one_or_none()
    if row is None or row.expires <= now or now - row.used > timedelta(seconds=signin.times.idle):
        return None
    roles = standing(signin, row.uid)
    if roles is None:
        return None
    if now - row.used >= _NOTED:
        with signin.desk.store.write() as connection:
            connection.execute(update(sessions).where(sessions.c.digest == key).values(used=now))
    return _session(signin, row, roles, digest(f"csrf {secret}"))


def of(signin: Signin, uid: str) -> list[Session]:
    """Return somebody's sessions, the newest first."""
    now = signin.desk.clock()
    mine = (sessions.c.uid == uid) & (sessions.c.expires > now)
    with signin.desk.store.read() as connection:
        rows = connection.execute(select(sessions).where(mine).order_by(sessions.c.created.desc())).all()
    return [_session(signin, row, frozenset(), "") for row in rows]


def prove(signin: Signin, session: Session) -> None:
    """Note that a session's owner has just proved who they are."""
    with signin.desk.store.write() as connection:
        mine = sessions.c.id == session.id
        connection.execute(update(sessions).where(mine).values(proved=signin.desk.clock()))


def end(signin: Signin, actor: Actor, only: str = "") -> int:
    """End one of somebody's own sessions, or all. Return how many that were."""
    with change(signin.desk, actor) as done:
        count = cut(done.connection, actor.uid, only=only)
        if count:
            done.log("session.end" if only else "session.end-all", "account", actor.uid)
        else:
            done.nothing()
        return count


def cut(connection: Connection, uid: str, *, only: str = "", but: str = "") -> int:
    """End somebody's sessions within an act: one of them, all but one, or all. Return how many that were."""
    which = sessions.c.uid == uid
    if only:
        which &= sessions.c.id == only
    if but:
        which &= sessions.c.id != but
    return int(connection.execute(delete(sessions).where(which)).rowcount)


def once(signin: Signin, text: str, seconds: int) -> bool:
    """Say whether this is the first use of something that is good once."""
    from ...storage.store import IntegrityError  # noqa: PLC0415

    until = signin.desk.clock() + timedelta(seconds=seconds + 5)
    try:
        with signin.desk.store.write() as connection:
            connection.execute(insert(used), {"digest": digest(text), "expires": until})
    except IntegrityError:
        return False
    return True


def _session(signin: Signin, row: Row[Any], roles: frozenset[Role], csrf: str) -> Session:
    fresh = signin.desk.clock() - row.proved <= timedelta(seconds=signin.times.fresh)
    return Session(
        row.id, row.uid, roles, csrf, fresh, row.created, row.used, row.expires, row.client, row.agent, row.method
    )
