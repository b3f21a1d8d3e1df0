"""Requests and replies, without a framework: what of HTTP the sign-on needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: Said of every reply: nobody keeps it, frames it, or is told where it was.
PLAIN_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: What our secrets look like.
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
#: Longer than any path that a person comes back to.
LONGEST_PATH = 2048


@dataclass(frozen=True)
class Request:
    """What the web server tells of a request; ``headers`` have their names in lower case."""

    method: str
    path: str
    site: str
    client: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def cookie(self, name: str) -> str:
        """Return the secret in a cookie of ours, empty where there is none, or what we would not have put there."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == f"__Host-altnet-{name}" and SECRET.fullmatch(value):
                return value
        return ""

    @property
    def from_here(self) -> bool:
        """Whether a form was sent by a page of this very site: browsers say where a POST comes from."""
        origin = self.headers.get("origin")
        fetch_site = self.headers.get("sec-fetch-site", "same-origin")
        return fetch_site == "same-origin" and origin in (None, f"https://{self.site}")

    @property
    def navigates(self) -> bool:
        """Whether a person waits for a page, as opposed to a script for data."""
        mode = self.headers.get("sec-fetch-mode")
        if self.method not in {"GET", "HEAD"} or mode not in {None, "navigate"}:
            return False
        return mode == "navigate" or "text/html" in self.headers.get("accept", "")


@dataclass(frozen=True)
class Reply:
    """An answer; ``cookies`` are values with their lifetime, 0 takes one away."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def lines(self) -> list[tuple[str, str]]:
        """Return all headers."""
        kind = "text/html; charset=utf-8" if self.body.startswith("<!") else "text/plain; charset=utf-8"
        plain = {**PLAIN_HEADERS, "Content-Type": kind, **self.headers}
        return [*plain.items(), *(("Set-Cookie", cookie(name, *value)) for name, value in self.cookies.items())]


def cookie(name: str, value: str, lifetime: int) -> str:
    """Return a cookie for this host alone: the prefix has browsers refuse it with a domain, or without TLS."""
    return f"__Host-altnet-{name}={value}; Max-Age={lifetime}; Path=/; Secure; HttpOnly; SameSite=Lax"


def redirect(where: str, **cookies: tuple[str, int]) -> Reply:
    """Send a browser somewhere else, by GET."""
    return Reply(303, headers={"Location": where}, cookies=cookies)


def own_path(text: str) -> str:
    """Return a path on the same site, ``/`` for anything that a browser would take for another site."""
    if len(text) > LONGEST_PATH or not text.isascii() or not text.isprintable() or "\\" in text or " " in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return "/"
    return text
