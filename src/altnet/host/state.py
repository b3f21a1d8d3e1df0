"""The live state of a host's tunnels and BGP sessions, as the kernel and the daemon tell it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from ..bird.protocols import parse_protocols


def run(*argv: str) -> str:
    """Return a command's output; empty where it does not exist or fails."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def tunnels() -> dict[str, dict[str, Any]]:
    """Return, by interface, seconds since the newest handshake and whether the device is the kernel's own.

    A userspace implementation's interface is a TUN device, which has ``tun_flags``.
    """
    now = time.time()
    found: dict[str, dict[str, Any]] = {}
    for line in run("wg", "show", "all", "latest-handshakes").splitlines():
        interface, _, stamp = line.split("\t")
        age = None if stamp == "0" else max(0, round(now - int(stamp)))
        kernel = not Path(f"/sys/class/net/{interface}/tun_flags").exists()
        found[interface] = {"age": age, "kernel": kernel}
    return found


def bgp_sessions() -> dict[str, str]:
    """Return, by protocol name, the state of every BGP session BIRD has."""
    return {
        protocol.name: protocol.info or protocol.state
        for protocol in parse_protocols(run("birdc", "show", "protocols"))
        if protocol.proto == "BGP"
    }
