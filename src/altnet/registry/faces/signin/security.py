"""What somebody sees to for their own account: password, second factor, passkeys, recovery codes, sessions."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from ....authenticator.messages import own_path
from ...acts.change import change
from ...domain.errors import Fault, RegistryError, invalid
from ...domain.people import wrong_password
from ..pages import page
from . import passkeys, resets, sessions, totp
from .session import Form, actor_of, client_of, flash, world_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from .sessions import Session

PLACE = "/security"


def overview(
    request: Request,
    session: Session,
    status: int = 200,
    *,
    faults: tuple[Fault, ...] = (),
    codes: tuple[str, ...] = (),
) -> Response:
    """Return the page."""
    signin = world_of(request).signin
    options, state = passkeys.options_to_register(signin, session.uid, session.uid)
    return page(
        request, "security.html", status, faults=faults, codes=codes, app=totp.enabled(signin, session.uid),
        left=totp.codes_left(signin, session.uid), passkeys=passkeys.listed(signin, session.uid), options=options,
        state=state, sessions=sessions.of(signin, session.uid),
    )  # fmt: skip


def set_password(request: Request, session: Session, form: Form) -> Response:
    """Change the password; the old one has to be known, and all other sessions end."""
    signin, old, new = world_of(request).signin, form.get("old", ""), form.get("new", "")
    faults = [fault for fault in (wrong_password(new, session.uid, at="new"),) if fault]
    if not hmac.compare_digest(new.encode(), form.get("again", "").encode()):
        faults.append(Fault("again", "differs", "The two are not the same", "write the new one twice"))
    if not faults:
        faults = _proved(request, session, old, at="old")
    if faults:
        raise invalid(faults)
    with change(signin.desk, actor_of(session, request)) as done:
        sessions.cut(done.connection, session.uid, but=session.id)
        resets.forget(done.connection, session.uid)
        done.log("password.change", "account", session.uid)
        # Last: what the directory refuses leaves everything as it was.
        signin.desk.directory.set_password(session.uid, new)
    return flash(RedirectResponse(PLACE, 303), "The password is changed. All other sessions have ended.")


def app_page(
    request: Request, session: Session, sealed: str = "", status: int = 200, faults: tuple[Fault, ...] = ()
) -> Response:
    """Show the QR code of a new second factor."""
    signin = world_of(request).signin
    sealed = sealed or totp.begin(signin, session.uid)
    shown = totp.picture(signin, session.uid, sealed)
    if shown is None:
        return app_page(request, session)
    picture, secret = shown
    spaced = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return page(request, "totp.html", status, sealed=sealed, picture=picture, secret=spaced, faults=faults)


def confirm_app(request: Request, session: Session, form: Form) -> Response:
    """Take the first code of an app; recovery codes come with it."""
    signin, sealed = world_of(request).signin, form.get("sealed", "")
    codes = totp.confirm(signin, actor_of(session, request), sealed, form.get("code", ""))
    if not codes:
        fault = Fault("code", "wrong", "This is not the code that your app shows now", "see that its clock is right")
        return app_page(request, session, sealed, 422, (fault,))
    return overview(request, session, codes=tuple(codes))


def remove_app(request: Request, session: Session) -> Response:
    """Forget the app."""
    totp.remove(world_of(request).signin, actor_of(session, request))
    return flash(RedirectResponse(PLACE, 303), "Codes are not asked for any more.")


def renew_codes(request: Request, session: Session) -> Response:
    """Make new recovery codes, and show them once."""
    codes = totp.new_codes(world_of(request).signin, actor_of(session, request))
    return overview(request, session, codes=tuple(codes))


def add_passkey(request: Request, session: Session, form: Form) -> Response:
    """Keep a passkey that the browser has made."""
    signin, actor = world_of(request).signin, actor_of(session, request)
    label = form.get("label", "").strip() or "Passkey"
    passkeys.register(signin, actor, form.get("state", ""), form.get("response", ""), label)
    return flash(RedirectResponse(PLACE, 303), "The passkey is yours from now on.")


def remove_passkey(request: Request, session: Session, form: Form) -> Response:
    """Forget a passkey."""
    passkeys.remove(world_of(request).signin, actor_of(session, request), form.get("id", ""))
    return flash(RedirectResponse(PLACE, 303), "The passkey is gone.")


def end_sessions(request: Request, session: Session, form: Form) -> Response:
    """End one session, or all, this one too."""
    count = sessions.end(world_of(request).signin, actor_of(session, request), form.get("id", ""))
    return flash(RedirectResponse(PLACE, 303), f"Sessions ended: {count}.")


def prove_page(request: Request, way: str, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    """Ask somebody who is signed in who they are once more, before what cannot be undone."""
    signin, session = world_of(request).signin, request.state.session
    options, state = (
        passkeys.options_to_sign_in(signin, session.uid) if passkeys.listed(signin, session.uid) else ("", "")
    )
    return page(request, "prove.html", status, next=own_path(way), options=options, state=state, faults=faults)


def prove(request: Request, session: Session, form: Form) -> Response:
    """Take the password, or a passkey."""
    signin, way = world_of(request).signin, own_path(form.get("next", "/") or "/")
    if form.get("response"):
        proof = passkeys.sign_in(signin, form.get("state", ""), form["response"], uid=session.uid)
        faults = [] if proof else [Fault("passkey", "wrong", "This passkey was not taken", "try once more")]
    else:
        faults = _proved(request, session, form.get("password", ""), at="password")
    if faults:
        return prove_page(request, way, 403, tuple(faults))
    sessions.prove(signin, session)
    return RedirectResponse(way, 303)


def _proved(request: Request, session: Session, password: str, *, at: str) -> list[Fault]:
    """Return nothing where a password is the session's owner's; it counts against the same limit as signing in."""
    signin, client = world_of(request).signin, client_of(request)
    now = signin.desk.clock().timestamp()
    with signin.turn:
        if wait := signin.limit.wait(session.uid, client, now):
            return [Fault(at, "too-many", "Too many tries", f"wait {-(-wait // 60)} min")]
        signin.limit.failed(session.uid, client, now)
    try:
        right = signin.desk.directory.authenticate(session.uid, password)
    except RegistryError:
        signin.limit.untried(session.uid, client, now)
        raise
    if not right:
        return [Fault(at, "wrong", "This is not your password")]
    signin.limit.passed(session.uid, client, now)
    return []
