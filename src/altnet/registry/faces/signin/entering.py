"""Signing in, step by step: password, then a second factor where there is one; or a passkey alone."""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response

from ....authenticator.messages import cookie, own_path
from ...domain.errors import Fault, RegistryError
from ..pages import page
from . import onward, passkeys, sessions, totp
from .session import FORM, SESSION, Form, client_of, from_here, secret_of, world_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from .signin import Signin

log = logging.getLogger("altnet-registry")

WRONG = "Name or password is wrong"


@dataclass(frozen=True)
class Way:
    """Where somebody goes after signing in: a page here, or by a sealed flow back to another site."""

    next: str = "/"
    flow: str = ""

    @classmethod
    def of(cls, values: Any) -> Way:  # noqa: ANN401 - a form or a query
        """Return the way in a form or a query."""
        return cls(own_path(values.get("next", "/") or "/"), values.get("flow", "")[:4096])


def form_page(
    request: Request, way: Way, status: int = 200, *, user: str = "", faults: tuple[Fault, ...] = ()
) -> Response:
    """Return the first page of signing in."""
    signin = world_of(request).signin
    options, state = passkeys.options_to_sign_in(signin)
    site = onward.site_of(signin, way.flow)
    return page(
        request, "login.html", status, goes_to=site, way=way, user=user, faults=faults, options=options, state=state,
        to_site=site,
    )  # fmt: skip


def enter(request: Request, form: Form) -> Response:
    """Take name and password."""
    world, way = world_of(request), Way.of(form)
    signin, user, client = world.signin, form.get("user", "").strip().lower()[:64], client_of(request)
    with signin.turn:
        if refusal := _refused(request, form, way, user, user=user):
            return refusal
        now = signin.desk.clock().timestamp()
        # Counted before it is tried: many at once do not get more tries than one after the other.
        signin.limit.failed(user, client, now)
    try:
        right = signin.desk.directory.authenticate(user, form.get("password", ""))
        known = right and sessions.standing(signin, user) is not None
    except RegistryError as error:
        signin.limit.untried(user, client, now)
        return form_page(request, way, error.status, user=user, faults=error.faults)
    if not known:
        # What was typed as a name may be a password: it is not written down.
        log.info("sign-in failed: client %s", client)
        return form_page(request, way, 403, user=user, faults=(Fault("user", "wrong", WRONG),))
    signin.limit.passed(user, client, now)
    if totp.enabled(signin, user) or passkeys.listed(signin, user):
        return second_page(request, user, way)
    return done(request, user, way, "password")


def second_page(request: Request, uid: str, way: Way, status: int = 200, faults: tuple[Fault, ...] = ()) -> Response:
    """Ask for the second factor; that the password was right travels in a sealed field."""
    signin = world_of(request).signin
    step = signin.seal("step", uid=uid)
    options, state = passkeys.options_to_sign_in(signin, uid) if passkeys.listed(signin, uid) else ("", "")
    return page(
        request, "second.html", status, goes_to=onward.site_of(signin, way.flow), way=way, step=step, options=options,
        state=state, app=totp.enabled(signin, uid), faults=faults,
    )  # fmt: skip


def second(request: Request, form: Form) -> Response:
    """Take a code, a recovery code or a passkey after the password."""
    signin, way, client = world_of(request).signin, Way.of(form), client_of(request)
    step = signin.opened("step", form.get("step", ""), signin.times.step)
    if step is None:
        faults = (Fault("user", "expired", "That took too long", "begin again"),)
        return form_page(request, way, 403, faults=faults)
    uid = str(step["uid"])
    # A count of its own, which a right password does not clear: whoever has that may not guess codes for ever.
    whose = f"CODE {uid}"
    with signin.turn:
        if refusal := _refused(request, form, way, whose):
            return refusal
        now = signin.desk.clock().timestamp()
        signin.limit.failed(whose, client, now)
    method = _factor(signin, uid, form)
    if not method:
        wrong = Fault("code", "wrong", "This is not the code that your app shows now", "wait for the next one")
        return second_page(request, uid, way, 403, (wrong,))
    signin.limit.passed(whose, client, now)
    return done(request, uid, way, method)


def by_passkey(request: Request, form: Form) -> Response:
    """Take a passkey that names its owner, in place of everything else."""
    signin, way, client = world_of(request).signin, Way.of(form), client_of(request)
    # Nobody has said who they are: the count is the client's. No name can be typed in capitals, so it is nobody's else.
    whose = f"PASSKEY {client}"
    with signin.turn:
        if refusal := _refused(request, form, way, whose):
            return refusal
        now = signin.desk.clock().timestamp()
        signin.limit.failed(whose, client, now)
    proof = passkeys.sign_in(signin, form.get("state", ""), form.get("response", ""))
    if proof is None or not proof.verified or sessions.standing(signin, proof.uid) is None:
        fault = Fault("passkey", "wrong", "This passkey was not taken", "try once more, or use your password")
        return form_page(request, way, 403, faults=(fault,))
    signin.limit.passed(whose, client, now)
    return done(request, proof.uid, way, "passkey")


def done(request: Request, uid: str, way: Way, method: str) -> Response:
    """Begin the session, and lead on; what the browser had before is over."""
    signin, client = world_of(request).signin, client_of(request)
    signin.failures.tidy(signin.desk.clock().timestamp() - signin.times.failures_window)
    agent = request.headers.get("user-agent", "")
    before = secret_of(request, SESSION)
    secret = sessions.begin(signin, uid, client=client, agent=agent, method=method, before=before)
    log.info("%s has signed in by %s: client %s", uid, method, client)
    session = sessions.find(signin, secret)
    answer: Response = RedirectResponse(way.next, 303)
    if way.flow and session is not None:
        answer = onward.lead_on(request, session, way.flow)
    answer.headers.append("Set-Cookie", cookie(SESSION, secret, signin.times.session))
    answer.headers.append("Set-Cookie", cookie(FORM, "", 0))
    return answer


def _factor(signin: Signin, uid: str, form: Form) -> str:
    """Return by what somebody has proved themselves, empty where by nothing."""
    if form.get("response"):
        proof = passkeys.sign_in(signin, form.get("state", ""), form["response"], uid=uid)
        return "passkey" if proof else ""
    code = form.get("code", "")[:64]
    if totp.check(signin, uid, code):
        return "totp"
    return "recovery" if len(code) > 8 and totp.recover(signin, uid, code) else ""


def _refused(request: Request, form: Form, way: Way, whose: str, *, user: str = "") -> Response | None:
    """Return what is answered to a form that is none of ours, or to somebody who has tried too often."""
    signin, mine = world_of(request).signin, secret_of(request, FORM)
    sent = form.get("csrf", "")
    if not from_here(request) or not mine or not hmac.compare_digest(mine.encode(), sent.encode()):
        fault = Fault("user", "old", "The form was too old", "send it once more")
        return form_page(request, way, 403, user=user, faults=(fault,))
    wait = signin.limit.wait(whose, client_of(request), signin.desk.clock().timestamp())
    if not wait:
        return None
    log.warning("sign-in refused, too many failures: client %s", client_of(request))
    fault = Fault("user", "too-many", "Too many tries", f"wait {-(-wait // 60)} min")
    answer = form_page(request, way, 429, user=user, faults=(fault,))
    answer.headers["Retry-After"] = str(wait)
    return answer
