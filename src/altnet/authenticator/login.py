"""The login page's own site: name and password once, then a code for each site that sends somebody here."""

from __future__ import annotations

import hmac
import logging
from typing import Any

from . import pages
from .context import Context
from .messages import Reply, Request, redirect
from .people import DirectoryError
from .seals import digest, random
from .store import Session

log = logging.getLogger("altnet-authenticator")

WRONG = "Name or password is wrong."


def front(context: Context, request: Request) -> Reply:
    """Show who is logged in, or the form; take it when it is sent."""
    if request.method == "POST":
        return _enter(context, request)
    session = _session(context, request)
    return pages.logout(session.user, "/logout") if session else _form(context, request)


def authorize(context: Context, request: Request) -> Reply:
    """Give a site's visitor a code, after the form where they are not logged in."""
    flow = request.query.get("flow", "")
    if _flow(context, flow) is None:
        return pages.unusable(context.settings.login)
    session = _session(context, request)
    if session is None:
        return _form(context, request, flow)
    try:
        there = context.people.groups(session.user) is not None
    except DirectoryError as error:
        log.warning("%s cannot be judged: %s", session.user, error)
        return pages.unknown()
    if not there:
        # The site would send them back here, and we them there, for ever.
        context.store.end_of(session.user)
        return _form(context, request, flow)
    return _on(context, session, flow)


def logout(context: Context, request: Request) -> Reply:
    """End the login: asked for here by a form, or sealed by a site that its owner has just left."""
    session = _session(context, request)
    if request.method == "POST":
        if not request.from_here:
            return Reply(403, "This form was not sent from this site.\n")
    else:
        ticket = context.seals.open("logout", request.query.get("ticket", ""), context.settings.code_lifetime)
        if session and (ticket is None or ticket["login"] != session.login):
            return pages.logout(session.user, "/logout")
    if session:
        context.store.end(session.login)
        log.info("%s has logged out", session.user)
    done = pages.logged_out(context.settings.login)
    return Reply(done.status, done.body, done.headers, {"login": ("", 0)})


def _session(context: Context, request: Request) -> Session | None:
    return context.store.session(context.settings.login, request.cookie("login"), context.clock())


def _flow(context: Context, flow: str) -> dict[str, Any] | None:
    return context.seals.open("flow", flow, context.settings.flow_lifetime)


def _form(context: Context, request: Request, flow: str = "", status: int = 200, **more: str) -> Reply:
    """Return the form; its hidden field has to come back with the same text in a cookie."""
    token = request.cookie("form") or random()
    site = (_flow(context, flow) or {}).get("site", "")
    form = pages.login(status, flow=flow if site else "", token=token, site=site, **more)
    return Reply(form.status, form.body, form.headers, {"form": (token, context.settings.flow_lifetime)})


def _enter(context: Context, request: Request) -> Reply:
    form, now = request.form, context.clock()
    flow, user, password = (form.get(key, "") for key in ("flow", "user", "password"))
    user = user.strip().lower()
    mine = request.cookie("form")
    if not request.from_here or not mine or not hmac.compare_digest(mine.encode(), form.get("token", "").encode()):
        return _form(context, request, flow, 403, user=user, wrong="The form was too old. Send it once more.")
    wait = context.limit.wait(user, request.client, now)
    if wait:
        log.warning("login refused, too many failures: client %s", request.client)
        wrong = f"Too many tries. Wait {-(-wait // 60)} min."
        return _form(context, request, flow, 429, user=user, wrong=wrong, **{"Retry-After": str(wait)})
    # Counted before it is tried: many at once do not get more tries than one after the other.
    context.limit.failed(user, request.client, now)
    try:
        known = context.people.directory.authenticate(user, password)
        # Whether an account is locked, a directory without a policy does not say at the bind.
        context.people.forget(user)
        known = known and context.people.groups(user) is not None
    except DirectoryError as error:
        context.limit.untried(user, request.client, now)
        log.warning("nobody can log in: %s", error)
        return _form(context, request, flow, 503, user=user, wrong="The directory does not answer. Try again.")
    if not known:
        # What was typed as a name may be a password: it is not written down.
        log.info("login failed: client %s", request.client)
        return _form(context, request, flow, 403, user=user, wrong=WRONG)
    context.limit.passed(user, request.client, now)
    log.info("%s has logged in: client %s", user, request.client)
    context.store.tidy(now, context.settings.failures_window)
    lifetime = context.settings.login_lifetime
    login = digest(random())
    secret = context.store.begin(context.settings.login, user, login, now + lifetime)
    onward = _on(context, Session(user, login, now + lifetime), flow) if _flow(context, flow) else redirect("/")
    return Reply(onward.status, onward.body, onward.headers, {"login": (secret, lifetime), "form": ("", 0)})


def _on(context: Context, session: Session, flow: str) -> Reply:
    """Send somebody back to the site that the sealed flow names, with a code for that site and that browser."""
    found = _flow(context, flow)
    if found is None:
        return pages.unusable(context.settings.login)
    code = context.seals.seal("code", user=session.user, login=session.login, **found)
    return redirect(f"https://{found['site']}/.altnet/callback?code={code}")
