"""Cutting a host off from a neighbour at once, before anything is configured anew."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..bird.protocols import parse_protocols
from .state import run

IFF_UP = 1


def is_up(interface: str, root: Path = Path("/sys/class/net")) -> bool:
    """Return whether there is an interface of that name and it is up."""
    try:
        return bool(int((root / interface / "flags").read_text(), 16) & IFF_UP)
    except FileNotFoundError:
        return False


def session_of(interface: str) -> str:
    """Return the name of the BGP protocol that runs over an interface."""
    return interface.replace("-", "_")


def cut(interfaces: Sequence[str], *, check_mode: bool = False) -> list[str]:
    """Set tunnels down and disable the BGP sessions over them; return what was (or would be) cut, in order.

    The interface goes first: from then on no packet passes, whatever BIRD does. Raises CalledProcessError where the
    kernel or the daemon refuses.
    """
    commands: list[tuple[str, ...]] = [("ip", "link", "set", "dev", name, "down") for name in interfaces if is_up(name)]
    wanted = {session_of(name) for name in interfaces}
    sessions = [
        protocol.name
        for protocol in parse_protocols(run("birdc", "show", "protocols"))
        if protocol.name in wanted and protocol.state != "down"
    ]
    commands += [("birdc", "disable", name) for name in sessions]
    if not check_mode:
        for argv in commands:
            subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20)
    return [" ".join(argv) for argv in commands]
