"""The API's application, and the document that describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ...domain.errors import Fault, RegistryError
from ..metrics import note
from . import document, joining, keys, names, numbers, passing, people, problem, records, running

if TYPE_CHECKING:
    from ..world import World

#: The most asked for first: routes are looked for in this order.
ROUTERS = (names, records, people, keys, passing, numbers, joining, running)


class Raw:
    """Has routes found in the path as it was sent: a slash within a part (%2F, in a prefix) is no separator."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        raw = scope.get("raw_path")
        if scope["type"] == "http":
            note(scope)["route"] = "/api/v1"
        if scope["type"] == "http" and raw:
            path = raw.partition(b"?")[0].decode("ascii", "replace")
            scope = {**scope, "path": path}
        await self.app(scope, receive, send)


def make(world: World) -> FastAPI:
    """Return the application to mount at /api/v1."""
    app = FastAPI(
        title="Altnet registry",
        version="1",
        description=document.ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.world = world
    for module in ROUTERS:
        app.include_router(module.router)
    app.add_api_route(
        "/problems/{kind}", _explain, methods=["GET"], tags=["problems"], response_model=None, name="get_problem"
    )
    app.add_route("/openapi.json", _document, include_in_schema=False)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RegistryError, _registry)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(Raw)
    app.openapi = lambda: document.of(app)  # type: ignore[method-assign]
    return app


def _explain(kind: str) -> Response:
    """Read what a kind of refusal means: the ``type`` of every problem leads here. Anybody."""
    if kind not in problem.ALL:
        return problem.problem("missing", (Fault("kind", "missing", "there is no such kind of problem"),))
    status, title = problem.ALL[kind]
    return Response(f"{status} {kind}: {title}.\n", media_type="text/plain")


async def _document(request: Request) -> Response:
    return Response(_text(request.app), media_type="application/json", headers={"Cache-Control": "max-age=300"})


def _text(app: FastAPI) -> bytes:
    return json.dumps(app.openapi(), ensure_ascii=False).encode()


async def _registry(_: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)  # noqa: S101 - what it is registered for
    return problem.refused(error)


async def _broken(_: Request, __: Exception) -> Response:
    fault = Fault("", "internal", "something is broken, and was written to the log", "tell the operator when it was")
    return problem.problem("internal", (fault,))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:
        allow = ", ".join(sorted(_methods(request)))
        fault = Fault("", "method", "it has no such method", f"it takes {allow}")
        return problem.problem("method", (fault,), {"Allow": allow})
    if error.status_code == 404:
        fault = Fault("", "missing", "there is nothing at this path", "look at /api/v1/openapi.json")
        return problem.problem("missing", (fault,))
    return problem.malformed("the request cannot be read")


def _methods(request: Request) -> set[str]:
    """Return what a path takes: one path has a route for each method."""
    document = request.app.openapi()
    at = request.scope["path"].removeprefix(request.scope.get("root_path", "")).split("/")
    return {
        method.upper()
        for path, methods in document["paths"].items()
        for method in methods
        if len(parts := path.split("/")) == len(at)
        and all(part == there or part.startswith("{") for part, there in zip(parts, at, strict=True))
    }
