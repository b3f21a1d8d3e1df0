"""One-time codes from an app (RFC 6238), and recovery codes for who has lost it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import pyotp
import segno
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, insert, select, update

from ....authenticator.seals import digest
from ...acts.change import change
from ...storage.signin_tables import recoveries, totp
from .signin import Signin

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ...domain.model import Actor

#: Seconds of a step, and how many steps a clock may be wrong either way.
STEP: Final = 30
_AWAY: Final = 1
_CODES: Final = 8
#: Letters and digits that nobody takes for one another.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def begin(signin: Signin, uid: str) -> str:
    """Return a new secret, sealed, which is somebody's only when a code of it has come back."""
    return signin.seal("totp", uid=uid, secret=pyotp.random_base32(32))


def picture(signin: Signin, uid: str, sealed: str) -> tuple[str, str] | None:
    """Return the QR code (SVG in a data URI) and the secret of what was sealed; None for what is too old."""
    found = signin.opened("totp", sealed, signin.times.flow)
    if found is None or found["uid"] != uid:
        return None
    uri = pyotp.TOTP(found["secret"]).provisioning_uri(name=uid, issuer_name=signin.site)
    return segno.make(uri, error="m").svg_data_uri(scale=5, dark="#000", light="#fff"), str(found["secret"])


def confirm(signin: Signin, actor: Actor, sealed: str, code: str) -> list[str]:
    """Make a sealed secret somebody's, if a code proves that their app has it.

    Return their recovery codes, none where the code is wrong or the secret another's or too old.
    """
    found = signin.opened("totp", sealed, signin.times.flow)
    if found is None or found["uid"] != actor.uid:
        return []
    step = _step(signin, found["secret"], code, -1)
    if step is None:
        return []
    values = {"uid": actor.uid, "secret": signin.cipher.encrypt(found["secret"].encode()).decode(), "step": step}
    with change(signin.desk, actor) as done:
        forget(done.connection, actor.uid)
        done.connection.execute(insert(totp), {**values, "created": done.now})
        done.log("totp.enable", "account", actor.uid)
        return _codes(done.connection, actor.uid)


def enabled(signin: Signin, uid: str) -> bool:
    """Say whether somebody has an app."""
    with signin.desk.store.read() as connection:
        return connection.execute(select(totp.c.uid).where(totp.c.uid == uid)).first() is not None


def check(signin: Signin, uid: str, code: str) -> bool:
    """Say whether a code is right now, and was not used before: no step is good twice."""
    with signin.desk.store.write() as connection:
        row = connection.execute(select(totp).where(totp.c.uid == uid)).one_or_none()
        if row is None:
            return False
        try:
            secret = signin.cipher.decrypt(row.secret.encode()).decode()
        except InvalidToken:
            # The key of sign-in was changed: recovery codes and registrars help.
            return False
        step = _step(signin, secret, code, row.step)
        if step is None:
            return False
        connection.execute(update(totp).where(totp.c.uid == uid).values(step=step))
        return True


def remove(signin: Signin, actor: Actor) -> None:
    """Forget somebody's own app and their recovery codes."""
    with change(signin.desk, actor) as done:
        if forget(done.connection, actor.uid):
            done.log("totp.disable", "account", actor.uid)
        else:
            done.nothing()


def forget(connection: Connection, uid: str) -> int:
    """Remove somebody's app and recovery codes within an act, and return how many rows that were."""
    return sum(
        int(connection.execute(delete(table).where(table.c.uid == uid)).rowcount) for table in (totp, recoveries)
    )


def new_codes(signin: Signin, actor: Actor) -> list[str]:
    """Return new recovery codes, each good once; those before are forgotten."""
    with change(signin.desk, actor) as done:
        done.log("recovery.renew", "account", actor.uid)
        return _codes(done.connection, actor.uid)


def _codes(connection: Connection, uid: str) -> list[str]:
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3)) for _ in range(_CODES)]
    connection.execute(delete(recoveries).where(recoveries.c.uid == uid))
    connection.execute(insert(recoveries), [{"digest": _recovery(uid, code), "uid": uid} for code in codes])
    return codes


def codes_left(signin: Signin, uid: str) -> int:
    """Return how many recovery codes somebody has."""
    with signin.desk.store.read() as connection:
        return len(connection.execute(select(recoveries.c.digest).where(recoveries.c.uid == uid)).all())


def recover(signin: Signin, uid: str, code: str) -> bool:
    """Use a recovery code."""
    with signin.desk.store.write() as connection:
        return _use(connection, uid, code)


def _use(connection: Connection, uid: str, code: str) -> bool:
    mine = (recoveries.c.digest == _recovery(uid, code)) & (recoveries.c.uid == uid)
    return int(connection.execute(delete(recoveries).where(mine)).rowcount) == 1


def _recovery(uid: str, code: str) -> str:
    plain = "".join(char for char in code.lower() if char in _LETTERS)
    return digest(f"recovery {uid} {plain}")


def _step(signin: Signin, secret: str, code: str, last: int) -> int | None:
    """Return the step that a code is of, None for a wrong one and for steps up to ``last``."""
    plain = "".join(code.split())
    if not (plain.isascii() and plain.isdigit() and len(plain) == 6):
        return None
    now = int(signin.desk.clock().timestamp()) // STEP
    made = pyotp.TOTP(secret, interval=STEP)
    steps = [now + away for away in range(-_AWAY, _AWAY + 1)]
    # All are computed, whichever is right.
    right = [step for step in steps if secrets.compare_digest(made.generate_otp(step), plain)]
    return next((step for step in right if step > last), None)
