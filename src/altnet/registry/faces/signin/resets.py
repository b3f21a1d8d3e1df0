"""Links by which somebody who has lost their password sets a new one: made by a registrar, good once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from ....authenticator.seals import digest, random
from ...acts.change import change
from ...acts.rights import need
from ...domain.errors import RegistryError, invalid, refuse
from ...domain.model import Actor, Role
from ...domain.people import wrong_password
from ...storage.signin_tables import resets
from . import passkeys, sessions, totp

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .signin import Signin


def make(signin: Signin, actor: Actor, uid: str, *, drop_factors: bool = False) -> str:
    """Return the secret of a new link for somebody; older ones are over. A registrar's act; never for operators."""
    need(actor, Role.REGISTRAR)
    person = signin.desk.directory.person(uid)
    if person is None:
        raise refuse("missing", "There is no such account")
    if "operators" in person.groups or ("registrars" in person.groups and not actor.may(Role.OPERATOR)):
        what = f"{uid} is one of those who run the network"
        raise refuse("forbidden", what, "an operator sets such a password on a host", code="protected")
    secret = random()
    with change(signin.desk, actor) as done:
        until = done.now + timedelta(seconds=signin.times.reset)
        done.connection.execute(delete(resets).where((resets.c.uid == uid) | (resets.c.expires <= done.now)))
        row = {"digest": digest(secret), "uid": uid, "expires": until, "drop_factors": int(drop_factors)}
        done.connection.execute(insert(resets), row)
        done.log("password.reset-link", "account", uid, {"factors": drop_factors}, concerns=(uid,))
    return secret


def owner(signin: Signin, secret: str) -> str:
    """Return whose link it is; RegistryError("expired") for any other."""
    with signin.desk.store.read() as connection:
        mine = (resets.c.digest == digest(secret)) & (resets.c.expires > signin.desk.clock())
        uid = connection.execute(select(resets.c.uid).where(mine)).scalar_one_or_none()
    if uid is None:
        raise _over()
    return str(uid)


def use(signin: Signin, secret: str, password: str, client: str) -> str:
    """Set the new password, end all sessions, and return whose that was.

    The directory is asked last, within the transaction: what it refuses leaves the link and everything else as it was,
    and of two at once the second finds no link.
    """
    uid = owner(signin, secret)
    if fault := wrong_password(password, uid):
        raise invalid([fault])
    person = signin.desk.directory.person(uid)
    if person is None or "operators" in person.groups:
        # An operator since the link was made.
        raise _over()
    actor = Actor(uid, frozenset((Role.MEMBER,)), "portal", client)
    with change(signin.desk, actor) as done:
        mine = (resets.c.digest == digest(secret)) & (resets.c.expires > done.now)
        drop = done.connection.execute(select(resets.c.drop_factors).where(mine)).scalar_one_or_none()
        if drop is None:
            raise _over()
        forget(done.connection, uid)
        sessions.cut(done.connection, uid)
        factors = bool(drop) and totp.forget(done.connection, uid) + passkeys.forget(done.connection, uid) > 0
        done.log("password.reset", "account", uid, {"factors": factors})
        signin.desk.directory.set_password(uid, password)
    # Whoever guessed at the old one guesses in vain.
    signin.failures.forgive(f"user {uid}")
    return uid


def forget(connection: Connection, uid: str) -> None:
    """End somebody's links within an act: they have a password that they know."""
    connection.execute(delete(resets).where(resets.c.uid == uid))


def _over() -> RegistryError:
    return refuse("expired", "This link is over", "ask a registrar for another")
