"""Keeps an anycast address on ``lo`` exactly while the service behind it answers well; BIRD announces what is there.

The host's own address is asked, not the anycast address: a sick relay has given that one up, and what passes through it
is on its way to somebody else. systemd ends a process that is stuck, and takes the addresses away whatever it died of.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .. import systemd
from .asking import Question, ask
from .judgement import Heard, Judge, Place

log = logging.getLogger("altnet-anycast")

#: The kernel's table of IPv6 addresses: reading it costs less than a process.
TABLE = Path("/proc/net/if_inet6")
#: How what we may have put there is taken away, as commands for ``ip -6 -batch``: by the unit, whatever we died of.
KEPT = Path("/run/altnet-anycast/withdraw")


@dataclass(frozen=True)
class Service:
    """An address and the questions that have to be answered well for it; the first is to the service itself."""

    name: str
    address: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Settings:
    """The settings file."""

    services: tuple[Service, ...]
    interval: float
    timeout: float
    rise: int
    fall: int
    patience: int


def parse(value: Mapping[str, Any]) -> Settings:
    """Return the settings in a JSON object. Raises KeyError or TypeError for one that is not ours."""
    services = [
        Service(one["name"], one["address"], tuple(Question(**question) for question in one["questions"]))
        for one in value["services"]
    ]
    rest = {key: value[key] for key in ("interval", "timeout", "rise", "fall", "patience")}
    return Settings(tuple(services), **rest)


def run(*argv: str, text: str = "") -> str:
    """Return a command's output; what it complains of goes to the journal."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=5)
    if done.returncode:
        log.warning("`%s`: %s", " ".join(argv), done.stderr.strip())
    return done.stdout


def placed(address: str, table: Path = TABLE) -> Place:
    """Return how an address is on ``lo`` now."""
    wanted = digits(address)
    for line in table.read_text().splitlines():
        found, _, length, _, _, interface = line.split()
        if found == wanted and interface == "lo":
            return Place(str(int(length, 16)))
    return Place.AWAY


def digits(address: str) -> str:
    """Return an IPv6 address as the kernel's table has it: 32 hexadecimal digits."""
    head, _, tail = address.partition("::")
    before, after = head.split(":") if head else [], tail.split(":") if tail else []
    middle = ["0"] * (8 - len(before) - len(after)) if "::" in address else []
    return "".join(group.zfill(4) for group in (*before, *middle, *after))


def put(address: str, now: Place, wanted: Place) -> None:
    """Bring an address from one place to another. noprefixroute: a /127 must not draw in its other half."""
    lines = [f"address delete {address}/{now} dev lo"] if now else []
    lines += [f"address add {address}/{wanted} dev lo noprefixroute"] if wanted else []
    if lines:
        run("ip", "-6", "-force", "-batch", "-", text="\n".join(lines) + "\n")


def others_announce(address: str) -> bool:
    """Say whether BIRD has learnt of a host whose service is well: only such a one announces all 128 bits."""
    return bool(run("ip", "-6", "route", "show", "proto", "bird", "exact", f"{address}/128").strip())


class Watch:
    """All services of this host."""

    def __init__(self, settings: Settings, kept: Path = KEPT) -> None:
        self.settings = settings
        self.kept = kept
        self.said: dict[str, str] = {}
        self.judges = {
            service.name: Judge(settings.rise, settings.fall, settings.patience, placed(service.address))
            for service in settings.services
        }

    def begin(self) -> None:
        """Remember what is ours, and give up what an earlier configuration had and this one has not."""
        ours = sorted({service.address for service in self.settings.services})
        for address in remembered(self.kept) - set(ours):
            put(address, placed(address), Place.AWAY)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        lengths = (Place.FULL, Place.LAST)
        lines = [f"address delete {address}/{length} dev lo\n" for address in ours for length in lengths]
        self.kept.write_text("".join(lines))

    def look(self) -> None:
        """Ask once, judge, and put every address where it belongs."""
        questions = [question for service in self.settings.services for question in service.questions]
        found = ask(questions, self.settings.timeout)
        for service in self.settings.services:
            judge = self.judges[service.name]
            heard = hear(service, found)
            others = judge.place is not Place.FULL and bool(heard.refusal) and others_announce(service.address)
            wanted = judge.hear(heard, others=others)
            now = placed(service.address)
            if now is not wanted:
                put(service.address, now, wanted)
            self.tell(service, judge)
        systemd.notify("WATCHDOG=1", "STATUS=" + "; ".join(f"{name}: {judge}" for name, judge in self.judges.items()))

    def tell(self, service: Service, judge: Judge) -> None:
        """Write to the journal when an address comes or goes, with the reason."""
        if self.said.get(service.name) != judge.place:
            log.info("%s %s: %s", service.name, service.address, judge)
            self.said[service.name] = judge.place


def hear(service: Service, found: Mapping[Question, str]) -> Heard:
    """Return what one round of answers says of a service."""
    refusals = [found[question] for question in service.questions if found[question]]
    return Heard("; ".join(refusals), answers="does not answer" not in found[service.questions[0]])


def remembered(kept: Path) -> set[str]:
    """Return the addresses that we may have put on ``lo``."""
    lines = kept.read_text().splitlines() if kept.is_file() else []
    return {line.split()[2].partition("/")[0] for line in lines}


def end(_signal: int, _frame: FrameType | None) -> None:
    """Leave; what is on ``lo`` is taken away by the unit, as after a crash."""
    raise SystemExit(0)


def again(_signal: int, _frame: FrameType | None) -> None:
    """Read settings and program anew, with the addresses where they are."""
    os.execv(sys.executable, [sys.executable, "-m", "altnet.resolver.anycast", *sys.argv[1:]])  # noqa: S606


def main(arguments: list[str]) -> int:
    """Watch by the settings file that is named."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, again)
    settings = parse(json.loads(Path(arguments[0]).read_text()))
    watch = Watch(settings)
    watch.begin()
    systemd.notify("READY=1")
    while True:
        started = time.monotonic()
        watch.look()
        time.sleep(max(0.0, settings.interval - (time.monotonic() - started)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
