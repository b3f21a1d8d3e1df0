"""One event, many times, under pings: strike, wait, take it back, wait until all is up again."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from acceptance import lab

from . import ready
from .record import Record, Window
from .shells import Shells
from .strikes import Strike
from .watch import Watch

#: Seconds between the moment all is up and the next strike: pings before it are answered, so gaps begin within.
CALM = 0.3


@dataclass(frozen=True)
class Span:
    """A stretch of the record that belongs to one phase of a repetition."""

    phase: str
    begin: float
    end: float
    without: Collection[str] = ()

    def window(self, record: Record) -> Window:
        """Return what users saw: losses between hosts that can be reached, and when the last of all pairs healed."""
        seen = record.window(self.begin, self.end, self.without)
        if self.phase != "strike" and self.without:
            # Who was away is back: what the others lose counts, and the time until all reach all again.
            return replace(seen, healed_s=record.window(self.begin, self.end).healed_s)
        return seen


@dataclass
class Drill:
    """What events work with."""

    shells: Shells
    watch: Watch
    hosts: list[str]
    spans: list[Span] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    relays: list[str] = field(default_factory=ready.relays)

    def up(self) -> None:
        """Wait until every session is up, BFD too, and a moment more."""
        ready.wait_until_up(self.shells)
        time.sleep(CALM)

    def strike(self, strike: Strike, hold: float, without: Collection[str] = (), *, cuts: bool = False) -> None:
        """Strike when all is up, hold for ``hold`` seconds, take it back, and wait until all is up.

        Where it ``cuts`` a session, one has to be down by then: or nothing was struck, and it would look like success.
        """
        self.up()
        begin = self.watch.now
        with strike:
            time.sleep(max(0.0, begin + hold - self.watch.now))
            end = self.watch.now
            assert not cuts or ready.down(self.shells), "nothing was struck: every session is up"
        self.spans.append(Span("strike", begin, end, without))
        self.back("back", end, without)

    def back(self, phase: str, begin: float, without: Collection[str] = ()) -> None:
        """Note the time from ``begin`` until all is up."""
        self.up()
        self.spans.append(Span(phase, begin, self.watch.now, without))

    def act(self, phase: str, host: str, command: str) -> None:
        """Do something to a host that heals by itself; the phase ends when all is up."""
        self.up()
        begin = self.watch.now
        self.shells.run(host, command)
        time.sleep(0.2)
        self.back(phase, begin)

    def operator(self, phase: str, name: str, *args: str, without: Collection[str] = ()) -> lab.Run:
        """Run a playbook; the phase ends when all is up."""
        begin = self.watch.now
        done = lab.playbook(name, *args)
        self.back(phase, begin, without)
        return done

    def windows(self, record: Record) -> dict[str, Sequence[Window]]:
        """Return every repetition's window, by phase."""
        found: dict[str, list[Window]] = {}
        for span in self.spans:
            found.setdefault(span.phase, []).append(span.window(record))
        return dict(found)
