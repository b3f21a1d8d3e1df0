"""What a page's handler has in hand: who asks, in which language, and how to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...acts.desk import Desk
from ...domain.errors import RegistryError
from ...domain.model import Actor, Role
from ..pages import HEADERS as COMMON
from ..pages import POLICY
from ..signin import session as asked
from ..signin.session import Form, Session
from ..world import World
from . import look, words
from .faults import Faults

HEADERS = {**COMMON, "Content-Security-Policy": POLICY.format(forms="'self'")}


class View:
    """One request's page."""

    def __init__(self, request: Request, session: Session | None) -> None:
        self.request = request
        self.session = session
        self.world: World = asked.world_of(request)
        self.desk: Desk = self.world.desk

    @property
    def actor(self) -> Actor:
        """Who acts; only where somebody is signed in."""
        assert self.session is not None  # noqa: S101  # the handler's dependency saw to it
        return asked.actor_of(self.session, self.request)

    @property
    def inline(self) -> bool:
        """Whether HTMX asks, for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def now(self) -> datetime:
        """The time."""
        return self.desk.clock()

    def query(self, name: str, most: int = 500) -> str:
        """Return a field of the query, empty where there is none."""
        return self.request.query_params.get(name, "").replace("\0", "").strip()[:most]

    def say(self, text: str, **values: object) -> str:
        """Return a text in the reader's language."""
        said = words.catalogue(self._language("base.html")).gettext(text)
        return said % values if values else said

    def page(
        self, template: str, *, error: RegistryError | None = None, form: Mapping[str, str] | None = None,
        status: int = 200, **context: Any,  # noqa: ANN401
    ) -> Response:  # fmt: skip
        """Return a page; with an error it is the same form again, with what was sent and what is wrong with it."""
        language = self._language(template)
        context |= {
            "view": self,
            "session": self.session,
            "site": self.world.settings.site,
            "path": self.request.url.path,
            "csrf": asked.csrf_token(self.request),
            "flash": None if self.inline else asked.flashed(self.request),
            "request": self.request,
            "faults": Faults.of(error),
            "form": form or {},
            "now": self.now,
            "roles": [role.value for role in Role if self.session is not None and self.session.may(role)],
        }
        text = look.render(template, language, **context)
        response = HTMLResponse(text, error.status if error else status, headers=dict(HEADERS))
        response.headers["Content-Language"] = language
        response.headers["Vary"] = "Accept-Language, HX-Request"
        if error is not None:
            response.headers.update(error.headers)
        return response if self.inline else asked.give(response, self.request)

    def again(self, template: str, error: RegistryError, form: Form, **context: Any) -> Response:  # noqa: ANN401
        """Return a form again with what is wrong; what is not there, or not theirs, has a page of its own."""
        fields = {fault.field.partition("[")[0].rpartition(".")[2] for fault in error.faults}
        if error.kind in {"missing", "forbidden", "unauthenticated"} and not fields & set(form):
            raise error
        return self.page(template, error=error, form=form, **context)

    def go(self, path: str, said: str = "", kind: str = "done") -> Response:
        """Send the browser on after something was done (303), and say so on the next page."""
        response = RedirectResponse(path, 303, headers=dict(HEADERS))
        return asked.flash(response, said, kind) if said else response

    def _language(self, template: str) -> str:
        return look.language_for(template, self.request.headers.get("accept-language", ""))


def version_of(form: Mapping[str, str]) -> int | None:
    """Return the version that a form was made of, None for none that is one."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _viewer(role: Role, *, fresh: bool = False) -> Callable[[Request], Awaitable[View]]:
    needed = asked.need(role, fresh=fresh)

    async def viewer(request: Request) -> View:
        return View(request, await needed(request))

    return viewer


async def _visitor(request: Request) -> View:
    return View(request, await asked.session_of(request))


#: Arguments of handlers: for anybody, members, members who proved a moment ago who they are, registrars, operators.
Anybody = Annotated[View, Depends(_visitor)]
Member = Annotated[View, Depends(_viewer(Role.MEMBER))]
Fresh = Annotated[View, Depends(_viewer(Role.MEMBER, fresh=True))]
Registrar = Annotated[View, Depends(_viewer(Role.REGISTRAR))]
Operator = Annotated[View, Depends(_viewer(Role.OPERATOR))]
Sent = asked.Sent
