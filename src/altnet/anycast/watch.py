"""The watch itself: ask, judge, and put every address where it belongs, for ever.

systemd ends a process that is stuck, and takes the addresses away whatever it died of.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .. import systemd
from . import lo
from .judgement import Heard, Judge, Place

log = logging.getLogger("altnet-anycast")

#: How a round is asked: what was heard of each service, by its name.
Round = Callable[[], Mapping[str, Heard]]


@dataclass(frozen=True)
class Pace:
    """How often is asked, how long an answer may take, and how many rounds decide."""

    interval: float
    timeout: float
    rise: int
    fall: int
    patience: int


def pace(value: Mapping[str, Any]) -> Pace:
    """Return what a settings file says of it. Raises KeyError for one that is not ours."""
    return Pace(**{key: value[key] for key in Pace.__dataclass_fields__})


class Watch:
    """All services of one program, by name, with their addresses.

    ``kept`` is a file with the commands that take away what the program may have put on ``lo``, for its unit.
    """

    def __init__(self, services: Mapping[str, str], pace: Pace, kept: Path) -> None:
        self.services, self.pace, self.kept = dict(services), pace, kept
        self.said: dict[str, str] = {}
        self.judges = {
            name: Judge(pace.rise, pace.fall, pace.patience, lo.placed(address)) for name, address in services.items()
        }

    def begin(self) -> None:
        """Remember what is ours, and give up what an earlier configuration had and this one has not."""
        ours = sorted(set(self.services.values()))
        for address in lo.withdrawn_by(self.kept) - set(ours):
            lo.put(address, lo.placed(address), Place.AWAY)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        self.kept.write_text("".join(map(lo.withdrawal, ours)))

    def look(self, ask: Round) -> None:
        """Ask once, judge, and put every address where it belongs."""
        found = ask()
        for name, address in self.services.items():
            judge, heard = self.judges[name], found[name]
            others = judge.place is not Place.FULL and bool(heard.refusal) and lo.others_announce(address)
            wanted = judge.hear(heard, others=others)
            now = lo.placed(address)
            if now is not wanted:
                lo.put(address, now, wanted)
            self.tell(name, address, judge)
        systemd.notify("WATCHDOG=1", "STATUS=" + "; ".join(f"{name}: {judge}" for name, judge in self.judges.items()))

    def tell(self, name: str, address: str, judge: Judge) -> None:
        """Write to the journal when an address comes or goes, with the reason."""
        if self.said.get(name) != judge.place:
            log.info("%s %s: %s", name, address, judge)
            self.said[name] = judge.place


def end(_signal: int, _frame: FrameType | None) -> None:
    """Leave; what is on ``lo`` is taken away by the unit, as after a crash."""
    raise SystemExit(0)


def serve(module: str, watch: Watch, ask: Round) -> None:
    """Watch until told to stop; on SIGHUP read settings and program anew, with the addresses where they are."""

    def again(_signal: int, _frame: FrameType | None) -> None:
        os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])  # noqa: S606

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, again)
    watch.begin()
    systemd.notify("READY=1")
    while True:
        started = time.monotonic()
        watch.look(ask)
        time.sleep(max(0.0, watch.pace.interval - (time.monotonic() - started)))
