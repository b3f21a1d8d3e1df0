"""The repositories over HTTPS, for who has a token; git's own program does the rest."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ....git import cgi
from ...acts import tokens
from ...domain.errors import RegistryError
from ...domain.model import Actor, Role
from ...storage.snapshots import OPERATORS, PUBLIC
from ..signin.session import client_of
from .pushed import ACTOR, packed

if TYPE_CHECKING:
    from ..world import World

BACKEND: Final = "/usr/lib/git-core/git-http-backend"
_VERBS: Final = ("info/refs", "git-upload-pack", "git-receive-pack")
_LOGIN: Final = {"WWW-Authenticate": 'Basic realm="altnet: your name, and a token as the password", charset="UTF-8"'}
_KEPT: Final = re.compile(r"PYTHON[A-Z]*|ALTNET_[A-Z_]*|PATH|LANG|LC_[A-Z]+")


def routes(world: World) -> list[BaseRoute]:
    """Return the paths of both repositories; none where nothing is exported."""
    if not world.settings.git.place:
        return []
    return [
        Route(f"/{name}.git/{verb}", _endpoint(world, name, verb, role), methods=["GET", "POST"])
        for name, role in ((PUBLIC, Role.MEMBER), (OPERATORS, Role.OPERATOR))
        for verb in _VERBS
    ]


def _endpoint(world: World, name: str, verb: str, role: Role) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        service = request.query_params.get("service", "") if verb == "info/refs" else verb
        if service not in _VERBS[1:] or (name == OPERATORS and service == _VERBS[2]):
            return PlainTextResponse("Only git's smart protocol is spoken here.\n", 403)
        actor = await run_in_threadpool(_who, world, request)
        if isinstance(actor, Response):
            return actor
        writes = service == _VERBS[2]
        if not actor.may(role) or not _verbs(actor, "write" if writes else "read", role):
            return PlainTextResponse("This token may not do that here.\n", 403)
        return await cgi.run(BACKEND, request, _environment(world, request, name, verb, actor))

    return answer


def _verbs(actor: Actor, verb: str, role: Role) -> bool:
    verbs = actor.scope.verbs if actor.scope else ("full",)
    return "full" in verbs or (verb in verbs and role is Role.MEMBER)


def _who(world: World, request: Request) -> Actor | Response:
    """Return whose token it is, given as a password or as a bearer."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    secret = value.strip()
    if kind.lower() == "basic":
        try:
            secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            secret = ""
    elif kind.lower() != "bearer":
        secret = ""
    if not secret:
        return PlainTextResponse("Who are you? Give a token as the password.\n", 401, _LOGIN)
    try:
        return tokens.authenticate(world.desk, secret, client_of(request), "git")
    except RegistryError as error:
        return PlainTextResponse(f"{error}\n", error.status, _LOGIN if error.status == 401 else None)


def _environment(world: World, request: Request, name: str, verb: str, actor: Actor) -> dict[str, str]:
    place = world.settings.git.place
    kept = {key: value for key, value in os.environ.items() if _KEPT.fullmatch(key)}
    return {
        **kept,
        "GIT_PROJECT_ROOT": place,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{name}.git/{verb}",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "HOME": str(Path(place)),
        "REMOTE_USER": actor.uid,
        "REMOTE_ADDR": client_of(request),
        ACTOR: packed(actor),
    }
