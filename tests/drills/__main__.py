"""Runs the drills on the lab, or on the network that LAB_INVENTORY and LAB_EXEC name: `make drills`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from acceptance import lab

from . import table
from .drill import Drill
from .events import EVENTS, Event, NotHere
from .record import Window
from .shells import shells
from .watch import watch


def measure(event: Event, runs: int, interval: float) -> tuple[dict[str, Sequence[Window]], list[str]]:
    """Repeat an event under pings, and return what was seen by phase, and what operators were told."""
    hosts = list(lab.addresses())
    with shells(hosts) as opened, watch(hosts, interval) as pingers:
        drill = Drill(opened, pingers, hosts)
        drill.up()
        for count in range(runs):
            event.once(drill, count)
        # Answers to the last pings are waited for by the pingers themselves.
        return drill.windows(pingers.stop()), drill.notes


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
    found: dict[str, dict[str, Sequence[Window]]] = {}
    lines: list[str] = []
    settings: tuple[str, ...] = ()
    try:
        for event in chosen(arguments.only):
            if settings != event.bird:
                settings = event.bird
                lab.playbook("site.yml", "--tags", "bird", *settings).ok()
            start = time.monotonic()
            try:
                found[event.name], notes = measure(event, arguments.runs, arguments.interval)
            except NotHere as error:
                print(f"{event.name}: not done: {error}", flush=True)
                continue
            lines += table.rows(event, found[event.name])
            each = (time.monotonic() - start) / arguments.runs
            print(f"{event.name}: {arguments.runs} runs, {each:.1f} s each", flush=True)
            for note in dict.fromkeys(notes):
                print(f"  {note}", flush=True)
    finally:
        lab.playbook("site.yml").ok()
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
        print(f"\nconditions: {conditions}")


main()
