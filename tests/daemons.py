"""What every test with a real daemon needs: a port for it, and patience."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable

LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def free_port() -> int:
    """Return a port that nobody uses now: on no loopback address, by neither protocol."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        if not any(_taken(family, kind, address, port) for family, address in LOOPBACK for kind in KINDS):
            return port


def _taken(family: socket.AddressFamily, kind: socket.SocketKind, address: str, port: int) -> bool:
    try:
        with socket.socket(family, kind) as one:
            one.bind((address, port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE  # what this machine has no address for is nobody's
    return False


def until(
    ready: Callable[[], object], patience: float = 20.0, tell: Callable[[], str] = str, pause: float = 0.01
) -> float:
    """Wait until ``ready``; return the seconds that took, fail with what ``tell`` says."""
    begun = time.monotonic()
    while not ready():
        assert time.monotonic() - begun < patience, tell()
        time.sleep(pause)
    return time.monotonic() - begun
