"""What browsers are told beside the content: what a page may do, how long it may be kept, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

#: For our own content: everything from this site, styles within pages, nothing embedded elsewhere.
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
#: For an application, which knows best what its pages do, unless the inventory says more.
PROXY_POLICY = "frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
ALWAYS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
#: An application that says something of its own about these has its way.
UNLESS_SAID = {
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def security(site: Mapping[str, Any], *, tls: bool = True) -> list[Object]:
    """Return the handlers that set what every answer of a site carries."""
    default = PROXY_POLICY if site["kind"] == "proxy" else POLICY
    always: Object = {"deferred": True, "set": {key: [value] for key, value in ALWAYS.items()}, "delete": ["Server"]}
    if not tls:  # where anybody could say it in the site's place
        del always["set"]["Strict-Transport-Security"]
    if site["policy"]:
        always["set"]["Content-Security-Policy"] = [site["policy"]]
        return [{"handler": "headers", "response": always}, *map(_unless_said, UNLESS_SAID.items())]
    softer = {**UNLESS_SAID, "Content-Security-Policy": default}
    return [{"handler": "headers", "response": always}, *map(_unless_said, sorted(softer.items()))]


def _unless_said(header: tuple[str, str]) -> Object:
    name, value = header
    return {"handler": "headers", "response": {"require": {"headers": {name: None}}, "set": {name: [value]}}}


def caching(site: Mapping[str, Any]) -> list[Object]:
    """Return the handler that says how long files may be kept. What is for some people is kept by nobody else."""
    if site["kind"] == "proxy":
        return [_unless_said(("Cache-Control", "private, no-cache"))] if site["groups"] else []
    value = "private, no-cache" if site["groups"] else f"public, max-age={site['cache']}"
    return [_unless_said(("Cache-Control", value))]


def certificates() -> Object:
    """Return the handler that has a device offer to install the network's root, instead of showing its text."""
    matched = {"match": [{"path": ["/root*.pem", "/root*.crt"]}]}
    kind: Object = {"handler": "headers", "response": {"set": {"Content-Type": ["application/x-x509-ca-cert"]}}}
    return {"handler": "subroute", "routes": [{**matched, "handle": [kind]}]}


def uncached() -> Object:
    """Return the handler for what nobody may keep: it came without TLS."""
    return {"handler": "headers", "response": {"set": {"Cache-Control": ["no-store"]}}}


def misdirected() -> Object:
    """Answer what is for no site here."""
    return {"handle": [{"handler": "static_response", "status_code": 421, "body": "There is no such site here.\n"}]}


def failed() -> Object:
    """Answer where something went wrong: a file that is not there, an application that does not answer."""
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>{http.error.status_code} {http.error.status_text}</title>"
        "<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;padding:1rem;"
        "max-width:30rem}</style>"
        "<h1>{http.error.status_text}</h1><p>{http.request.host} answers with {http.error.status_code}.</p></html>\n"
    )
    answer = {
        "handler": "static_response",
        "status_code": "{http.error.status_code}",
        "headers": {"Content-Type": ["text/html; charset=utf-8"], "Cache-Control": ["no-store"]},
        "body": page,
    }
    # What the site had said goes with the error: Caddy begins anew.
    said = {name: [value] for name, value in {**ALWAYS, **UNLESS_SAID, "Content-Security-Policy": POLICY}.items()}
    return {"handle": [{"handler": "headers", "response": {"set": said, "delete": ["Server"]}}, answer]}
