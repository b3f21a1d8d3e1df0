"""Serving on a unix socket for a web server, as systemd wants it."""

from __future__ import annotations

import grp
import os
import socket
from pathlib import Path

import uvicorn

from ..systemd import notify


def listen(path: Path, group: str) -> socket.socket:
    """Return a socket that this user and a group may connect to, and nobody else."""
    path.unlink(missing_ok=True)
    place = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o177)
    place.bind(str(path))
    os.chown(path, -1, grp.getgrnam(group).gr_gid)
    path.chmod(0o660)
    os.umask(0o077)
    place.listen(512)
    return place


class Server(uvicorn.Server):
    """uvicorn, telling systemd when it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        notify("READY=1")
