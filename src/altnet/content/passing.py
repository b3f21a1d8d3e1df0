"""The server on port 80: to HTTPS, and ACME challenges on to the host that has asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]

CHALLENGE = "/.well-known/acme-challenge/*"
#: Set on what was passed on once, so that two hosts do not pass it to and fro.
PASSED = "Altnet-Passed"


def plain(names: Sequence[str], siblings: Sequence[str]) -> list[Object]:
    """Return the routes. A challenge of Caddy's own is answered before any of them is looked at."""
    routes: list[Object] = []
    if siblings and names:
        match = {"host": list(names), "path": [CHALLENGE], "not": [{"header": {PASSED: ["*"]}}]}
        routes.append({"match": [match], "handle": [_first_that_knows(siblings)], "terminal": True})
    if names:
        to_https = {
            "handler": "static_response",
            "status_code": 308,
            "headers": {"Location": ["https://{http.request.host}{http.request.uri}"]},
        }
        here = {"host": list(names), "not": [{"path": [CHALLENGE]}]}
        routes.append({"match": [here], "handle": [to_https], "terminal": True})
    routes.append({"handle": [{"handler": "static_response", "status_code": 404}]})
    return routes


def _first_that_knows(siblings: Sequence[str]) -> Object:
    """Ask one after the other, until one knows of it."""
    others = siblings[1:]
    asked: Object = {
        "handler": "reverse_proxy",
        # Where the first is away, the next is asked.
        "upstreams": [{"dial": f"[{sibling}]:80"} for sibling in siblings],
        "load_balancing": {"selection_policy": {"policy": "first"}, "try_duration": "5s"},
        "headers": {"request": {"set": {PASSED: ["1"]}}},
        "transport": {"protocol": "http", "dial_timeout": "1s", "response_header_timeout": "3s"},
    }
    if others:
        asked["handle_response"] = [
            {"match": {"status_code": [4, 5]}, "routes": [{"handle": [_first_that_knows(others)]}]}
        ]
    return asked
