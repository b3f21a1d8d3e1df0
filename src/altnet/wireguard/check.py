"""From module arguments to desired tunnels, with every mistake found at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address
from typing import Any

from ..errors import Problem
from .endpoint import endpoint, network
from .errors import WireguardError, problem
from .keyfile import is_key
from .model import OURS, Tunnel

MTU_MIN = 1280  # the least that IPv6 works with (RFC 8200 section 5)
MTU_MAX = 8920  # a 9000 byte underlay less 80 bytes of outer IPv6, UDP and WireGuard
_NAME = re.compile(r"[A-Za-z0-9.-]+")
_ROLE = "wireguard_tunnels"


def check_mtu(mtu: int) -> list[Problem]:
    """Return the problem with ``mtu``, if there is one."""
    if MTU_MIN <= mtu <= MTU_MAX:
        return []
    remedy = f"set wireguard_mtu between {MTU_MIN} and {MTU_MAX}, the path's MTU less 80; 1420 suits most"
    return [problem("wireguard_mtu", f"{mtu} is not an MTU for a tunnel", remedy)]


def tunnels(entries: Sequence[Mapping[str, Any]], mtu: int, *, check_mode: bool = False) -> tuple[Tunnel, ...]:
    """Return the desired tunnels, sorted by interface.

    In check mode a public key may be a placeholder in brackets, of a neighbour whose key is not born yet.
    Raises WireguardError with every problem: a malformed field, an interface or port that is given twice.
    """
    problems = check_mtu(mtu)
    result = []
    for number, entry in enumerate(entries):
        found = _check_entry(f"{_ROLE}[{number}]", entry, check_mode=check_mode)
        problems.extend(found)
        if not found:
            result.append(_tunnel(entry))
    problems.extend(_twice(result))
    if problems:
        raise WireguardError(problems)
    return tuple(sorted(result, key=lambda tunnel: tunnel.interface))


def _check_entry(where: str, entry: Mapping[str, Any], *, check_mode: bool) -> list[Problem]:
    plan = "take the tunnels from the plan as they are"
    problems = []

    def wrong(name: str, what: str, remedy: str = plan) -> None:
        problems.append(problem(f"{where}.{name}", what, remedy))

    interface = str(entry["interface"])
    if not OURS.fullmatch(interface):
        wrong("interface", f"{interface!r} is not an interface name of ours (an0-… or an1-…, 15 characters)")
    if not _NAME.fullmatch(str(entry["neighbour"])):
        wrong("neighbour", f"{entry['neighbour']!r} is not a host name")
    if not 0 < int(entry["listen_port"]) < 65536:
        wrong("listen_port", f"{entry['listen_port']} is not a port")
    if not 0 <= int(entry["keepalive"]) < 65536:
        wrong("keepalive", f"{entry['keepalive']} is not between 0 and 65535 seconds")
    if int(entry["generation"]) < 0:
        wrong("generation", f"{entry['generation']} is negative")
    public_key = str(entry["public_key"])
    if not is_key(public_key) and not (check_mode and public_key.startswith("(")):
        wrong("public_key", f"{public_key!r} is not a WireGuard public key", "run the neighbour, or the ledger")
    if not is_key(str(entry["preshared_key"])):
        wrong("preshared_key", "it is not a WireGuard key")
    problems.extend(_check_addresses(where, entry))
    return problems


def _check_addresses(where: str, entry: Mapping[str, Any]) -> list[Problem]:
    problems = []
    try:
        good = IPv6Address(str(entry["local"])).is_link_local
    except ValueError:
        good = False
    if not good:
        what = f"{entry['local']!r} is not an IPv6 link-local address"
        problems.append(problem(f"{where}.local", what, "give fe80:: and the host's id"))
    if entry.get("endpoint") is not None:
        try:
            endpoint(str(entry["endpoint"]))
        except ValueError as error:
            remedy = "give an address with its port, IPv6 in brackets, in altnet_endpoints of the neighbour"
            problems.append(problem(f"{where}.endpoint", str(error), remedy))
    for number, prefix in enumerate(entry["allowed_ips"]):
        try:
            network(str(prefix))
        except ValueError:
            what = f"{prefix!r} is not a prefix"
            problems.append(problem(f"{where}.allowed_ips[{number}]", what, "write it like fd00::/8"))
    return problems


def _tunnel(entry: Mapping[str, Any]) -> Tunnel:
    given = entry.get("endpoint")
    return Tunnel(
        interface=str(entry["interface"]),
        neighbour=str(entry["neighbour"]),
        generation=int(entry["generation"]),
        listen_port=int(entry["listen_port"]),
        local=str(IPv6Address(str(entry["local"]))),
        public_key=str(entry["public_key"]),
        preshared_key=str(entry["preshared_key"]),
        endpoint=None if given is None else endpoint(str(given)),
        allowed_ips=tuple(sorted({network(str(prefix)) for prefix in entry["allowed_ips"]})),
        keepalive=int(entry["keepalive"]),
    )


def _twice(found: Sequence[Tunnel]) -> list[Problem]:
    problems = []
    interfaces: dict[str, Tunnel] = {}
    ports: dict[int, Tunnel] = {}
    for tunnel in found:
        if tunnel.interface in interfaces:
            what = f"{interfaces[tunnel.interface].neighbour} and {tunnel.neighbour} share an interface"
            problems.append(problem(f"{_ROLE}: {tunnel.interface}", what, "give each host its own label"))
        elif tunnel.listen_port in ports:
            what = f"{ports[tunnel.listen_port].interface} and {tunnel.interface} share UDP port"
            problems.append(problem(f"{_ROLE}: listen_port {tunnel.listen_port}", what, "give each host its own id"))
        interfaces.setdefault(tunnel.interface, tunnel)
        ports.setdefault(tunnel.listen_port, tunnel)
    return problems
