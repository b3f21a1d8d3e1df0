"""Who asks: by a token, or in a browser by the portal's session."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from ...acts import tokens
from ...domain.errors import RegistryError, refuse
from ...domain.model import Actor
from ..metrics import note
from ..signin import session, sessions

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..world import World

CSRF: Final = "X-CSRF-Token"
COOKIE: Final = f"__Host-altnet-{session.SESSION}"
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))


def actor(world: World, request: Request) -> Actor:
    """Return who asks; raises RegistryError: unauthenticated, or forbidden for an act without its CSRF token."""
    sent = request.headers.get("authorization")
    if sent is not None:
        return _bearer(world, request, sent)
    found = sessions.find(world.signin, session.secret_of(request, session.SESSION))
    if found is None:
        raise refuse("unauthenticated", "there is no token", "send Authorization: Bearer and a token of yours")
    token = request.headers.get(CSRF, "")
    ours = session.from_here(request) and hmac.compare_digest(found.csrf.encode(), token.encode())
    if request.method not in _SAFE and not ours:
        raise refuse("forbidden", "this was not sent from the portal", f"send the page's {CSRF}", at=CSRF, code="csrf")
    return session.actor_of(found, request)


def _bearer(world: World, request: Request, sent: str) -> Actor:
    kind, _, secret = sent.partition(" ")
    try:
        if kind.lower() != "bearer" or not secret.strip() or "\0" in secret:
            raise refuse("unauthenticated", "this is no token", "send Authorization: Bearer and a token of yours")
        return tokens.authenticate(world.desk, secret.strip(), session.client_of(request), "api")
    except RegistryError as error:
        if error.kind == "unauthenticated":
            note(request.scope)["failed"] = "api"
        raise
