"""Pages that say why there is no other page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ...domain.errors import Fault, RegistryError, refuse
from ..signin.session import session_of
from .view import HEADERS, View

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOG = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Have every error answered with a page in words."""
    app.add_exception_handler(RegistryError, refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def refused(request: Request, error: Exception) -> Response:
    """Answer an act that was refused."""
    assert isinstance(error, RegistryError)  # noqa: S101  # what it is registered for
    return View(request, await session_of(request)).page("error.html", error=error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code in {404, 405}:
        what = "There is no such page"
        return await refused(request, refuse("missing", what, "see that the address is whole, or begin at the start"))
    told = RegistryError("invalid", (Fault("", "request", "This request cannot be read"),))
    response = await refused(request, told)
    response.status_code = error.status_code
    return response


async def _broken(_: Request, __: Exception) -> Response:
    # Nothing of the portal is asked any more: what is broken may be what a page needs.
    text = (
        '<!doctype html><html lang="en"><title>Something is broken</title><h1>Something is broken</h1>'
        '<p>It was written to the log. Try again, and tell the operator when it was if it stays so. <a href="/">To the '
        "start</a></p></html>"
    )
    return HTMLResponse(text, 500, headers=dict(HEADERS))
