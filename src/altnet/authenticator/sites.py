"""At each site: who is this, may they see it, and how a browser gets from here to the login page and back."""

from __future__ import annotations

import logging

from . import pages
from .context import Context
from .messages import Reply, Request, own_path, redirect
from .people import DirectoryError
from .seals import digest, random
from .store import Session

log = logging.getLogger("altnet-authenticator")


def check(context: Context, request: Request) -> Reply:
    """Answer the web server's question before each request: 200 lets it through, anything else goes to the browser."""
    wanted = context.settings.sites.get(request.site)
    if wanted is None:
        log.warning("%s is asked for, and is no site of these settings", request.site)
        return Reply(403, "This site is not known.\n")
    now = context.clock()
    session = context.store.session(request.site, request.cookie("session"), now)
    if session is None:
        return _to_login(context, request)
    try:
        groups = context.people.groups(session.user)
    except DirectoryError as error:
        log.warning("%s cannot be judged: %s", session.user, error)
        return pages.unknown()
    if groups is None:
        log.info("%s is gone or locked: sessions ended", session.user)
        context.store.end_of(session.user)
        return _to_login(context, request)
    if not groups & wanted:
        log.info("%s at %s: refused, in none of its groups", session.user, request.site)
        return pages.refused(session.user, request.site) if request.navigates else Reply(403, "Not for you.\n")
    return Reply(200, headers={"Remote-User": session.user, "Remote-Groups": ",".join(sorted(groups))})


def _to_login(context: Context, request: Request) -> Reply:
    """Send a person to the login page, with a sealed note of where from; a script is only told."""
    if not request.navigates:
        return Reply(401, "Log in first.\n")
    # A browser's tabs share one: the second must not spoil the first one's way back.
    mark = request.cookie("flow") or random()
    flow = context.seals.seal("flow", site=request.site, path=own_path(request.path), mark=digest(mark))
    return redirect(
        f"https://{context.settings.login}/authorize?flow={flow}", flow=(mark, context.settings.flow_lifetime)
    )


def callback(context: Context, request: Request) -> Reply:
    """Take a code: made for this site, asked for by this browser, within a minute, once."""
    settings, now = context.settings, context.clock()
    code = request.query.get("code", "")
    found = context.seals.open("code", code, settings.code_lifetime)
    mark = request.cookie("flow")
    if found is None or not mark or found["site"] != request.site or found["mark"] != digest(mark):
        return pages.unusable(request.site)
    if not context.store.use(digest(code), now + settings.code_lifetime + 5):
        log.warning("a code for %s was used twice", request.site)
        return pages.unusable(request.site)
    secret = context.store.begin(request.site, found["user"], found["login"], now + settings.site_lifetime)
    context.people.forget(found["user"])
    return redirect(own_path(found["path"]), session=(secret, settings.site_lifetime))


def logout(context: Context, request: Request) -> Reply:
    """Ask, and on the answer end the login with all that came of it, here and at the login page."""
    session = context.store.session(request.site, request.cookie("session"), context.clock())
    if session is None:
        return pages.logged_out(context.settings.login)
    if request.method != "POST":
        return pages.logout(session.user, "/.altnet/logout", goes_to=context.settings.login)
    if not request.from_here:
        return Reply(403, "This form was not sent from this site.\n")
    return _logged_out(context, session)


def _logged_out(context: Context, session: Session) -> Reply:
    context.store.end(session.login)
    log.info("%s has logged out", session.user)
    ticket = context.seals.seal("logout", login=session.login)
    where = f"https://{context.settings.login}/logout?ticket={ticket}"
    return redirect(where, session=("", 0), flow=("", 0))
