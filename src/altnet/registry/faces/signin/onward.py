"""The way to every other site of the network: what their authenticators send here, sealed, and what goes back.

It is the interface that docs/concepts/sign-on.md describes: the site's authenticator seals a note of where somebody
came from; we answer with a sealed code for that site and that browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....authenticator.messages import cookie
from ...domain.errors import refuse
from ..pages import page
from . import sessions
from .session import SESSION, actor_of, from_here, session_of, world_of

if TYPE_CHECKING:
    from .sessions import Session
    from .signin import Signin


def site_of(signin: Signin, flow: str) -> str:
    """Return the site that a sealed note comes from, empty for none of ours."""
    found = signin.seals.open("flow", flow, signin.times.flow) if signin.seals and flow else None
    return str(found["site"]) if found else ""


async def authorize(request: Request) -> Response:
    """Give a site's visitor a code, after signing in where they have not."""
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415

    from .entering import Way, form_page  # noqa: PLC0415 - which leads on to here

    flow = request.query_params.get("flow", "")[:4096]
    signin = world_of(request).signin
    if not site_of(signin, flow):
        raise refuse("expired", "This link was used before, or is too old", "go back to the site, and try once more")
    session = await session_of(request)
    if session is None:
        return await run_in_threadpool(form_page, request, Way(flow=flow))
    return lead_on(request, session, flow)


def lead_on(request: Request, session: Session, flow: str) -> Response:
    """Send somebody back to the site that the note names, with a code for that site and that browser."""
    signin = world_of(request).signin
    found = signin.seals.open("flow", flow, signin.times.flow) if signin.seals else None
    if found is None or signin.seals is None:
        raise refuse("expired", "This link was used before, or is too old", "go back to the site, and try once more")
    code = signin.seals.seal("code", user=session.uid, login=session.id, **found)
    return RedirectResponse(f"https://{found['site']}/.altnet/callback?code={code}", 303)


async def logout(request: Request) -> Response:
    """End the session: asked for here by a form, or sealed by a site that its owner has just left."""
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415

    signin, session = world_of(request).signin, await session_of(request)
    if request.method == "POST":
        if not from_here(request):
            raise refuse("forbidden", "This form was not sent from the portal", "open the page again")
    elif session is not None:
        ticket = request.query_params.get("ticket", "")
        found = signin.seals.open("logout", ticket, signin.times.code) if signin.seals and ticket else None
        if found is None or found["login"] != session.id:
            return await run_in_threadpool(page, request, "logout.html", done=False)
    if session is not None:
        await run_in_threadpool(_end, request, session)
        request.state.session = None
    answer = await run_in_threadpool(page, request, "logout.html", done=True)
    answer.headers.append("Set-Cookie", cookie(SESSION, "", 0))
    return answer


def _end(request: Request, session: Session) -> None:
    sessions.end(world_of(request).signin, actor_of(session, request), session.id)
