"""The registry's API: one request at a time, asked again where the network or the registry was away for a moment."""

from __future__ import annotations

import json
import random
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException
from typing import IO, Any, Final
from urllib.parse import quote, urlencode

from .failure import AWAY, UNKNOWN_WHO, USAGE, CommandError, RefusedError
from .settings import Settings

API: Final = "/api/v1"
LONGEST: Final = 32 << 20
#: How often something is asked, and for how long at most the registry is waited for where it says so, in seconds.
TRIES: Final = 5
PATIENCE: Final = 30.0
_AGAIN: Final = frozenset((429, 502, 503, 504))
_SAFE: Final = frozenset(("GET", "HEAD"))


@dataclass(frozen=True)
class Answer:
    """What was answered: JSON, or text where it was none."""

    status: int
    headers: Message
    body: Any

    @property
    def version(self) -> str:
        """The ETag, to send back as If-Match; empty where there was none."""
        return self.headers.get("ETag", "")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a token goes where it was told to go, and nowhere else."""

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any  # noqa: ANN401
    ) -> None:  # fmt: skip
        """Return nothing, for the redirect to come back as an answer."""

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@dataclass
class Client:
    """A way to one registry."""

    settings: Settings
    token: Callable[[], str]
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    _opener: urllib.request.OpenerDirector | None = field(default=None, init=False, repr=False)

    def get(self, *path: str, **query: object) -> Answer:
        """Read something."""
        return self.ask("GET", path, query=query)

    def ask(
        self,
        method: str,
        path: tuple[str, ...],
        body: Any = None,  # noqa: ANN401 - JSON
        *,
        query: Mapping[str, object] | None = None,
        if_match: str = "",
        anonymous: bool = False,
        once: bool = False,
    ) -> Answer:
        """Ask the API; RefusedError where it refuses, CommandError where nobody answers.

        A write carries a key by which the registry does it once, however often it is asked for; ``once`` is for what
        has no such key.
        """
        headers = {"Accept": "application/json, application/problem+json"}
        if not anonymous:
            headers["Authorization"] = f"Bearer {self._token()}"
        if if_match:
            headers["If-Match"] = if_match
        if method not in _SAFE and not once:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        given = {key: value for key, value in (query or {}).items() if value not in (None, "", False)}
        asked = where(*path) + (f"?{urlencode({key: _word(value) for key, value in given.items()})}" if given else "")
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogateescape")
        if data is not None:
            headers["Content-Type"] = "application/json"
        answer = self.send(method, API + asked, headers, data, once=once)
        if answer.status >= 300:
            raise RefusedError(answer.status, _problem(answer), body)
        return answer

    def pages(self, *path: str, limit: int = 0, **query: object) -> Iterator[dict[str, Any]]:
        """Yield a list's items, page by page; ``limit`` of them at most, 0 for all."""
        cursor, seen = None, 0
        while True:
            size = min(200, limit - seen) if limit else 200
            body = self.get(*path, **query, limit=size, cursor=cursor).body
            for item in body["items"]:
                yield item
                seen += 1
            cursor = body.get("next")
            if cursor is None or (limit and seen >= limit):
                return

    def send(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes | None = None, *, once: bool = False
    ) -> Answer:
        """Send a request as it is, again where that may help, and return what came back, whatever its status."""
        request = urllib.request.Request(  # noqa: S310 - settings.checked has seen to it that it is http or https
            self.settings.url + path, data, {"User-Agent": "altnet", **headers}, method=method
        )
        for turn in range(TRIES):
            last = turn == TRIES - 1
            try:
                answer = self._open(request)
            except (OSError, HTTPException) as error:
                reason = getattr(error, "reason", error)
                if last or isinstance(reason, ssl.SSLError) or (once and not _unsent(reason)):
                    raise self._away(reason) from None
                self.sleep(_pause(turn))
                continue
            again = answer.status in _AGAIN and not (once and answer.status != 429)
            wait = _pause(turn, answer.headers.get("Retry-After", ""))
            if not again or last or wait > PATIENCE:
                return answer
            self.sleep(wait)
        raise AssertionError

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._way().open(request, timeout=self.timeout) as response:
                return Answer(response.status, response.headers, _read(response))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, _read(error))

    def _way(self) -> urllib.request.OpenerDirector:
        if self._opener is None:
            try:
                trust = ssl.create_default_context(cafile=self.settings.ca or None)
            except OSError as error:
                what = f"{self.settings.ca} is no file of certificates ({error.strerror or error})"
                raise CommandError(what, "give the network's root with --ca", USAGE) from None
            self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _Stay)
        return self._opener

    def _token(self) -> str:
        if found := self.token():
            if not found.isascii() or not found.isprintable() or " " in found:
                raise CommandError("This is no token", "log in anew: altnet login", UNKNOWN_WHO)
            return found
        raise CommandError("You are not logged in", "log in: altnet login", UNKNOWN_WHO)

    def _away(self, reason: object) -> CommandError:
        if isinstance(reason, ssl.SSLCertVerificationError):
            remedy = "give the network's root with --ca FILE, or have this machine trust it"
            return CommandError(
                f"{self.settings.url} is not known to be genuine: {reason.verify_message}", remedy, AWAY
            )
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return CommandError(f"{self.settings.url} does not answer ({said})", "try again in a while", AWAY)


def where(*parts: str) -> str:
    """Return a path; a slash within a part is none of the path's."""
    if not all(parts):
        raise CommandError("A name is empty", "write it out", USAGE)
    return "".join(f"/{quote(part, safe='', errors='surrogateescape')}" for part in parts)


def _word(value: object) -> str:
    return "true" if value is True else str(value)


def _pause(turn: int, told: str = "") -> float:
    """Return how long to wait before the next try: twice as long each time, or as the registry says."""
    if told.isdigit():
        return float(told)
    return float((0.25 * 2**turn) * random.uniform(0.8, 1.2))  # noqa: S311 - no secret


def _unsent(reason: object) -> bool:
    """Say whether a request cannot have been read by anybody."""
    return isinstance(reason, ConnectionRefusedError)


def _read(response: Any) -> Any:  # noqa: ANN401 - urllib's two kinds of answers; JSON
    data = response.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise CommandError("The answer is too long", "ask for less with --limit")
    text = data.decode("utf-8", "replace")
    kind = (response.headers.get_content_type() or "").lower()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _problem(answer: Answer) -> Mapping[str, Any]:
    if isinstance(answer.body, Mapping):
        return answer.body
    if answer.status in range(300, 400):
        what = "The registry is somewhere else: " + str(answer.headers.get("Location", ""))[:200]
        return {"title": what, "status": answer.status, "detail": ""}
    return {"title": f"The registry answered {answer.status}", "status": answer.status, "detail": ""}
