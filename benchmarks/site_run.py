"""A no-change `site.yml` against the lab: seconds, processor seconds of the whole machine, and how they were before.

The lab's hosts are containers of this machine, so its processor time is that of the control node and all hosts. The
history is a tracked file: `python3 -m benchmarks.site_run keep` adds today's figure to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .controller import changed
from .figures import Figure, Report
from .measure import ROOT, AbsentError
from .measure import run as command

HISTORY = ROOT / "benchmarks" / "history.json"
GOAL = 15.0
SHOWN = 10


@dataclass(frozen=True)
class SiteRun:
    """One run: its date, seconds, processor seconds of the machine, and what the machine was like."""

    date: str
    wall: float
    cpu: float
    hosts: int
    cores: int
    idle: float  # the part of the machine that nobody used in the second before: below 1, the figures are too high

    def __str__(self) -> str:
        """Return one line of the history."""
        return (
            f"{self.date}  {self.wall:6.1f} s  {self.cpu:6.1f} s of processor  {self.hosts} hosts, "
            f"{self.cores} cores, {self.idle:.0%} idle before"
        )


def measure(playbook: str = "site.yml", arguments: Sequence[str] = ()) -> SiteRun:
    """Run the playbook once, which must change nothing, against the lab that is up."""
    idle = idle_part()
    before = busy()
    done = command([Path(sys.executable).with_name("ansible-playbook"), playbook, *arguments], cwd=ROOT)
    cpu = busy() - before
    if changed(done.output):
        raise RuntimeError(f"the run was to change nothing: {done.output[-2000:]}")
    hosts = sum("ok=" in line and "unreachable=0" in line for line in done.output.splitlines())
    return SiteRun(time.strftime("%Y-%m-%d"), round(done.wall, 1), round(cpu, 1), hosts, os.cpu_count() or 1, idle)


def run(report: Report) -> None:
    """Measure it if the lab is up, and print the history."""
    if not lab_is_up():
        raise AbsentError("the lab is not up (make lab)")
    done = measure()
    report.add(
        f"no-change site.yml, {done.hosts} hosts of the lab",
        Figure("", done.wall, "s", GOAL),
        Figure("of processor, control node and hosts", done.cpu, "s"),
    )
    print(table([*load(), done]))


def lab_is_up() -> bool:
    """Say whether the lab's containers run."""
    try:
        shown = subprocess.run(
            ["docker", "ps", "--quiet", "--filter", "name=altnet-lab-"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return False
    return bool(shown.stdout.split())


def load(path: Path = HISTORY) -> list[SiteRun]:
    """Return the history, the oldest first."""
    return [SiteRun(**entry) for entry in json.loads(path.read_text())] if path.is_file() else []


def keep(done: SiteRun, path: Path = HISTORY) -> None:
    """Add a run to the history."""
    lines = ",\n".join(json.dumps(asdict(one)) for one in [*load(path), done])
    path.write_text(f"[\n{lines}\n]\n")


def table(runs: Sequence[SiteRun]) -> str:
    """Return the last runs, one line each, the newest last."""
    return "\n".join(f"  {one}" for one in runs[-SHOWN:])


def ticks() -> tuple[int, int]:
    """Return the processors' busy and idle ticks since boot; waiting for a disk is idle, guests are in user time."""
    user, nice, system, idle, waiting, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return user + nice + system + irq + softirq, idle + waiting


def busy() -> float:
    """Return the processor seconds the machine has used since boot."""
    return ticks()[0] / os.sysconf("SC_CLK_TCK")


def idle_part(seconds: float = 1.0) -> float:
    """Return which part of the machine was idle over some time."""
    used, unused = ticks()
    time.sleep(seconds)
    used, unused = (new - old for new, old in zip(ticks(), (used, unused), strict=True))
    return round(unused / max(1, used + unused), 2)


if __name__ == "__main__":
    _done = measure()
    if sys.argv[1:] == ["keep"]:
        keep(_done)
        print(table(load()))
    else:
        print(table([*load(), _done]))
