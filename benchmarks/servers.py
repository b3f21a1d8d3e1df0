"""Servers that are measured beside each other, by their own processor time."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .figures import Figure, Report, median
from .measure import processor, proportional


@dataclass
class Server:
    """A running server, and what was measured of it."""

    name: str
    address: str
    process: subprocess.Popen[bytes]
    port: int = 53
    first: float = 0.0
    rates: list[float] = field(default_factory=list)
    memory: float = 0.0

    def pids(self) -> list[int]:
        """Return its process and all that it made."""
        found, wanted = list[int](), [self.process.pid]
        while wanted:
            found.append(wanted.pop())
            for task in Path(f"/proc/{found[-1]}/task").iterdir():
                wanted += map(int, (task / "children").read_text().split())
        return found

    def weigh(self) -> None:
        """Keep how much memory it has now."""
        self.memory = sum(map(proportional, self.pids()))

    def processor(self) -> float:
        """Return the processor seconds used so far."""
        return sum(map(processor, self.pids()))


def beside(report: Report, subject: str, unit: str, ours: Server, other: Server) -> None:
    """Report our server as ratios to another of the same run."""
    ratios = [one / two for one, two in zip(ours.rates, other.rates, strict=True)]
    report.add(
        subject,
        Figure(f"times the {unit} per processor second", median(ratios)),
        Figure("at least", min(ratios)),
        Figure("at most", max(ratios)),
        Figure("times the memory", ours.memory / other.memory),
    )


def version(*argv: str) -> str:
    """Return the version a program says it is."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return found[0] if found else "?"
