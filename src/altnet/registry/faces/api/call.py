"""One call of the API: who asks, what they read before, and an answer that is the same if it is asked twice."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from ...acts import idempotency
from ...domain.errors import RegistryError, refuse
from ...domain.model import Actor
from ..signin.session import world_of
from . import who
from .asked import Asked

if TYPE_CHECKING:
    from ...acts.desk import Desk

JSON = "application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')


@dataclass(frozen=True)
class Reply:
    """What is answered. ``version`` makes the ETag; fields named in ``secret`` are answered once and kept nowhere."""

    body: Mapping[str, Any] | None
    status: int = 200
    version: int | None = None
    location: str = ""
    secret: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, more: Mapping[str, str] | None = None) -> Response:
        """Return it for HTTP."""
        headers = {"Cache-Control": "no-store" if self.secret else "private, no-cache", **self.headers, **(more or {})}
        if self.version is not None:
            headers["ETag"] = f'"{self.version}"'
        if self.location:
            headers["Location"] = self.location
        if self.body is None:
            return Response(None, self.status, headers)
        return Response(_json(self.body), self.status, headers, JSON)

    def kept(self) -> bytes:
        """Return what is kept for who asks again: all but its secrets."""
        body = None if self.body is None else {**self.body, **dict.fromkeys(self.secret)}
        return _json({"body": body, "version": self.version, "location": self.location})

    @classmethod
    def again(cls, status: int, kept: bytes) -> Reply:
        """Return what was kept."""
        return cls(status=status, **json.loads(kept))


def _json(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return _encode(value).encode()


class Call:
    """A request, for those who answer it in a thread."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.world = world_of(request)

    @property
    def desk(self) -> Desk:
        """Where acts are done."""
        found: Desk = self.world.desk
        return found

    @cached_property
    def actor(self) -> Actor:
        """Who asks; raises RegistryError("unauthenticated")."""
        return who.actor(self.world, self.request)

    @property
    def if_match(self) -> int | None:
        """The version that the caller read; None where any will do. Raises RegistryError("stale")."""
        sent = self.request.headers.get("if-match")
        if sent is None or sent.strip() == "*":
            return None
        found = _TAG.fullmatch(sent.strip())
        if found is None:
            raise refuse("stale", "If-Match is no ETag of this", "send the ETag that you read", at="If-Match")
        return int(found[1])

    def show(self, body: Mapping[str, Any], version: int | None = None) -> Response:
        """Answer what was read; 304 where the caller has it already."""
        if version is not None and self._has(version):
            return Response(None, 304, {"ETag": f'"{version}"', "Cache-Control": "private, no-cache"})
        return Reply(body, version=version).response()

    def _has(self, version: int) -> bool:
        sent = self.request.headers.get("if-none-match", "")
        return sent.strip() == "*" or str(version) in _TAG.findall(sent)

    def page(self, items: list[dict[str, Any]], cursor: str | None) -> Response:
        """Answer a part of a list, with where it goes on in a Link header (RFC 8288)."""
        headers = {}
        if cursor is not None:
            query = [(name, value) for name, value in self.request.query_params.multi_items() if name != "cursor"]
            headers["Link"] = f'<{self.request.scope["path"]}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'
        return Reply({"items": items, "next": cursor}, headers=headers).response()

    def write(self, act: Callable[[], Reply]) -> Response:
        """Answer an act; with an Idempotency-Key it is done once, however often it is asked for."""
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return act().response()
        if not _KEY.fullmatch(key):
            raise RegistryError(
                "invalid",
                refuse("invalid", "the key has up to 128 letters, digits and signs", at="Idempotency-Key").faults,
            )
        done = list[Reply]()

        def once() -> tuple[int, bytes]:
            done.append(act())
            return done[0].status, done[0].kept()

        status, kept, replayed = idempotency.once(self.desk, self.actor, key, self._digest(), once)
        if replayed:
            return Reply.again(status, kept).response({"Idempotency-Replayed": "true"})
        return done[0].response()

    def _digest(self) -> str:
        """Return a digest of everything that says what is asked for."""
        request = self.request
        sent = request.sent if isinstance(request, Asked) else b""
        asked = (request.method, request.scope["path"], request.url.query, request.headers.get("if-match", ""))
        return hashlib.sha256("\n".join(asked).encode() + b"\n" + sent).hexdigest()


async def _call(request: Request) -> Call:
    return Call(request)


#: A handler's first argument.
Caller = Annotated[Call, Depends(_call)]
