"""Requests as they are read: never more than a bounded body, and JSON that is what it says it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from ...domain.errors import Fault, RegistryError, refuse
from ..metrics import note
from .problem import faults, malformed, problem, refused

#: No body is longer: a thousand RRsets with a hundred addresses each would be, and come in parts.
LONGEST = 1_000_000


class Asked(Request):
    """A request whose body is bounded."""

    async def body(self) -> bytes:
        """Return the body; raises RegistryError("too-large")."""
        if not hasattr(self, "_body"):
            parts, size = list[bytes](), 0
            async for part in self.stream():
                size += len(part)
                if size > LONGEST:
                    raise refuse("too-large", f"the body is longer than {LONGEST} bytes", "send it in parts")
                parts.append(part)
            self._body = b"".join(parts)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return what was sent; ValueError and RecursionError where it is none."""
        if not hasattr(self, "_json"):
            self._json = read(await self.body())
        return self._json

    @property
    def sent(self) -> bytes:
        """The body, once it was read."""
        return bytes(getattr(self, "_body", b""))


def read(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Parse JSON as RFC 8259 has it, and no other: UTF-8, no NaN, no halves of a surrogate pair."""
    text = body.decode()
    value = json.loads(text, parse_constant=_constant)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"look at line {error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, RecursionError):
        return "nest it less deeply"
    return "write it in UTF-8, without halves of surrogate pairs, NaN or endless numbers"


class Route(APIRoute):
    """A route all of whose refusals are problem+json, and which notes for the metrics that it was it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            note(request.scope)["route"] = "/api/v1" + self.path
            asked = Asked(request.scope, request.receive)
            try:
                unread = await self._read(asked)
                return unread or await answer(asked)
            except RegistryError as error:
                return refused(error)
            except RequestValidationError as error:
                return problem("invalid", faults(error.errors()))

        return handle

    async def _read(self, request: Asked) -> Response | None:
        """Read the body where one is taken; return what to answer where it cannot be read."""
        body = await request.body()
        if self.body_field is None or not body:
            return None
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            fault = Fault("", "type", "the body is not application/json", "set Content-Type: application/json")
            return problem("type", (fault,), {"Accept": "application/json"})
        try:
            await request.json()
        except (ValueError, RecursionError) as error:
            return malformed("the body is no JSON", _why(error), code="json")
        return None
