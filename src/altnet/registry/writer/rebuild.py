"""Fills an empty primary with all zones of the registry's, mends those that are there, and says what took how long.

The top-level domains are the plan's: ``site.yml --tags names`` makes them first. Nothing is taken away: that is the
writer's, whose guard asks. Once is as good as twice, and whoever is killed begins again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...powerdns import apply
from ...powerdns.client import RefusedError
from ...powerdns.marks import REGISTRY
from ...powerdns.present import listed
from ..storage import projection
from . import parents
from .compare import audit_head
from .primary import Primary, TakenError
from .wanted import Maker, Wanted
from .watch import Watch

if TYPE_CHECKING:
    from ..domain.model import Head
    from ..storage.store import Store

#: PowerDNS has one writer of its data; a second request is read and answered meanwhile, and a third one is none faster.
_THREADS: Final = 2
#: Delegations in one request.
_CHUNK: Final = 10_000
_LOOKS: Final = 5
_CONFLICT: Final = 409
#: From this status on it is PowerDNS that failed, not the zone (RFC 9110, section 15.6).
_FAILED: Final = 500


@dataclass
class Report:
    """What was made, what could not be, and the seconds of each step."""

    made: int = 0
    there: int = 0
    mended: int = 0
    delegated: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return it for the operator."""
        total = sum(self.seconds.values())
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        zones = f"{self.made} zones made, {self.there} were there ({self.mended} mended), {self.delegated} delegated"
        return [f"{zones}: {total:.1f} s ({steps})", *self.problems]


@dataclass
class Rebuild:
    """The rebuilding; ``patience`` is how long secondaries may stand still before it goes on without them."""

    store: Store
    maker: Maker
    primary: Primary
    watch: Watch
    patience: float = 60.0

    def run(self, head: Head | None = None, text: str = "") -> Report:
        """Make what is missing. PowerdnsError where the primary does not answer."""
        report = Report()
        begun = time.monotonic()

        def step(name: str) -> None:
            nonlocal begun
            report.seconds[name] = time.monotonic() - begun
            begun = time.monotonic()

        with self.store.read() as connection:
            wanted = {name: self.maker.domain(one) for name, one in projection.zones(connection).items()}
            found = projection.reverses(connection)
        wanted |= {name: self.maker.reverse(name, one) for name, one in found.items()}
        wanted |= audit_head(head, text, self.maker.tlds)
        there = listed(self.primary.api)
        step("reading the rows")
        zones = [one for one in wanted.values() if one.zone is not None]
        report.made = self._zones(report, [one for one in zones if one.name not in there], self._made)
        step("zones")
        present = [one for one in zones if one.name in there]
        report.there = len(present)
        report.mended = self._zones(report, present, self._mended)
        step("those that were there")
        self._see(wanted)
        step("looking again")
        self._wait(report, wanted)
        step("secondaries")
        for parent in self.maker.parents:
            names = [one for one in wanted.values() if one.parent == parent]
            if names and parent not in there:
                report.problems.append(f"the primary has no zone {parent}: run site.yml --tags names, then this again")
            elif names:
                self._delegate(report, parent, names)
        step("delegations")
        return report

    def _zones(self, report: Report, some: list[Wanted], do: Callable[[Wanted], bool]) -> int:
        """Do something with zones; return with how many it was done. Where PowerDNS failed it is mended afterwards."""
        failed: list[Wanted] = []

        def tried(wanted: Wanted, do: Callable[[Wanted], bool] = do) -> str | bool:
            try:
                return do(wanted)
            except RefusedError as error:
                if error.status >= _FAILED and wanted not in failed:
                    failed.append(wanted)
                    return False
                return " ".join(str(error).split())
            except TakenError:
                return f"{wanted.name} is a zone of the inventory's, and registered"

        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(tried, some))
        # One after the other: it failed under the load of several at once, and may have kept half of a zone.
        found += [tried(one, self._mended) for one in list(failed)]
        report.problems += [one for one in found if isinstance(one, str)]
        return sum(one is True for one in found)

    def _made(self, wanted: Wanted) -> bool:
        try:
            self.primary.bring(wanted, None)
        except RefusedError as error:
            if error.status != _CONFLICT:
                raise
            return False  # the writer, which runs beside us, was there first
        return True

    def _mended(self, wanted: Wanted) -> bool:
        held = self.primary.read(wanted.name)
        if not self.primary.differs(wanted, held):
            return False
        self.primary.bring(wanted, held)
        self.primary.notify(wanted.name)
        return True

    def _see(self, wanted: Mapping[str, Wanted]) -> None:
        """Write again what PowerDNS has lost of zones' settings, which happens under load."""
        ours = {name: REGISTRY for name, one in wanted.items() if one.zone is not None}
        for _ in range(_LOOKS):
            if not apply.see_to_it(self.primary.api, ours, self.primary.catalog, listed(self.primary.api)):
                return

    def _wait(self, report: Report, wanted: Mapping[str, Wanted]) -> None:
        if not self.watch.addresses:
            return
        serials = {name: int(zone["serial"]) for name, zone in listed(self.primary.api).items() if name in wanted}
        lag = self.watch.make(self.watch.addresses).wait(serials, self.patience)
        report.problems += [f"no word from {one}: it fetches all when it is back" for one in lag.silent]
        report.problems += [f"{one} does not follow {len(zones)} zones yet" for one, zones in lag.behind.items()]

    def _delegate(self, report: Report, parent: str, names: list[Wanted]) -> None:
        api = self.primary.api
        parents.marks(api, parent, add={one.name for one in names if one.sets and one.zone is None})
        for start in range(0, len(names), _CHUNK):
            some = names[start : start + _CHUNK]
            held = parents.read(api, parent)
            todo = parents.change(held, some)
            if not todo.empty:
                apply.past(held.serial, self.primary.clock)
                parents.write(api, parent, todo)
                report.delegated += len({one.name for one in todo.put if one.type == "NS"})
        self.primary.notify(parent)
        self.watch.tell(parent)
