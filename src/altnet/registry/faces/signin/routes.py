"""The paths of sign-in."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...domain.errors import RegistryError
from ..pages import page
from . import entering, onward, resets, security
from .entering import Way
from .session import Form, Member, Sent, Visitor, client_of, flash, need, read_form, world_of
from .sessions import Session

router = APIRouter(include_in_schema=False)

Unjudged = Annotated[Form, Depends(read_form)]
#: Somebody who has proved a moment ago who they are.
Fresh = Annotated[Session, Depends(need(fresh=True))]
PLACE: Final = security.PLACE


@router.get("/login")
def login(request: Request, session: Visitor) -> Response:
    """Ask for name and password; who has signed in goes on."""
    way = Way.of(request.query_params)
    if session is not None:
        return RedirectResponse(way.next, 303)
    return entering.form_page(request, way)


@router.post("/login")
async def take_login(request: Request, form: Unjudged) -> Response:
    """Take them; what is wrong is answered at one pace, so that nobody learns which names there are."""
    begun = time.monotonic()
    answer = await run_in_threadpool(entering.enter, request, form)
    if answer.status_code == 403:
        await asyncio.sleep(begun + world_of(request).signin.times.pace - time.monotonic())
    return answer


@router.post("/login/second")
def take_second(request: Request, form: Unjudged) -> Response:
    """Take the second factor."""
    return entering.second(request, form)


@router.post("/login/passkey")
def take_passkey(request: Request, form: Unjudged) -> Response:
    """Take a passkey."""
    return entering.by_passkey(request, form)


router.add_api_route("/authorize", onward.authorize, methods=["GET"], response_model=None)
router.add_api_route("/logout", onward.logout, methods=["GET", "POST"], response_model=None)


@router.get("/prove")
def prove(request: Request, session: Member) -> Response:  # noqa: ARG001 - it is in the request's state
    """Ask once more who somebody is."""
    return security.prove_page(request, request.query_params.get("next", "/"))


@router.post("/prove")
def take_proof(request: Request, session: Member, form: Sent) -> Response:
    """Take the answer."""
    return security.prove(request, session, form)


@router.get(PLACE)
def overview(request: Request, session: Member) -> Response:
    """Show all there is."""
    return security.overview(request, session)


@router.post(f"{PLACE}/password")
def take_password(request: Request, session: Member, form: Sent) -> Response:
    """Change the password."""
    try:
        return security.set_password(request, session, form)
    except RegistryError as error:
        return security.overview(request, session, error.status, faults=error.faults)


@router.get(f"{PLACE}/totp")
def totp(request: Request, session: Fresh) -> Response:
    """Show a new second factor."""
    return security.app_page(request, session)


@router.post(f"{PLACE}/totp")
def take_totp(request: Request, session: Fresh, form: Sent) -> Response:
    """Take its first code."""
    return security.confirm_app(request, session, form)


@router.post(f"{PLACE}/totp/remove")
def remove_totp(request: Request, session: Fresh, form: Sent) -> Response:  # noqa: ARG001 - its token is judged
    """Forget it."""
    return security.remove_app(request, session)


@router.post(f"{PLACE}/recovery")
def renew_codes(request: Request, session: Fresh, form: Sent) -> Response:  # noqa: ARG001
    """Make new recovery codes."""
    return security.renew_codes(request, session)


@router.post(f"{PLACE}/passkeys")
def add_passkey(request: Request, session: Fresh, form: Sent) -> Response:
    """Add a passkey."""
    try:
        return security.add_passkey(request, session, form)
    except RegistryError as error:
        return security.overview(request, session, error.status, faults=error.faults)


@router.post(f"{PLACE}/passkeys/remove")
def remove_passkey(request: Request, session: Fresh, form: Sent) -> Response:
    """Remove one."""
    return security.remove_passkey(request, session, form)


@router.post(f"{PLACE}/sessions/end")
def end_sessions(request: Request, session: Member, form: Sent) -> Response:
    """End one session, or all."""
    return security.end_sessions(request, session, form)


@router.get("/reset/{secret}")
def reset(request: Request, secret: str, session: Visitor) -> Response:  # noqa: ARG001 - whose token the form has
    """Ask for a new password."""
    uid = resets.owner(world_of(request).signin, secret)
    return page(request, "reset.html", uid=uid, secret=secret)


@router.post("/reset/{secret}")
def take_reset(request: Request, secret: str, form: Sent) -> Response:
    """Take it."""
    signin = world_of(request).signin
    try:
        resets.use(signin, secret, form.get("password", ""), client_of(request))
    except RegistryError as error:
        if error.kind != "invalid":
            raise
        uid = resets.owner(signin, secret)
        return page(request, "reset.html", error.status, uid=uid, secret=secret, faults=error.faults)
    return flash(RedirectResponse("/login", 303), "The new password is yours. Sign in with it.")
