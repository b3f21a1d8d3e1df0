"""One look at the network from a host, patient where something is still coming up."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .echo import Reply, echo
from .state import bgp_sessions
from .state import tunnels as live_tunnels

#: Seconds between two looks.
PAUSE = 0.5


@dataclass(frozen=True)
class View:
    """What the host saw; ``problem`` is why it could not ask at all."""

    reach: Mapping[str, Reply | None]
    tunnels: Mapping[str, Mapping[str, Any]]
    sessions: Mapping[str, str]
    problem: str = ""


def look(
    source: str,
    targets: Mapping[str, str],
    sessions: Collection[str],
    tunnels: Collection[str],
    wait: float,
) -> View:
    """Return what is seen as soon as all is well, or after ``wait`` seconds.

    All is well when every target (name to address) answers echoes from ``source``, every one of ``sessions`` is
    Established and every one of ``tunnels`` has had a handshake.
    """
    deadline = time.monotonic() + wait
    reach: dict[str, Reply | None] = dict.fromkeys(targets)
    while True:
        problem = ""
        silent = {name: address for name, address in targets.items() if reach[name] is None}
        try:
            reach |= echo(source, silent, max(1.0, deadline - time.monotonic())) if silent else {}
        except OSError as error:
            problem = f"cannot ask from {source}: {error.strerror}"
        view = View(reach, live_tunnels(), bgp_sessions(), problem)
        well = (
            not problem
            and all(reach.values())
            and all(view.sessions.get(name) == "Established" for name in sessions)
            and all((view.tunnels.get(name) or {}).get("age") is not None for name in tunnels)
        )
        if well or time.monotonic() + PAUSE >= deadline:
            return view
        time.sleep(PAUSE)
