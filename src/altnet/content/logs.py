"""What is written down, and what is not: no cookie, no credential, no query, no address that somebody came from.

Nor what is behind ``/join/`` and ``/reset/``: whoever has it can make an account, or take one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .asking import WATCHER

Object = dict[str, Any]

ACCESS = "sites"
FILE = "/var/log/caddy/access.log"
#: Names may be secret (one-time codes, tokens in links), and so may what is behind the question mark.
_SECRET_HEADERS = ("Authorization", "Proxy-Authorization", "Cookie", "Referer", "X-Api-Key", "X-Auth-Token")
_SECRET_ANSWERS = ("Set-Cookie", "Location")


def logging(size: int, keep: int) -> Object:
    """Return the settings: requests into files of ``size`` MiB, ``keep`` of them; everything else to the journal."""
    logger = f"http.log.access.{ACCESS}"
    return {
        "logs": {
            "default": {"encoder": _encoder(), "exclude": [logger]},
            ACCESS: {
                "include": [logger],
                "encoder": _encoder(),
                "writer": {"output": "file", "filename": FILE, "roll_size_mb": size, "roll_keep": keep},
            },
        }
    }


def unwatched(addresses: Sequence[str]) -> Object:
    """Leave out what the host asks itself, some times a second; nobody else can hide by that name."""
    match = {"header": {"User-Agent": [WATCHER]}, "remote_ip": {"ranges": list(addresses)}}
    return {"match": [match], "handle": [{"handler": "vars", "skip_log": True}]}


def _encoder() -> Object:
    deleted = [f"request>headers>{name}" for name in _SECRET_HEADERS]
    deleted += [f"resp_headers>{name}" for name in _SECRET_ANSWERS]
    fields: Object = {name: {"filter": "delete"} for name in deleted}
    fields["request>uri"] = {"filter": "regexp", "regexp": r"(/(?:join|reset)/).*|\?.*", "value": "$1?-"}
    return {"format": "filter", "wrap": {"format": "json"}, "fields": fields}
