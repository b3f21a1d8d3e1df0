"""Telling systemd how a unit is (sd_notify(3)), without its library."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> None:
    """Send assignments such as ``READY=1``; nothing happens outside a unit."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as place:
        place.sendto("\n".join(lines).encode(), "\0" + address[1:] if address.startswith("@") else address)
