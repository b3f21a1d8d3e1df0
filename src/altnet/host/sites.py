"""A host's own sites, each as a browser would see it, and what is behind those that are not well."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..content.asking import FAILED, Found, Question, ask_all, reasons

#: Seconds between two looks, and the longest that an answer may take.
PAUSE, PATIENCE = 0.5, 5.0
UNIX = "unix/"


def look(
    server: str, roots: str, sites: Sequence[Mapping[str, Any]], wait: float, ports: tuple[int, int] = (443, 80)
) -> dict[str, dict[str, Any]]:
    """Return ``status``, ``wrong`` and ``cause`` by site, as soon as all are well, or after ``wait`` seconds.

    ``sites`` have ``name``, ``kind``, ``directory``, ``to`` and ``where``. ``cause`` is a directory that Caddy cannot
    read, or an application that takes no connection.
    """
    deadline = time.monotonic() + wait
    found: dict[str, Found] = {}
    while True:
        missing = [
            Question(server, site["name"], roots, *ports)
            for site in sites
            if site["name"] not in found or found[site["name"]].refusal
        ]
        found |= {question.name: one for question, one in ask_all(missing, PATIENCE).items()}
        if not any(one.refusal for one in found.values()) or time.monotonic() + PAUSE >= deadline:
            break
        time.sleep(PAUSE)
    unread = reasons({"directories": [site for site in sites if site["kind"] in {"static", "files"}]})
    return {site["name"]: _plain(site, found[site["name"]], unread) for site in sites}


def _plain(site: Mapping[str, Any], found: Found, unread: Mapping[str, str]) -> dict[str, Any]:
    cause = unread.get(site["name"], "")
    if site["to"] and found.status >= FAILED:
        cause = _refusal(site["to"])
    return {"status": found.status, "wrong": found.refusal, "cause": cause}


def _refusal(to: str) -> str:
    """Say why an application takes no connection; empty where it does, and so has answered that itself."""
    try:
        if to.startswith(UNIX):
            with socket.socket(socket.AF_UNIX) as place:
                place.settimeout(PATIENCE)
                place.connect(to.removeprefix(UNIX))
            return ""
        host, _, port = to.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), PATIENCE):
            return ""
    except OSError as error:
        return f"{to} does not answer: {error.strerror or error}"
