"""Addresses on ``lo``, which is where BIRD finds what it is to announce."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

from .judgement import Place

log = logging.getLogger("altnet-anycast")

#: The kernel's table of IPv6 addresses: reading it costs less than a process.
TABLE = Path("/proc/net/if_inet6")


def run(*argv: str, text: str = "") -> str:
    """Return a command's output; what it complains of goes to the journal."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=5)
    if done.returncode:
        log.warning("`%s`: %s", " ".join(argv), done.stderr.strip())
    return done.stdout


def placed(address: str, table: Path = TABLE) -> Place:
    """Return how an address is on ``lo`` now."""
    wanted = digits(address)
    for line in table.read_text().splitlines():
        found, _, length, _, _, interface = line.split()
        if found == wanted and interface == "lo":
            return Place(str(int(length, 16)))
    return Place.AWAY


def digits(address: str) -> str:
    """Return an IPv6 address as the kernel's table has it: 32 hexadecimal digits."""
    head, _, tail = address.partition("::")
    before, after = head.split(":") if head else [], tail.split(":") if tail else []
    middle = ["0"] * (8 - len(before) - len(after)) if "::" in address else []
    return "".join(group.zfill(4) for group in (*before, *middle, *after))


def put(address: str, now: Place, wanted: Place) -> None:
    """Bring an address from one place to another. noprefixroute: a /127 must not draw in its other half."""
    lines = [f"address delete {address}/{now} dev lo"] if now else []
    lines += [f"address add {address}/{wanted} dev lo noprefixroute"] if wanted else []
    if lines:
        run("ip", "-6", "-force", "-batch", "-", text="\n".join(lines) + "\n")


def others_announce(address: str) -> bool:
    """Say whether BIRD has learnt of a host whose service is well: only such a one announces all 128 bits."""
    return bool(run("ip", "-6", "route", "show", "proto", "bird", "exact", f"{address}/128").strip())


def withdrawal(address: str) -> str:
    """Return the commands, for ``ip -6 -batch``, that take an address away however it is there."""
    return "".join(f"address delete {address}/{length} dev lo\n" for length in (Place.FULL, Place.LAST))


def withdrawn_by(kept: Path) -> set[str]:
    """Return the addresses in a file of such commands."""
    lines = kept.read_text().splitlines() if kept.is_file() else []
    return {line.split()[2].partition("/")[0] for line in lines}
