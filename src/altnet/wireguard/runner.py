"""Running commands on the host, behind an interface that tests replace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

MISSING = 127
TIMED_OUT = 124
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Done:
    """A finished command: exit status (127: not installed, 124: timed out), standard output and error.

    ``out`` stays out of the representation: ``wg show all dump`` prints private keys.
    """

    code: int
    out: str = field(default="", repr=False)
    err: str = ""


class Runner(Protocol):
    """Runs one command with fixed arguments and no shell."""

    def run(self, argv: Sequence[str], stdin: str | None = None) -> Done:
        """Run ``argv``, feed it ``stdin``, return how it ended; never raises for a failing command."""


class HostRunner:
    """Runs commands on this host, in the C locale, each for at most ``timeout`` seconds."""

    def __init__(self, timeout: float = 300.0) -> None:
        self._timeout = timeout
        path = os.environ.get("PATH", "")
        self._environment = {
            **os.environ,
            "LC_ALL": "C",
            "LANGUAGE": "C",
            "PATH": f"{path}:{_SBIN}" if path else _SBIN,
        }

    def run(self, argv: Sequence[str], stdin: str | None = None) -> Done:
        """Run ``argv``; a missing program and a timeout come back as exit status 127 and 124."""
        try:
            done = subprocess.run(
                list(argv),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                env=self._environment,
                timeout=self._timeout,
                check=False,
            )
        except FileNotFoundError:
            return Done(MISSING, err=f"{argv[0]}: not installed")
        except subprocess.TimeoutExpired:
            return Done(TIMED_OUT, err=f"{argv[0]}: no answer within {self._timeout:g} s")
        return Done(done.returncode, done.stdout, done.stderr)
