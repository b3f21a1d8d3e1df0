"""The present state, read once."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .client import Api, RefusedError, zone_path
from .model import Present, present

#: Requests under way at once: PowerDNS answers each in a thread of its own.
_READERS = 4


@dataclass
class State:
    """What PowerDNS holds: every zone's entry in the list, and all of those that were asked for."""

    listed: dict[str, dict[str, Any]]
    zones: dict[str, Present] = field(default_factory=dict)
    tsig: dict[str, Any] | None = None


def listed(api: Api) -> dict[str, dict[str, Any]]:
    """Return the list of zones, without their records."""
    return {zone["name"]: zone for zone in api.call("GET", "/zones?dnssec=false")}


def read(api: Api, names: Collection[str], tsig: str | None, *, signed: Collection[str]) -> State:
    """Return the present state; records of ``names`` only, keys of those in ``signed``."""
    state = State(listed(api))
    there = [name for name in names if name in state.listed]
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda name: _zone(api, name, keys=name in signed), there)
        state.zones = dict(zip(there, found, strict=True))
    if tsig is not None:
        try:
            state.tsig = api.call("GET", f"/tsigkeys/{tsig}")
        except RefusedError as error:
            if error.status != 404:
                raise
    return state


def _zone(api: Api, name: str, *, keys: bool) -> Present:
    path = zone_path(name)
    zone = api.call("GET", path)
    numbers = [key["id"] for key in api.call("GET", f"{path}/cryptokeys")] if keys else []
    # The list leaves the private halves out, and only they say whether it is the same key.
    return present(zone, [api.call("GET", f"{path}/cryptokeys/{number}") for number in numbers])
