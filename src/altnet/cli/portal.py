"""Signing in with a password: at the portal's own form, for a token that this machine keeps instead of it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlencode

from .client import API, Answer, Client
from .failure import AWAY, UNKNOWN_WHO, CommandError, RefusedError

_FORM: Final = "__Host-altnet-form"
_SESSION: Final = "__Host-altnet-session"


class _Fields(HTMLParser):
    """Collects the hidden fields of a page's forms, and what is said to be wrong."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a hidden field."""
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.found.setdefault(str(given["name"]), given.get("value") or "")


def token(client: Client, user: str, password: str, code: Callable[[], str], wanted: dict[str, Any]) -> str:
    """Sign somebody in, make the token that is wanted, sign them out again, and return the token's secret.

    ``code`` is asked for the second factor where somebody has one. Raises CommandError where they are not let in.
    """
    cookie = _sign_in(client, user, password, code)
    session = f"{_SESSION}={cookie}"
    csrf = _Fields(_page(client.send("GET", "/prove", {"Cookie": session}))).found.get("csrf", "")
    try:
        return _make(client, session, csrf, wanted)
    finally:
        _post(client, "/logout", session, {"csrf": csrf})


def _sign_in(client: Client, user: str, password: str, code: Callable[[], str]) -> str:
    """Return the session's secret."""
    first = client.send("GET", "/login", {})
    form = _cookies(first).get(_FORM, "")
    if not form:
        raise CommandError(f"{client.settings.url} is no portal", "see that the address is right: --url", AWAY)
    sent = {"csrf": form, "user": user, "password": password, "next": "/"}
    answer = _post(client, "/login", f"{_FORM}={form}", sent)
    if answer.status == 200:
        step = _Fields(_page(answer)).found.get("step", "")
        sent = {"csrf": form, "step": step, "code": code(), "next": "/"}
        answer = _post(client, "/login/second", f"{_FORM}={form}", sent)
    if (found := _cookies(answer).get(_SESSION, "")) and answer.status == 303:
        return found
    if answer.status == 429:
        wait = answer.headers.get("Retry-After", "60")
        raise CommandError("Too many tries", f"wait {wait} s", AWAY)
    if answer.status in (403, 200):
        raise CommandError("Name, password or code is wrong", "try once more: altnet login", UNKNOWN_WHO)
    raise CommandError(f"The portal answered {answer.status}", "try again in a while", AWAY)


def _make(client: Client, session: str, csrf: str, wanted: dict[str, Any]) -> str:
    import json  # noqa: PLC0415 - where it is needed

    headers = {"Cookie": session, "X-CSRF-Token": csrf, "Content-Type": "application/json"}
    answer = client.send("POST", f"{API}/tokens", headers, json.dumps(wanted).encode(), once=True)
    if answer.status != 201:
        body = answer.body if isinstance(answer.body, dict) else {}
        raise RefusedError(answer.status, body, wanted)
    return str(answer.body["secret"])


def _post(client: Client, path: str, cookie: str, fields: dict[str, str]) -> Answer:
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    return client.send("POST", path, headers, urlencode(fields, errors="surrogateescape").encode(), once=True)


def _page(answer: Answer) -> str:
    return answer.body if isinstance(answer.body, str) else ""


def _cookies(answer: Answer) -> dict[str, str]:
    """Return what an answer sets. Read by hand: the library's jar keeps no ``__Host-`` cookie of a loopback address."""
    pairs = (line.partition(";")[0].partition("=") for line in answer.headers.get_all("Set-Cookie", []))
    return {name.strip(): value.strip() for name, _, value in pairs}
