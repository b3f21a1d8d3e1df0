"""Which of the orders a host has fulfilled still hold, judged now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AltnetError
from ..pki import born
from ..transaction import RequestError, TransactionError
from ..transaction import order as sets
from ..wireguard import order as wireguard
from ..wireguard.model import Paths
from ..wireguard.runner import Done, Runner

#: Where the network's primary keeps what zones it was asked for (altnet.powerdns.order).
ZONES = Path("/var/lib/altnet/pdns_zones/order.json")
#: Where a provider of the directory keeps what people and groups it was asked for (altnet.directory.order).
PEOPLE = Path("/var/lib/altnet/directory_entries/order.json")
#: What says no by itself, besides a difference; the role's own module then says it in its own words.
REFUSALS = (AltnetError, RequestError, TransactionError, ImportError, OSError, ValueError, KeyError, TypeError)


class Once:
    """Asks every question once: all orders are judged at the same moment."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.known: dict[tuple[str, ...], Done] = {}

    def run(self, argv: Sequence[str], stdin: str | None = None) -> Done:
        """Run ``argv``, or return what it answered before."""
        if stdin is not None:
            return self.runner.run(argv, stdin)
        if tuple(argv) not in self.known:
            self.known[tuple(argv)] = self.runner.run(argv)
        return self.known[tuple(argv)]


@dataclass(frozen=True)
class Places:
    """Where orders lie beside those of the tunnels."""

    sets: Path | None = None
    keys: Path = born.ORDERS
    zones: Path = ZONES
    people: Path = PEOPLE


def standing(runner: Runner, paths: Paths | None = None, places: Places | None = None) -> dict[str, dict[str, Any]]:
    """Return ``fingerprint`` and ``result`` of every order that holds, by its name; nothing is changed.

    ``result`` is what the module would return, had it been executed again.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, judge in _judges(runner, paths or Paths(), places or Places()):
        try:
            answer = judge()
        except REFUSALS:
            continue
        if answer is not None:
            found[name] = {"fingerprint": answer[0], "result": answer[1]}
    return found


def _judges(runner: Runner, paths: Paths, places: Places) -> Iterator[tuple[str, Any]]:
    yield "wireguard_key", lambda: wireguard.keys_stand(runner, paths)
    yield "wireguard_tunnels", lambda: wireguard.tunnels_stand(runner, paths)
    for name in sets.names(places.sets):
        yield f"transaction {name}", lambda name=name: sets.stands(name, places.sets)
    for name in born.names(places.keys):
        yield f"pki_key {name}", lambda name=name: born.stands(name, runner, places.keys)
    if places.zones.exists():
        yield "pdns_zones", lambda: _zones_stand(places.zones)
    if places.people.exists():
        yield "directory_entries", lambda: _people_stand(places.people)


def _zones_stand(path: Path) -> tuple[str, dict[str, Any]] | None:
    # Needs dnspython, which takes a while to start and is not on every host.
    from ..powerdns import order  # noqa: PLC0415

    return order.stands(path)


def _people_stand(path: Path) -> tuple[str, dict[str, Any]] | None:
    from ..directory import order  # noqa: PLC0415  # only providers need it

    return order.stands(path)
