"""A stream of pings between two hosts, and what was lost of it."""

from __future__ import annotations

import itertools
import re
import subprocess
from dataclasses import dataclass

from acceptance import lab

#: Seconds between two pings.
INTERVAL = 0.02


@dataclass(frozen=True)
class Count:
    """How many pings were sent and lost, and the longest time without an answer, in seconds."""

    sent: int
    lost: int
    gap: float

    def __str__(self) -> str:
        return f"{self.lost} of {self.sent} pings lost, longest gap {self.gap * 1000:.0f} ms"


class Stream:
    """Pings from one host's loopback to another's, running beside the test until they are counted."""

    def __init__(self, source: str, target: str, seconds: int) -> None:
        command = f"ping -6 -n -i {INTERVAL} -w {seconds} -I {lab.loopback(source)} {lab.loopback(target)}"
        self.process = subprocess.Popen(lab.ssh_argv(source, command), stdout=subprocess.PIPE, text=True)

    def count(self) -> Count:
        """End the stream and count it."""
        out, _ = self.process.communicate(timeout=180)
        total = re.search(r"(\d+) packets transmitted, (\d+) received", out)
        assert total, out[-2000:]
        return count(int(total[1]), [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", out)])


def count(sent: int, answered: list[int]) -> Count:
    """Count what is missing between the first and the last of ``sent`` pings; no answer at all is one long gap."""
    present = sorted({0, *answered, sent + 1})
    longest = max(after - before - 1 for before, after in itertools.pairwise(present))
    return Count(sent, sent - len(set(answered)), longest * INTERVAL)
