"""The directory as its provider sees it: the newest changes it has, and whether it answers as others ask it, by TLS."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..directory.difference import DirectoryError
from ..directory.peers import state
from ..directory.server import Server

PORT = 636
#: Seconds between two looks, and the longest that a connection may take.
PAUSE, PATIENCE = 0.5, 5.0


@dataclass(frozen=True)
class Standing:
    """The newest change of each server, when that was read, and why others, or the host itself, get no answer."""

    changes: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0
    tls: str = ""
    problem: str = ""


def look(own: Server, *, base: str, name: str, address: str, roots: str, wait: float, port: int = PORT) -> Standing:
    """Return what is seen as soon as all is well, or after ``wait`` seconds."""
    deadline = time.monotonic() + wait
    while True:
        seen = _once(own, base, _tls(name, address, port, roots))
        if not (seen.problem or seen.tls) or time.monotonic() + PAUSE >= deadline:
            return seen
        time.sleep(PAUSE)


def _once(own: Server, base: str, tls: str) -> Standing:
    try:
        return Standing(state(own, base), time.time(), tls)
    except DirectoryError as error:
        return Standing({}, time.time(), tls, error.problems[0].what)


def _tls(name: str, address: str, port: int, roots: str) -> str:
    """Say why nobody can ask this provider; empty where they can."""
    try:
        context = ssl.create_default_context(cafile=roots)
        with (
            socket.create_connection((address, port), PATIENCE) as raw,
            context.wrap_socket(raw, server_hostname=name),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return f"has no good certificate: {error.verify_message}"
    except OSError as error:
        return f"does not answer: {error.strerror or error}"
