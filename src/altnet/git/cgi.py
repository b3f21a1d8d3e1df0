"""Runs a CGI program for one request, without holding what it is sent, or sends, in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

CHUNK = 65_536
#: Longest head of an answer.
HEAD = 65_536

Pipe = TypeVar("Pipe")


async def run(program: str, request: Request, environment: Mapping[str, str]) -> Response:
    """Return the program's answer. What it is sent is passed on while it answers already."""
    process = await asyncio.create_subprocess_exec(
        program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=_variables(request, environment),
        limit=HEAD,
    )  # fmt: skip
    feeding = asyncio.create_task(_feed(process, request))
    try:
        stream = _there(process.stdout)
        status, headers = await _head(stream)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        await _end(process, feeding)
        return Response("The program that was to answer did not.\n", 502)
    return _Answer(status, headers, _body(process, stream, feeding))


class _Answer(Response):
    """An answer that is sent while the request is still read: Starlette's own would read from that too."""

    def __init__(self, status: int, headers: list[tuple[str, str]], parts: AsyncIterator[bytes]) -> None:
        self.status_code, self.parts, self.background = status, parts, None
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _there(stream: Pipe | None) -> Pipe:
    """Return a program's pipe, which is there because it was asked for."""
    if stream is None:
        raise ValueError("no pipe")
    return stream


def _variables(request: Request, more: Mapping[str, str]) -> dict[str, str]:
    """Return the request in CGI's terms. Of its headers only those that are asked for: none with a password."""
    found = {
        "PATH": "/usr/bin:/bin",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_PORT": "443",
        "HTTPS": "on",
        "SERVER_NAME": request.headers.get("host", ""),
        "HTTP_HOST": request.headers.get("host", ""),
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
    }
    for name in ("content-encoding", "git-protocol"):
        if name in request.headers:
            found["HTTP_" + name.upper().replace("-", "_")] = request.headers[name]
    if "content-length" in request.headers:
        found["CONTENT_LENGTH"] = request.headers["content-length"]
    return {**found, **more}


async def _feed(process: asyncio.subprocess.Process, request: Request) -> None:
    """Pass on what the client sends; one that goes away takes the program with it."""
    stdin = _there(process.stdin)
    try:
        async for part in request.stream():
            stdin.write(part)
            await stdin.drain()
    except ClientDisconnect:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        stdin.close()


async def _head(stream: asyncio.StreamReader) -> tuple[int, list[tuple[str, str]]]:
    status, headers = 200, []
    while line := (await stream.readuntil(b"\n")).rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    return status, headers


async def _body(
    process: asyncio.subprocess.Process, stream: asyncio.StreamReader, feeding: asyncio.Task[None]
) -> AsyncIterator[bytes]:
    try:
        while part := await stream.read(CHUNK):
            yield part
    finally:
        await _end(process, feeding)


async def _end(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> None:
    """Leave nothing behind: what has not ended by itself is not needed any more."""
    feeding.cancel()
    if process.returncode is None:
        # It has said all; a moment for what a hook still does.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
