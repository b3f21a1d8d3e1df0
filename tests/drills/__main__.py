"""Runs the drills on the lab, or on the network that LAB_INVENTORY and LAB_EXEC name: `make drills`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from acceptance import lab

from . import table
from .drill import Drill
from .events import EVENTS, Event, NotHere
from .record import Window
from .shells import CommandError, shells
from .watch import watch


@dataclass
class Outcome:
    """What one event's repetitions gave; ``failure`` says why there are fewer than wanted."""

    windows: dict[str, Sequence[Window]]
    notes: list[str]
    failure: str = ""


def measure(event: Event, runs: int, interval: float) -> Outcome:
    """Repeat an event under pings; a repetition that fails is the last, and those before it count."""
    hosts = list(lab.addresses())
    failure = ""
    with shells(hosts) as opened, watch(hosts, interval) as pingers:
        drill = Drill(opened, pingers, hosts)
        try:
            drill.up()
            for count in range(runs):
                event.once(drill, count)
        except (AssertionError, CommandError) as error:
            failure = str(error) or repr(error)
        # Answers to the last pings are waited for by the pingers themselves.
        return Outcome(drill.windows(pingers.stop()), drill.notes, failure)


def chosen(only: str) -> list[Event]:
    """Return the events named, all where none is; an unknown name is refused."""
    names = [name for name in only.split(",") if name]
    unknown = sorted(set(names) - {event.name for event in EVENTS})
    if unknown:
        sys.exit(f"no such event: {', '.join(unknown)}; there are {', '.join(event.name for event in EVENTS)}")
    return [event for event in EVENTS if event.name in names or not names]


def main() -> None:
    """Measure the chosen events and print the table."""
    parser = argparse.ArgumentParser(prog="drills", description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--only", default="", help="names of events, with commas between")
    parser.add_argument("--interval", type=float, default=0.02, help="seconds between two pings of a pair")
    parser.add_argument("--ground", default="kernel" if os.environ.get("LAB_INVENTORY") else "container")
    arguments = parser.parse_args()
    events = chosen(arguments.only)
    # Whoever ends this ends the strike too, and the settings that the drills run with.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    found: dict[str, dict[str, Sequence[Window]]] = {}
    lines: list[str] = []
    failures = 0
    settings: tuple[str, ...] = ()
    try:
        for event in events:
            if settings != event.bird:
                settings = event.bird
                lab.playbook("site.yml", "--tags", "bird", *settings).ok()
            start = time.monotonic()
            try:
                outcome = measure(event, arguments.runs, arguments.interval)
            except NotHere as error:
                print(f"{event.name}: not done: {error}", flush=True)
                continue
            found[event.name] = outcome.windows
            lines += table.rows(event, outcome.windows)
            print(f"{event.name}: {time.monotonic() - start:.0f} s", flush=True)
            for note in dict.fromkeys(outcome.notes):
                print(f"  {note}", flush=True)
            if outcome.failure:
                failures += 1
                print(f"{event.name}: FAILED: {outcome.failure}", flush=True)
    finally:
        windows = [window for phases in found.values() for seen in phases.values() for window in seen]
        conditions = {
            "ground": arguments.ground,
            "interval_s": arguments.interval,
            "cpus": os.cpu_count(),
            "load": os.getloadavg(),
            "instrument_idle_ms": max((window.idle_ms for window in windows), default=0),
        }
        table.save(lab.ROOT / "benchmarks" / "out" / f"drills-{arguments.ground}.json", conditions, found)
        print("\n" + "\n".join([table.HEAD, *lines]))
        print(f"\nconditions: {conditions}", flush=True)
        lab.playbook("site.yml").ok()
    if failures:
        sys.exit(f"{failures} events did not come to their end")


main()
