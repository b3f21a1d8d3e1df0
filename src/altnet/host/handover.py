"""Whether traffic has moved from the older of two tunnels with a neighbour to the newer one.

Asked of a host while keys rotate, before the older tunnel goes. It carries nothing when neither BIRD prefers a route
that came over it nor the kernel has one that leaves by it; what the neighbour sends is the neighbour's to answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bird.protocols import Protocol, parse_protocols
from .look import PAUSE
from .state import run
from .state import tunnels as live_tunnels


@dataclass(frozen=True)
class Pair:
    """The two tunnels with one neighbour: their interfaces and the names of the BGP sessions in them."""

    neighbour: str
    old_interface: str
    old_session: str
    new_interface: str
    new_session: str


@dataclass(frozen=True)
class Handover:
    """What was seen: for each neighbour why its traffic has not moved (empty: it has), and the sessions that are up."""

    waiting: Mapping[str, str]
    established: tuple[str, ...]


def route_devices(text: str) -> dict[str, list[str]]:
    """Return the destinations of the kernel's routes by device, without those that it made itself."""
    found: dict[str, list[str]] = {}
    for route in json.loads(text or "[]"):
        if route.get("protocol") == "kernel":
            continue
        for hop in (route, *route.get("nexthops", ())):
            if "dev" in hop:
                found.setdefault(str(hop["dev"]), []).append(str(route["dst"]))
    return found


def obstacles(
    pair: Pair,
    handshakes: Mapping[str, Mapping[str, Any]],
    sessions: Mapping[str, Protocol],
    devices: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """Yield what keeps the older tunnel from going."""
    new, old = sessions.get(pair.new_session), sessions.get(pair.old_session)
    if (handshakes.get(pair.new_interface) or {}).get("age") is None:
        yield f"no handshake on {pair.new_interface}"
    if new is None or not new.established:
        yield f"BGP session {pair.new_session} is {(new.info or new.state) if new else 'missing'}"
    if old is not None and old.routes is not None and old.routes.preferred:
        yield f"BIRD prefers {old.routes.preferred} routes of {pair.old_session}"
    if pair.old_interface in devices:
        left = devices[pair.old_interface]
        yield f"{left[0]}{f' and {len(left) - 1} more' if len(left) > 1 else ''} is sent by {pair.old_interface}"


def wait(pairs: Sequence[Pair], seconds: float) -> Handover:
    """Return what is seen as soon as nothing keeps any older tunnel, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        protocols = parse_protocols(run("birdc", "show", "protocols", "all"))
        sessions = {protocol.name: protocol for protocol in protocols if protocol.proto == "BGP"}
        devices = route_devices(run("ip", "-6", "-j", "route", "show", "table", "all"))
        handshakes = live_tunnels()
        waiting = {pair.neighbour: "; ".join(obstacles(pair, handshakes, sessions, devices)) for pair in pairs}
        if not any(waiting.values()) or time.monotonic() + PAUSE >= deadline:
            return Handover(waiting, tuple(sorted(name for name, one in sessions.items() if one.established)))
        time.sleep(PAUSE)
