"""What a host's own resolution was before it was the network's."""

from __future__ import annotations

import os
from pathlib import Path

#: How a link to somewhere else is remembered.
LINK = "# link to "
#: systemd-resolved's own addresses, and where it keeps the servers that it asks itself.
STUBS = {"127.0.0.53", "127.0.0.54"}
UPLINK = Path("run/systemd/resolve/resolv.conf")


def before(root: Path = Path("/")) -> str:
    """Return what /etc/resolv.conf was before the role: its text, or where it led; empty where there was none."""
    kept, live = root / "etc/altnet/resolv.conf.before", root / "etc/resolv.conf"
    if kept.is_file():
        return kept.read_text(errors="replace")
    if live.is_symlink():
        return f"{LINK}{os.fsdecode(live.readlink())}\n"
    return live.read_text(errors="replace") if live.is_file() else ""


def nameservers(root: Path = Path("/")) -> list[str]:
    """Return the servers that the host asked before; in place of systemd-resolved the ones it asks itself."""
    text = before(root)
    if text.startswith(LINK):
        target = text.removeprefix(LINK).strip()
        text = _read(root / target.lstrip("/") if target.startswith("/") else root / "etc" / target)
    found = _servers(text)
    return _servers(_read(root / UPLINK)) if STUBS & set(found) else found


def _servers(text: str) -> list[str]:
    lines = [line.split() for line in text.splitlines()]
    return [line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
