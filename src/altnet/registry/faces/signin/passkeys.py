"""Passkeys (WebAuthn, level 2): registered, and signed in with. fido2 does all of the protocol."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import fido2.features
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import delete, insert, select, update

from ...acts.change import change
from ...domain.errors import RegistryError, refuse
from ...domain.people import wrong_text
from ...storage.signin_tables import passkeys
from . import sessions
from .signin import Signin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from ...domain.model import Actor

with contextlib.suppress(AttributeError, ValueError):
    # What is the only way in fido2 2 has to be asked for in 1: structures as JSON has them.
    fido2.features.webauthn_json_mapping.enabled = True  # type: ignore[attr-defined,unused-ignore]

_MOST: Final = 20
_LONGEST: Final = 16_384


@dataclass(frozen=True)
class Passkey:
    """One of somebody's passkeys."""

    id: str
    label: str
    created: datetime
    used: datetime | None


@dataclass(frozen=True)
class Proof:
    """What a browser has proved: whose passkey, and whether the device knew its owner (PIN, finger, face)."""

    uid: str
    verified: bool


def options_to_register(signin: Signin, uid: str, name: str) -> tuple[str, str]:
    """Return what a browser is asked for a new passkey (JSON), and our sealed note of it."""
    user = PublicKeyCredentialUserEntity(id=uid.encode(), name=uid, display_name=name)
    options, state = _server(signin).register_begin(
        user,
        _of(signin, uid),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.dumps(dict(options)), signin.seal("register", state=json.dumps(state), uid=uid)


def register(signin: Signin, actor: Actor, sealed: str, response: str, label: str) -> None:
    """Keep somebody's new passkey; RegistryError where it is none, or was asked for by somebody else or long ago."""
    if fault := wrong_text(label, at="label", most=60, needed=True):
        raise refuse("invalid", fault.what, fault.remedy, at="label")
    uid = actor.uid
    state = _state(signin, "register", sealed, uid)
    with _judging():
        server = _server(signin)
        data = server.register_complete(state, _json(response))
        credential = data.credential_data
        if credential is None or credential.public_key[3] not in {one.alg for one in server.allowed_algorithms}:
            raise ValueError("no key, or none of a sort that was asked for")
    key = websafe_encode(credential.credential_id)
    values = {
        "id": key,
        "uid": uid,
        "label": label.strip(),
        "credential": bytes(credential),
        "counter": data.counter,
        "created": signin.desk.clock(),
    }
    with change(signin.desk, actor) as done:
        mine = done.connection.execute(select(passkeys.c.id).where(passkeys.c.uid == uid)).all()
        known = done.connection.execute(select(passkeys.c.id).where(passkeys.c.id == key)).first()
        if known or len(mine) >= _MOST or len(key) > 400:
            raise refuse("conflict", "This passkey is here already, or there are too many", "remove one first")
        done.connection.execute(insert(passkeys), values)
        done.log("passkey.add", "account", uid, {"label": label.strip()})


def options_to_sign_in(signin: Signin, uid: str = "") -> tuple[str, str]:
    """Return what a browser is asked to sign in (JSON), and our sealed note of it.

    Without ``uid`` any passkey that names its owner will do, if the device has verified them; with it, as a second
    factor, one of theirs.
    """
    known = _of(signin, uid) if uid else None
    wish = UserVerificationRequirement.PREFERRED if uid else UserVerificationRequirement.REQUIRED
    options, state = _server(signin).authenticate_begin(known, user_verification=wish)
    return json.dumps(dict(options)), signin.seal("sign-in", state=json.dumps(state), uid=uid)


def sign_in(signin: Signin, sealed: str, response: str, *, uid: str = "") -> Proof | None:
    """Return whose passkey has answered; None where none has, or an answer comes a second time."""
    try:
        state = _state(signin, "sign-in", sealed, uid)
        with _judging():
            value = _json(response)
            answer = AuthenticationResponse.from_dict(value)
            # By the field's own name: fido2 1 calls it otherwise than 2.
            key = websafe_encode(websafe_decode(value["rawId"]))
            owner = answer.response.user_handle
    except RegistryError:
        return None
    with signin.desk.store.read() as connection:
        row = connection.execute(select(passkeys).where(passkeys.c.id == key)).one_or_none()
    # Where nobody has said who they are, the passkey has to name its owner (§7.2, step 6).
    if row is None or uid not in {"", row.uid} or (owner or uid.encode()) != row.uid.encode():
        return None
    try:
        with _judging():
            _server(signin).authenticate_complete(state, [AttestedCredentialData(row.credential)], answer)
    except RegistryError:
        return None
    data = answer.response.authenticator_data
    # A counter that does not grow is a copy's (§6.1.1); many passkeys have none, and say 0.
    grows = passkeys.c.counter < data.counter if data.counter else passkeys.c.counter == 0
    with signin.desk.store.write() as connection:
        changed = {"counter": data.counter, "used": signin.desk.clock()}
        mine = (passkeys.c.id == key) & grows
        if connection.execute(update(passkeys).where(mine).values(changed)).rowcount != 1:
            return None
    return Proof(row.uid, data.is_user_verified())


def listed(signin: Signin, uid: str) -> list[Passkey]:
    """Return somebody's passkeys, the oldest first."""
    with signin.desk.store.read() as connection:
        query = select(passkeys).where(passkeys.c.uid == uid).order_by(passkeys.c.created, passkeys.c.id)
        return [Passkey(row.id, row.label, row.created, row.used) for row in connection.execute(query)]


def remove(signin: Signin, actor: Actor, key: str) -> None:
    """Remove one of somebody's own passkeys; one that is not there is fine."""
    mine = (passkeys.c.uid == actor.uid) & (passkeys.c.id == key)
    with change(signin.desk, actor) as done:
        label = done.connection.execute(select(passkeys.c.label).where(mine)).scalar_one_or_none()
        if label is None:
            done.nothing()
            return
        done.connection.execute(delete(passkeys).where(mine))
        done.log("passkey.remove", "account", actor.uid, {"label": label})


def forget(connection: Connection, uid: str) -> int:
    """Remove all of somebody's passkeys within an act, and return how many that were."""
    return int(connection.execute(delete(passkeys).where(passkeys.c.uid == uid)).rowcount)


def _server(signin: Signin) -> Fido2Server:
    rp = PublicKeyCredentialRpEntity(id=signin.host, name=signin.site)
    return Fido2Server(rp, verify_origin=lambda origin: origin == signin.origin)


def _of(signin: Signin, uid: str) -> list[AttestedCredentialData]:
    with signin.desk.store.read() as connection:
        rows = connection.execute(select(passkeys).where(passkeys.c.uid == uid)).all()
    return [AttestedCredentialData(row.credential) for row in rows]


def _state(signin: Signin, purpose: str, sealed: str, uid: str) -> Any:  # noqa: ANN401 - fido2's
    found = signin.opened(purpose, sealed, signin.times.flow)
    # Each challenge is good once, whatever came of it. The note's text is no measure: base64 has many spellings.
    if found is None or found["uid"] != uid or not sessions.once(signin, found["state"], signin.times.flow):
        raise _refused()
    return json.loads(found["state"])


@contextlib.contextmanager
def _judging() -> Iterator[None]:
    """Refuse what cannot be read or is not right: what a browser sends may be anything, and raises anything."""
    try:
        yield
    except Exception:  # noqa: BLE001 - asserts, struct's, cbor's, recursion: there is no list of them
        raise _refused() from None


def _json(text: str) -> Mapping[str, Any]:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _refused() -> RegistryError:
    return refuse("invalid", "This passkey was not taken", "open the page again, and try once more", at="passkey")
