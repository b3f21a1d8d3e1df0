"""The pingers of all hosts, started together; one long record that windows are cut out of."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from acceptance import lab

from .record import Record

PINGER = Path(__file__).with_name("pinger.py")
#: Seconds after which a ping that is not answered is lost.
WAIT = 1.0


class Watch:
    """Pingers that run. ``now`` is the time of their record."""

    def __init__(self, hosts: list[str], interval: float) -> None:
        self.interval = interval
        self.processes = {host: start(host, [one for one in hosts if one != host], interval) for host in hosts}
        for host, process in self.processes.items():
            assert process.stdout
            ready = process.stdout.readline()
            assert ready == b"READY\n", f"{host}: the pinger did not start: {ready!r}"
        # The starting signal reaches all hosts within some milliseconds, which is how well their records agree.
        self.begin = time.monotonic()
        self._signal()
        self.record: Record | None = None

    @property
    def now(self) -> float:
        """Seconds since the common start."""
        return time.monotonic() - self.begin

    def _signal(self) -> None:
        for process in self.processes.values():
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.flush()

    def stop(self) -> Record:
        """End all pingers and return their record."""
        self._signal()
        reports = {host: process.communicate(timeout=60)[0].decode() for host, process in self.processes.items()}
        self.record = Record.parse(self.interval, reports)
        return self.record

    def kill(self) -> None:
        """End what still runs; a pinger whose input ends, ends."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def start(host: str, targets: list[str], interval: float) -> subprocess.Popen[bytes]:
    """Start a host's pinger; its text and its arguments travel in the command, so that its input stays free."""
    given = {
        "source": lab.loopback(host),
        "targets": {target: lab.loopback(target) for target in targets},
        "interval": interval,
        "wait": WAIT,
    }
    text = base64.b64encode(PINGER.read_bytes()).decode()
    program = f"import base64; exec(base64.b64decode('{text}'))"
    command = f"exec python3 -c \"{program}\" '{json.dumps(given)}'"
    return subprocess.Popen(
        lab.ssh_argv(host, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


@contextlib.contextmanager
def watch(hosts: list[str], interval: float) -> Iterator[Watch]:
    """Yield running pingers; ``stop`` gives their record."""
    running = Watch(hosts, interval)
    try:
        yield running
    finally:
        running.kill()
