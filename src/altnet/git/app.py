"""The service: git's smart protocol for those who may, with a password of the directory, and pages for everybody."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..authenticator.limit import Limit
from ..authenticator.people import DirectoryError, People
from . import cgi
from .rights import Repository

BACKEND = "/usr/lib/git-core/git-http-backend"
PAGES = "/usr/lib/cgit/cgit.cgi"
WRITES = "git-receive-pack"
#: The smart protocol; the other one, files by their names, is not offered.
_ASKED = re.compile(r"/([a-z0-9._-]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
SAID = {
    401: "Who are you?\n",
    403: "You may read this repository, and not write it.\n",
    404: "There is no such repository.\n",
    429: "Too many wrong passwords. Wait a while.\n",
    503: "The directory does not answer.\n",
}
_LOGIN = {"WWW-Authenticate": 'Basic realm="The network", charset="UTF-8"'}


@dataclass(frozen=True)
class Context:
    """What the service knows. ``place`` has the repositories, ``pages`` is cgit's configuration."""

    repositories: Mapping[str, Repository]
    people: People
    limit: Limit
    place: str
    pages: str = "/etc/altnet/git/cgitrc"

    def login(self, user: str, password: str, client: str) -> int:
        """Return 200 for who it is, 401 for who it is not, 429 and 503 where nobody can tell now."""
        now = time.time()
        if self.limit.wait(user, client, now):
            return 429
        # Counted before it is asked: many at once are no way around.
        self.limit.failed(user, client, now)
        try:
            good = self.people.directory.authenticate(user, password)
        except DirectoryError:
            self.limit.untried(user, client, now)
            return 503
        if good:
            self.limit.passed(user, client, now)
        return 200 if good else 401


def make(context: Context) -> Starlette:
    """Return the ASGI application."""

    async def answer(request: Request) -> Response:
        asked = _ASKED.fullmatch(request.url.path)
        if asked is None:
            return await _page(context, request)
        return await _git(context, request, asked[1], asked[2])

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


async def _git(context: Context, request: Request, name: str, verb: str) -> Response:
    service = request.query_params.get("service", "") if verb == "info/refs" else verb
    if service not in {"git-upload-pack", WRITES}:
        return PlainTextResponse("Only git's smart protocol is spoken here.\n", 403)
    found = await run_in_threadpool(_judge, context, request, name, service == WRITES)
    if isinstance(found, Response):
        return found
    environment = {
        "GIT_PROJECT_ROOT": context.place, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": f"/{name}.git/{verb}",
        "GIT_CONFIG_NOSYSTEM": "1", "HOME": context.place, "REMOTE_ADDR": _client(request),
        **({"REMOTE_USER": found} if found else {}),
    }  # fmt: skip
    return await cgi.run(BACKEND, request, environment)


def _judge(context: Context, request: Request, name: str, writes: bool) -> Response | str:
    """Return who it is that may do that, "" for anybody, or why not."""
    repository = context.repositories.get(name)
    if repository is not None and repository.allows(None, writes=writes):
        return ""
    user, password = _basic(request)
    if not user:
        return PlainTextResponse(SAID[401], 401, _LOGIN)
    status = context.login(user, password, _client(request))
    if status != 200:
        return PlainTextResponse(SAID[status], status, _LOGIN if status == 401 else None)
    try:
        groups = context.people.groups(user)
    except DirectoryError:
        return PlainTextResponse(SAID[503], 503)
    if repository is not None and repository.allows(groups, writes=writes):
        return user
    # Whoever may not read it is not told that it is there.
    hidden = repository is None or not repository.allows(groups, writes=False)
    return PlainTextResponse(SAID[404 if hidden else 403], 404 if hidden else 403)


def _client(request: Request) -> str:
    """Return whom the web server speaks for; it alone can reach the socket."""
    said: str = request.headers.get("x-forwarded-for", "")
    return said.rpartition(",")[2].strip()


def _basic(request: Request) -> tuple[str, str]:
    """Return the name and the password that a client gives; empty where it gives none."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


async def _page(context: Context, request: Request) -> Response:
    """Show what everybody may see: nothing else is in the pages' configuration."""
    if request.method != "GET":
        return PlainTextResponse("There is nothing here.\n", 404)
    environment = {
        "CGIT_CONFIG": context.pages,
        "PATH_INFO": request.url.path,
        "SCRIPT_NAME": "",
        "HOME": "/nonexistent",
    }
    return await cgi.run(PAGES, request, environment)
