"""The service itself: Starlette between the web server's socket and the decisions in ``sites`` and ``login``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from . import login, sites
from .context import Context
from .messages import Reply, Request

#: A form with two fields; anything longer is none of ours.
LONGEST_FORM = 16_384
FIELDS = 10
#: Set by the web server on everything it passes on, whatever a browser sent under these names.
SITE, CLIENT, METHOD, URI = "altnet-site", "altnet-client", "altnet-method", "altnet-uri"

Decision = Callable[[Context, Request], Reply]
#: By path, what answers at the login page's site, and at all others.
AT_LOGIN: dict[str, Decision] = {"/": login.front, "/authorize": login.authorize, "/logout": login.logout}
AT_SITES: dict[str, Decision] = {"/.altnet/callback": sites.callback, "/.altnet/logout": sites.logout}


def make(context: Context) -> Starlette:
    """Return the ASGI application."""
    routes = [Route("/check", _endpoint(context, sites.check, asked=True), methods=["GET"])]
    for places, at_login in ((AT_LOGIN, True), (AT_SITES, False)):
        routes += [
            Route(path, _endpoint(context, decision, at_login=at_login), methods=["GET", "POST"])
            for path, decision in places.items()
        ]
    return Starlette(routes=routes)


def _endpoint(
    context: Context, decision: Decision, *, asked: bool = False, at_login: bool = False
) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def answer(raw: HttpRequest) -> Response:
        request = await _request(raw, asked=asked)
        if request is None:
            return _response(Reply(413, "Too long.\n"))
        if not asked and (request.site == context.settings.login) is not at_login:
            return _response(Reply(404, "There is nothing here.\n"))
        return _response(await run_in_threadpool(decision, context, request))

    return answer


async def _request(raw: HttpRequest, *, asked: bool) -> Request | None:
    """Return a request in our terms; where the server asks about another one, that one."""
    headers = {key.lower(): value for key, value in raw.headers.items()}
    body = b""
    if raw.method == "POST":
        async for part in raw.stream():
            body += part
            if len(body) > LONGEST_FORM:
                return None
    return Request(
        method=headers.get(METHOD, "GET") if asked else raw.method,
        path=headers.get(URI, "/") if asked else raw.url.path,
        site=headers.get(SITE, ""),
        client=headers.get(CLIENT, ""),
        query=dict(raw.query_params),
        form=_form(body),
        headers=headers,
    )


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        return {}


def _response(reply: Reply) -> Response:
    response = Response(reply.body, reply.status)
    for name, value in reply.lines():
        if name == "Set-Cookie":
            response.headers.append(name, value)
        else:
            response.headers[name] = value
    return response
