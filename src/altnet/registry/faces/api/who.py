"""Who asks: by a token, or in a browser by the portal's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...acts import tokens
from ...domain.errors import refuse
from ...domain.model import Actor

if TYPE_CHECKING:
    from starlette.requests import Request

#: Set by the web server on everything it passes on.
CLIENT = "altnet-client"
CSRF = "X-CSRF-Token"
COOKIE = "__Host-altnet-session"
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def world(request: Request) -> Any:  # noqa: ANN401 - until there is one
    """Return where everything is."""
    return request.app.state.world


def client(request: Request) -> str:
    """Return the address that asks, as the web server saw it."""
    return request.headers.get(CLIENT) or (request.client.host if request.client else "")


def site(of: Any) -> str:  # noqa: ANN401
    """Return the portal's address."""
    return f"https://{of.settings.site}"


def actor(of: Any, request: Request) -> Actor:  # noqa: ANN401
    """Return who asks; raises RegistryError("unauthenticated")."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind:
        if kind.lower() != "bearer" or not secret.strip() or "\0" in secret:
            raise refuse("unauthenticated", "this is no token", "send Authorization: Bearer and a token")
        return tokens.authenticate(of.desk, secret.strip(), client(request), "api")
    raise refuse("unauthenticated", "there is no token", "send Authorization: Bearer and a token")
