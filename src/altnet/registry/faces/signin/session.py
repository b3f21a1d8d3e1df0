"""What pages ask of a request: whose it is, whether its form is one of ours, and what to say at the next page."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, quote

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ....authenticator.messages import SECRET, cookie, own_path
from ....authenticator.seals import random
from ...domain.errors import refuse
from ...domain.model import Actor, Role
from ..world import World
from . import sessions
from .sessions import Session as Session  # noqa: PLC0414 - pages have it from here

#: Set by the web server on everything it passes on, whatever a browser sent under this name.
CLIENT: Final = "altnet-client"
SESSION, FORM, FLASH = "session", "form", "flash"
LONGEST: Final = 65_536
FIELDS: Final = 2_000
_FLASH_LIFETIME: Final = 60


class SignInError(Exception):
    """Somebody has to sign in first, or again; the page they wanted comes after that."""

    def __init__(self, path: str, *, again: bool = False) -> None:
        super().__init__(path)
        self.path, self.again = path, again


@dataclass(frozen=True)
class Form(Mapping[str, str]):
    """The fields of a form: the last value of each, and all of one by :meth:`all`."""

    fields: tuple[tuple[str, str], ...] = ()
    _last: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._last.update(self.fields)

    def __getitem__(self, key: str) -> str:
        """Return a field's value."""
        return self._last[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the fields' names."""
        return iter(self._last)

    def __len__(self) -> int:
        """Count them."""
        return len(self._last)

    def all(self, key: str) -> list[str]:
        """Return all values of a field, in their order."""
        return [value for name, value in self.fields if name == key]


def world_of(request: Request) -> World:
    """Return where everything is."""
    found: World = request.app.state.world
    return found


def client_of(request: Request) -> str:
    """Return the address that asks, as the web server saw it."""
    return request.headers.get(CLIENT) or (request.client.host if request.client else "")


def secret_of(request: Request, name: str) -> str:
    """Return the secret in a cookie of ours, empty where there is none, or what we would not have put there."""
    found = request.cookies.get(f"__Host-altnet-{name}", "")
    return found if SECRET.fullmatch(found) else ""


async def session_of(request: Request) -> Session | None:
    """Return whose request it is, None for nobody's; asked once a request."""
    state = request.state
    if not hasattr(state, "session"):
        state.session = await run_in_threadpool(sessions.find, world_of(request).signin, secret_of(request, SESSION))
    found: Session | None = state.session
    return found


def need(role: Role = Role.MEMBER, *, fresh: bool = False) -> Callable[[Request], Any]:
    """Return a dependency that gives the session of somebody with a role.

    It raises :class:`SignInError` for who has none (or has to prove anew who they are), and RegistryError("missing")
    for who may not: a page that is not for somebody is not there for them.
    """

    async def needed(request: Request) -> Session:
        session = await session_of(request)
        if session is None:
            raise SignInError(path_of(request))
        if not session.may(role):
            raise refuse("missing", "There is no such page, or it is not yours to see")
        if fresh and not session.fresh:
            raise SignInError(path_of(request), again=True)
        return session

    return needed


def path_of(request: Request) -> str:
    """Return the path to come back to after signing in: of a form, the page that it is on."""
    if request.method not in {"GET", "HEAD"}:
        origin = world_of(request).signin.origin
        referrer = request.headers.get("referer", "")
        return own_path(referrer.removeprefix(origin)) if referrer.startswith(f"{origin}/") else "/"
    query = request.url.query
    return quote(request.url.path, safe="/%:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")


def actor_of(session: Session, request: Request) -> Actor:
    """Return who acts, for the acts."""
    return Actor(session.uid, session.roles, "portal", client_of(request))


def csrf_token(request: Request) -> str:
    """Return what a form has to bring back in its field ``csrf``: the session's, or a visitor's cookie's."""
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        return session.csrf
    if not hasattr(request.state, "visitor"):
        request.state.visitor = secret_of(request, FORM) or random()
    token: str = request.state.visitor
    return token


async def read_form(request: Request) -> Form:
    """Return a form as it was sent, unjudged; RegistryError for one that is too long or no form at all."""
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise refuse("invalid", "This is no form of the portal's", "use the page")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise refuse("too-large", f"A form has at most {LONGEST // 1024} KiB", "send less at once")
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise refuse("invalid", "This form cannot be read", "use the page") from None
    clean = [(name, value.replace("\r\n", "\n").replace("\0", "")) for name, value in pairs]
    return Form(tuple(clean))


async def checked_form(request: Request) -> Form:
    """Return a form that a page of this very site has sent; RegistryError("forbidden") for any other."""
    form = await read_form(request)
    session = await session_of(request)
    mine = session.csrf if session else secret_of(request, FORM)
    sent = form.get("csrf", "")
    if not from_here(request) or not mine or not hmac.compare_digest(mine.encode(), sent.encode()):
        raise refuse("forbidden", "This form was too old, or not sent from the portal", "open the page again")
    return form


def from_here(request: Request) -> bool:
    """Say whether a request was sent by a page of this very site: browsers say where a POST comes from."""
    origin, fetch_site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    return fetch_site == "same-origin" and origin in (None, world_of(request).signin.origin)


def flash(response: Response, text: str, kind: str = "done") -> Response:
    """Have the next page say something, once."""
    value = quote(json.dumps([kind, text[:500]]), safe="")
    response.headers.append(
        "Set-Cookie",
        f"__Host-altnet-{FLASH}={value}; Max-Age={_FLASH_LIFETIME}; Path=/; Secure; HttpOnly; SameSite=Lax",
    )
    return response


def flashed(request: Request) -> tuple[str, str] | None:
    """Return what the last page wanted to be said here: its kind (done, bad) and the words."""
    from urllib.parse import unquote  # noqa: PLC0415

    try:
        kind, text = json.loads(unquote(request.cookies.get(f"__Host-altnet-{FLASH}", "")))
    except (ValueError, TypeError, RecursionError):
        return None
    return (kind, str(text)[:500]) if kind in ("done", "bad") else None


def give(response: Response, request: Request) -> Response:
    """Put cookies onto a page: a visitor's for its forms; what was flashed is taken away."""
    visitor = getattr(request.state, "visitor", "")
    if visitor and not secret_of(request, FORM):
        response.headers.append("Set-Cookie", cookie(FORM, visitor, 86_400))
    if f"__Host-altnet-{FLASH}" in request.cookies:
        response.headers.append(
            "Set-Cookie", f"__Host-altnet-{FLASH}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
        )
    return response


#: Arguments of a page's handler.
Member = Annotated[Session, Depends(need())]
Registrar = Annotated[Session, Depends(need(Role.REGISTRAR))]
Operator = Annotated[Session, Depends(need(Role.OPERATOR))]
Visitor = Annotated[Session | None, Depends(session_of)]
Sent = Annotated[Form, Depends(checked_form)]
