#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in one sentence why this machine does not resolve the network's names, and what to do.

For members: any machine with Python 3.9, nothing to install, no rights needed. It asks every name server of
/etc/resolv.conf for a name that is signed, then the system itself, and changes nothing.
"""

from __future__ import annotations

import argparse
import os
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

#: Filled in where a network's playbook installs this; a member names them on the command line.
DEFAULTS = Path("/etc/altnet/doctor")
#: systemd-resolved's own addresses.
RESOLVED = ("127.0.0.53", "127.0.0.54")
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
AAAA, AD, RD = 28, 0x20, 0x100
SECONDS = 2.0


@dataclass(frozen=True)
class Seen:
    """What one name server said: a response code, or why there is none."""

    server: str
    said: str
    validated: bool = False
    found: bool = False


@dataclass(frozen=True)
class Machine:
    """What this machine asks, and what came of it. ``system`` is whether its own resolution found the name."""

    name: str
    other: str
    resolver: str
    servers: tuple[Seen, ...]
    nss_resolve: bool
    system: bool


def verdict(machine: Machine) -> str:
    """Return what is wrong and what to do, in one sentence; empty where all is well."""
    if not machine.servers:
        return f"/etc/resolv.conf names no server: {_way(machine)}."
    return _of_resolved(machine) or _of_servers(machine)


def _of_resolved(machine: Machine) -> str:
    """Say what systemd-resolved has to do with it."""
    first = machine.servers[0]
    stub = first.server in RESOLVED
    if machine.system or not (stub or (machine.nss_resolve and first.found)):
        return ""
    if not stub:
        return (
            "systemd-resolved answers before the name server does, and says of itself that nothing is there: remove "
            "the word `resolve` (with what is in brackets behind it) from the line `hosts:` in /etc/nsswitch.conf."
        )
    if machine.name.rstrip(".").endswith(".alt"):
        other = f", or use the same names under {machine.other}" if machine.other else ""
        return f"systemd-resolved swallows every name under .alt, as RFC 9476 asks of it: {_way(machine)}{other}."
    tld = machine.name.rstrip(".").rpartition(".")[2]
    return f"systemd-resolved does not ask the network for .{tld}: route ~{tld} to its resolver, or {_way(machine)}."


def _of_servers(machine: Machine) -> str:
    """Say what the name servers have to do with it; the first that answers is the one the system listens to."""
    answered = [seen for seen in machine.servers if seen.said in RCODES.values()]
    if not answered:
        why = "; ".join(f"{seen.server}: {seen.said}" for seen in machine.servers)
        return f"no name server answers ({why}): see that the tunnel to the network is up."
    server = answered[0].server
    known = {
        "REFUSED": "refuses this machine, for it answers the network's own addresses only: see that the question "
        "leaves through the tunnel",
        "SERVFAIL": f"cannot prove {machine.name}: its clock or its trust anchor is wrong, which its operator mends",
    }
    if answered[0].said in known:
        return f"{server} {known[answered[0].said]}."
    if not answered[0].found:
        return f"{server} does not know the network's names: {_way(machine)}."
    # systemd-resolved does not pass on that an answer was validated.
    if not answered[0].validated and server not in RESOLVED:
        return f"{server} answers, but does not validate: {_way(machine)}."
    return "" if machine.system else f"{server} answers well, but nothing asks it: see `hosts:` in /etc/nsswitch.conf."


def _way(machine: Machine) -> str:
    place = machine.resolver or "the network's resolver"
    return f"make /etc/resolv.conf a file (not a link) whose first line is `nameserver {place}`"


def ask(server: str, name: str) -> Seen:
    """Ask one server for the name's address."""
    query = struct.pack("!6H", int.from_bytes(os.urandom(2), "big"), RD | AD, 1, 0, 0, 0)
    query += b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    query += struct.pack("!BHH", 0, AAAA, 1)
    address, _, zone = server.partition("%")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as place:
            place.settimeout(SECONDS)
            place.connect(
                (address, 53, 0, socket.if_nametoindex(zone) if zone else 0) if ":" in address else (server, 53)
            )
            place.send(query)
            packet = place.recv(4096)
    except OSError as error:
        return Seen(server, "no answer" if isinstance(error, socket.timeout) else (error.strerror or str(error)))
    if len(packet) < 12 or packet[:2] != query[:2]:
        return Seen(server, "an answer that is none")
    _, flags, _, answers, _, _ = struct.unpack_from("!6H", packet)
    code = flags & 0xF
    return Seen(server, RCODES.get(code, f"rcode {code}"), bool(flags & AD), code == 0 and answers > 0)


def servers_of(text: str) -> list[str]:
    """Return the name servers of a resolv.conf that the system would use: the first three."""
    lines = [line.split() for line in text.splitlines()]
    return [line[1] for line in lines if len(line) > 1 and line[0] == "nameserver"][:3]


def asks_resolved_first(text: str) -> bool:
    """Say whether an nsswitch.conf has host names looked up by systemd-resolved before the name servers."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] == "hosts:":
            before = words[: words.index("dns")] if "dns" in words else words
            return "resolve" in before
    return False


def system_finds(name: str) -> bool:
    """Ask the way every program does."""
    try:
        return bool(socket.getaddrinfo(name.rstrip("."), None, socket.AF_INET6))
    except OSError:
        return False


def read(path: Path) -> str:
    """Return a file's text, empty where there is none."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def defaults(text: str) -> dict[str, str]:
    """Parse lines of ``key value``."""
    return {line.split()[0]: line.split()[1] for line in text.splitlines() if len(line.split()) > 1 and line[0] != "#"}


def main() -> int:
    """Look, and say: exit code 0 where all is well."""
    known = defaults(read(DEFAULTS))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default=known.get("name", "resolver.net.alt"), help="a signed name of the network")
    parser.add_argument("--resolver", default=known.get("resolver", ""), help="the network's resolver, for the advice")
    parser.add_argument("--other", default=known.get("other", ""), help="a TLD that systemd-resolved lets through")
    given = parser.parse_args()
    servers = tuple(ask(server, given.name) for server in servers_of(read(Path("/etc/resolv.conf"))))
    nss = asks_resolved_first(read(Path("/etc/nsswitch.conf")))
    wrong = verdict(Machine(given.name, given.other, given.resolver, servers, nss, system_finds(given.name)))
    sys.stdout.write(f"{wrong or well(given.name, servers)}\n")
    return int(bool(wrong))


def well(name: str, servers: tuple[Seen, ...]) -> str:
    """Say that all is well."""
    if any(seen.validated for seen in servers):
        return f"{name} resolves, validated."
    return f"{name} resolves; systemd-resolved, which was asked, does not say whether it was validated."


if __name__ == "__main__":
    sys.exit(main())
