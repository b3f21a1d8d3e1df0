"""Which secondaries follow: asked in passing, so that nothing waits for one that is away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...powerdns.difference import Sample
from ...powerdns.followers import DnsFollowers, Followers

#: How often in a row one says nothing until it is taken for gone, and for how many seconds it is not asked then.
_SILENT: Final = 3
_AWAY: Final = 30.0
#: For how many seconds one that answers and did not follow is not asked.
_SICK: Final = 300.0
#: So many zones are asked about at once.
_MOST: Final = 500


@dataclass
class Watch:
    """The secondaries, by their addresses."""

    make: Callable[[Iterable[str]], Followers]
    addresses: tuple[str, ...]
    monotonic: Callable[[], float] = time.monotonic
    _silent: dict[str, int] = field(default_factory=dict)
    _away: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, addresses: Iterable[str], port: int, source: str | None) -> Watch:
        """Return a watch over real ones."""
        found = tuple(addresses)
        return cls(lambda some: DnsFollowers({one: one for one in some}, port, source), found)

    def behind(self, wanted: Mapping[str, int]) -> dict[str, list[str]]:
        """Return the secondaries that do not serve a zone at its serial yet, by zone.

        One that is away is not waited for. One that says nothing for the first time is: all zones are behind on it.
        """
        some = random.sample(sorted(wanted), _MOST) if len(wanted) > _MOST else wanted
        asked = {name: wanted[name] for name in some}
        now = self.monotonic()
        there = [one for one in self.addresses if self._away.get(one, 0.0) <= now]
        found: dict[str, list[str]] = {name: ["not asked yet"] for name in wanted if name not in asked}
        if not asked or not there:
            return found
        lag = self.make(there).wait(asked, 0)
        for one in there:
            if one not in lag.silent:
                self._silent.pop(one, None)
                continue
            self._silent[one] = self._silent.get(one, 0) + 1
            if self._silent[one] >= _SILENT:
                self._away[one] = now + _AWAY
                continue
            for name in asked:
                found.setdefault(name, []).append(one)
        for one, zones in lag.behind.items():
            for name in zones:
                found.setdefault(name, []).append(one)
        return found

    def give_up(self, addresses: Iterable[str]) -> None:
        """Wait no more for secondaries that answer and do not follow, for some minutes: others' names go on."""
        for one in addresses:
            self._away[one] = self.monotonic() + _SICK

    def tell(self, zone: str) -> None:
        """Send all of them a NOTIFY at once."""
        self.make(self.addresses).tell(zone)

    def stale(self, samples: Iterable[Sample]) -> dict[str, list[str]]:
        """Return the zones of which one serves old records under the new serial."""
        now = self.monotonic()
        return self.make([one for one in self.addresses if self._away.get(one, 0.0) <= now]).stale(samples, 0)
