"""What stands before every face: how much one client may ask, how long a body may be, and what the log says."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("altnet-registry")

MEBI: Final = 1 << 20
#: By the beginning of a path, how long a body may be; forms are limited further where they are read.
BODIES: Final[Mapping[str, int]] = {"/registry.git/": 8 * MEBI, "/api/": MEBI, "": 128 * 1024}
#: What stands before a body; which part of the server reads requests decides whether it has a limit of its own.
HEAD: Final = 65_536
#: Paths whose later parts are secrets: they are in no log.
SECRET: Final = ("/join/", "/api/v1/join/", "/reset/", "/authorize", "/login", "/logout")
#: More clients than come within a minute; then all begin anew.
_MOST: Final = 50_000


class Limit:
    """Lets a client ask ``requests`` times in a minute, and write ``writes`` times: each bucket fills evenly."""

    def __init__(
        self, app: ASGIApp, *, requests: int, writes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self.clock = app, clock
        self.sizes = {"requests": requests, "writes": writes}
        self.buckets: dict[tuple[str, str], tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say for how long to wait."""
        if scope["type"] == "http" and (wait := self._wait(scope)):
            await _refuse(scope, send, 429, "Too many requests", f"wait {wait} s", (b"retry-after", str(wait).encode()))
            return
        await self.app(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        headers = Headers(scope=scope)
        client = headers.get("altnet-client") or (scope["client"][0] if scope.get("client") else "")
        kinds = ["requests"] if scope["method"] in {"GET", "HEAD", "OPTIONS"} else ["requests", "writes"]
        waits = [self._take(kind, client) for kind in kinds]
        return max(waits)

    def _take(self, kind: str, client: str) -> int:
        size, now = self.sizes[kind], self.clock()
        if len(self.buckets) > _MOST:
            self.buckets.clear()
        left, at = self.buckets.get((kind, client), (float(size), now))
        left = min(size, left + (now - at) * size / 60)
        if left < 1:
            self.buckets[kind, client] = left, now
            return max(1, int((1 - left) * 60 / size) + 1)
        self.buckets[kind, client] = left - 1, now
        return 0


class Bodies:
    """Refuses bodies that are longer than a path's limit, whatever their length is said to be, and endless heads."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that says to be short enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = next(size for start, size in BODIES.items() if scope["path"].startswith(start))
        said = Headers(scope=scope).get("content-length", "")
        if _head(scope) > HEAD:
            await _refuse(scope, send, 431, "There is too much before the body", f"send at most {HEAD} bytes")
        elif said.isdigit() and int(said) > most:
            await _refuse(scope, send, 413, "This is too large", f"send at most {most} bytes")
        else:
            await self._serve(scope, receive, send, most)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Serve a request as long as its body is short enough."""
        seen = 0
        over = False

        async def counted() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                over = True
                # As if the client had gone away: whoever reads the body stops.
                return {"type": "http.disconnect"}
            return message

        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            if over and not begun:
                return
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except Exception as error:
            # A client that has gone away is nobody's fault; where it was us who said so, it is told below.
            if not isinstance(error, ClientDisconnect) and (begun or not over):
                raise
        if over and not begun:
            await _refuse(scope, send, 413, "This is too large", f"send at most {most} bytes")


def _head(scope: Scope) -> int:
    """Return the size of what stands before a body."""
    lines = sum(len(name) + len(value) for name, value in scope["headers"])
    return lines + len(scope["path"]) + len(scope["query_string"])


class Plain:
    """Adds to every answer what it does not say itself: nobody guesses its type, frames it, or is told where it was."""

    HEADERS: Final = (
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                lines = list(message.get("headers", ()))
                there = {name.lower() for name, _ in lines}
                lines += [line for line in self.HEADERS if line[0] not in there]
                if b"set-cookie" in there and b"cache-control" not in there:
                    lines.append((b"cache-control", b"no-store"))
                message = {**message, "headers": lines}
            await send(message)

        await self.app(scope, receive, noted)


class Log:
    """Writes a line a request: what, by whom, how it ended and how long it took, never a secret or a query."""

    def __init__(self, app: ASGIApp, watch: Callable[[Scope, int, float], None] | None = None) -> None:
        self.app, self.watch = app, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.monotonic(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            seconds = time.monotonic() - begun
            if self.watch:
                self.watch(scope, status, seconds)
            if scope["method"] != "GET" or status >= 400:
                path = scope["path"]
                shown = next((start + "…" for start in SECRET if path.startswith(start)), path[:200])
                client = Headers(scope=scope).get("altnet-client", "-")
                log.info("%s %s %s %d %.0f ms", client, scope["method"], ascii(shown)[1:-1], status, seconds * 1000)


async def _refuse(
    scope: Scope, send: Send, status: int, title: str, remedy: str, *headers: tuple[bytes, bytes]
) -> None:
    """Answer before anybody has looked at the request: as problem+json to programs, in words to people."""
    if scope["path"].startswith("/nic/"):
        # Routers know this one word, and stop.
        kind, body = b"text/plain; charset=utf-8", "abuse\n"
    elif scope["path"].startswith(("/api/", "/rdap")):
        kind, body = b"application/problem+json", json.dumps(
            {"type": "about:blank", "title": title, "status": status, "detail": f"{title}: {remedy}."}
        )  # fmt: skip
    else:
        kind, body = b"text/plain; charset=utf-8", f"{title}: {remedy}.\n"
    lines = [(b"content-type", kind), (b"connection", b"close"), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body.encode()})
