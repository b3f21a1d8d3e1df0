"""The one service: every face in one application, and what each of them says when something is wrong."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ..domain.errors import Fault, RegistryError, refuse
from . import guards, pages
from .git.routes import routes as git
from .metrics import Metrics
from .portal.routes import routes as portal
from .programs import Shortcut
from .programs import routes as programs
from .signin.routes import router as signin
from .signin.session import SignInError, session_of

if TYPE_CHECKING:
    from .world import World

log = logging.getLogger("altnet-registry")

#: Debian's htmx (libjs-htmx); the pages work without.
HTMX: Final = Path("/usr/share/javascript/htmx/htmx.min.js")


def make(world: World) -> FastAPI:
    """Return the application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.world = world
    metrics = Metrics(world.desk)
    for_programs = programs(world, metrics)
    app.router.routes += for_programs
    app.include_router(signin)
    app.router.routes += portal(world)
    app.router.routes += git(world)
    app.add_api_route("/healthz", _health, methods=["GET"])
    app.add_api_route("/account", _account, methods=["GET"])
    app.add_api_route("/static/htmx.js", _htmx, methods=["GET"])
    for face in ("portal", "signin"):
        app.mount(f"/static/{face}", StaticFiles(directory=pages.HERE / face / "static"))
    app.add_exception_handler(SignInError, _sign_in)
    app.add_exception_handler(RegistryError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    limits = world.settings.limits
    app.add_middleware(Shortcut, routes=for_programs)
    app.add_middleware(guards.Bodies)
    app.add_middleware(guards.Limit, requests=limits.requests, writes=limits.writes)
    app.add_middleware(guards.Plain)
    app.add_middleware(guards.Log, watch=metrics.watch)
    return app


def _health(request: Request) -> Response:
    """Say that the database answers and has this code's schema."""
    request.app.state.world.desk.store.check()
    return PlainTextResponse("well\n", headers={"Cache-Control": "no-store"})


def _account() -> Response:
    return RedirectResponse("/security", 303)


def _htmx() -> Response:
    if not HTMX.exists():
        return PlainTextResponse(
            "// htmx is not installed here; the pages work without.\n", media_type="text/javascript"
        )
    return Response(HTMX.read_bytes(), media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


async def _sign_in(_: Request, error: Exception) -> Response:
    assert isinstance(error, SignInError)  # noqa: S101 - what it is registered for
    return RedirectResponse(f"{'/prove' if error.again else '/login'}?next={quote(error.path)}", 303)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)  # noqa: S101
    await _known(request)
    return await run_in_threadpool(
        pages.page, request, "refused.html", error.status, headers=error.headers, title=error.title, faults=error.faults
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 404:
        return await _refused(request, refuse("missing", "There is no such page", "go back to the beginning"))
    if error.status_code == 405:
        return PlainTextResponse("This cannot be done with it.\n", 405, dict(error.headers or {}))
    return await _refused(request, RegistryError("invalid", (Fault("", "invalid", "This cannot be read"),)))


async def _broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 - it is logged with its trace by the server
    return PlainTextResponse(
        "Something is broken here, and was written to the log. Tell the operator when it was.\n", 500
    )


async def _known(request: Request) -> None:
    """Find whose request it is for the page's head, where the database can be asked at all."""
    try:
        await session_of(request)
    except RegistryError:
        request.state.session = None
