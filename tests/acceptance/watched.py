"""What an operator does while hosts ping each other, and what the pings saw of it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from drills.record import OK, Pair, Window
from drills.watch import watch

from . import lab


@dataclass
class Watched:
    """What the pings of all ordered pairs saw; filled when the watch ends."""

    hosts: list[str]
    seen: Window = field(init=False)
    #: Ordered pairs none of whose pings was answered.
    cut_off: list[Pair] = field(default_factory=list)
    #: Sessions that an end gave up by itself: BFD heard nothing for a second, as on a machine that has no time.
    given_up: int = 0

    def __str__(self) -> str:
        return (
            f"{self.seen.lost} of {self.seen.sent} pings lost by {self.seen.pairs} of "
            f"{len(self.hosts) * (len(self.hosts) - 1)} ordered pairs, longest gap {self.seen.gap_ms:.0f} ms, the instrument itself "
            f"without a processor for {self.seen.idle_ms:.0f} ms at most and unable to send {self.seen.stalled}, "
            f"BGP sessions given up by themselves: {self.given_up}"
        )

    def check(self, gap_ms: float = 1_000) -> None:
        """The goal is none; what is asserted leaves room for a machine that has not the time to answer.

        WireGuard in userspace is a process like the instrument, and the kernel keeps some 270 packets for one that has
        to wait: what neighbours send meanwhile beyond that is lost (Udp6RcvbufErrors), whoever does what. So as many
        may be lost as the instrument could not send while it stood still itself. A machine that stands still for a
        second loses sessions too: then the figures say so, and what is asserted is that every pair came back.
        """
        assert self.seen.sent > 1000
        share, gap = (1 / 10, 15_000.0) if self.given_up else (1 / 1_000, gap_ms)
        assert self.seen.lost <= max(3, self.seen.sent * share, self.seen.stalled), str(self)
        assert self.seen.gap_ms <= gap, str(self)


@contextlib.contextmanager
def watched(hosts: list[str], interval: float) -> Iterator[Watched]:
    """Let every host of ``hosts`` ping every other, with ``interval`` seconds between two pings of a pair."""
    found, start = Watched(hosts), int(time.time())
    with watch(hosts, interval) as pingers:
        time.sleep(1)
        yield found
        time.sleep(1)
        end = pingers.now
        record = pingers.stop()
    found.seen = record.window(0, end)
    found.cut_off = [pair for pair, fates in record.fates.items() if OK not in fates]
    for host in lab.addresses():
        log = lab.ssh(host, f"journalctl --unit=bird --output=cat --since=@{start}")
        found.given_up += len(re.findall(r"Received: Cease$", log, re.MULTILINE))
