"""Seconds, processor seconds and memory of this process and of others."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "benchmarks"


class AbsentError(Exception):
    """Something is missing on this machine; the text says what."""


@dataclass(frozen=True)
class Spent:
    """What a command took: seconds on the clock, processor seconds of it and all its children."""

    wall: float
    cpu: float
    output: str


def run(argv: Sequence[str | os.PathLike[str]], *, timeout: float = 900, **options: Any) -> Spent:
    """Run a command to its end; raises RuntimeError with its last words where it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [str(word) for word in argv], text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv[:6]))}: exit {done.returncode}: {done.stdout[-2000:]}")
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout)


def in_child(module: str, *arguments: object) -> dict[str, float]:
    """Run ``python3 -m benchmarks.MODULE ARGUMENTS`` and return the JSON it prints last."""
    spent = run([sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)], cwd=ROOT)
    answer: dict[str, float] = json.loads(spent.output.splitlines()[-1])
    return answer


def peak_memory() -> float:
    """Return this process's highest resident memory in MB.

    From /proc and not from getrusage, whose figure starts with that of the process which started this one.
    """
    return status("self", "VmHWM")


def status(pid: int | str, field: str) -> float:
    """Return a field of /proc/PID/status in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def proportional(pid: int) -> float:
    """Return a process's proportional set size in MB: shared pages count in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def processor(pid: int) -> float:
    """Return the processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
