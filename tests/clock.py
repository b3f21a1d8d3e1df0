"""A clock that a test sets for processes, while they run (libfaketime)."""

from __future__ import annotations

import os
import time
from pathlib import Path

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Clock:
    """The time that servers with ``environment`` see; setting it changes it under the running processes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.set(0)

    def set(self, when: float) -> None:
        """Set the time, in seconds since 1970; 0 is the real one."""
        self.offset = int(when - time.time()) if when else 0
        temporary = self.file.with_suffix(".new")
        temporary.write_text(f"{self.offset:+d}\n")
        temporary.replace(self.file)

    @property
    def now(self) -> int:
        """What the servers take for the time."""
        return int(time.time()) + self.offset

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process see this time. Its waits stay real: only the calendar is played."""
        return {
            **os.environ,
            "LD_PRELOAD": str(FAKETIME[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
