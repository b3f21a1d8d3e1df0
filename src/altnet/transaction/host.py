"""The machine as the transaction sees it: where state is kept, how commands are run, what time it is.

Tests give other values; the module takes the defaults.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

STATE_ROOT = Path("/var/lib/altnet/transaction")
UNIT_DIRECTORIES = (
    Path("/etc/systemd/system"),
    Path("/run/systemd/system"),
    Path("/usr/local/lib/systemd/system"),
)
_SYSTEM_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_SHOWN_OUTPUT = 8000  # characters of a command's output that are kept for messages and digests of its text


@dataclass(frozen=True)
class Output:
    """What a command left: exit code (127: no such command, 124: timed out) and both streams."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Both streams for a reader, cut to a size that fits a message."""
        joined = "\n".join(part.rstrip() for part in (self.stdout, self.stderr) if part.strip())
        return joined if len(joined) <= _SHOWN_OUTPUT else f"{joined[:_SHOWN_OUTPUT]}\n[... cut]"


class Runner(Protocol):
    """Runs commands without a shell."""

    def __call__(self, argv: Sequence[str], timeout: float) -> Output:
        """Run ``argv``, end it (and its children) after ``timeout`` seconds."""
        ...

    def has(self, command: str) -> bool:
        """Say whether the command could be run."""
        ...


class SystemRunner:
    """Commands of this machine, in the C locale, with the system's sbin directories at the end of PATH."""

    def __init__(self) -> None:
        given = [part for part in os.environ.get("PATH", "").split(":") if part]
        self.path = ":".join([*given, *(part for part in _SYSTEM_PATHS if part not in given)])

    def has(self, command: str) -> bool:
        """Say whether the command is an executable file or on PATH."""
        return shutil.which(command, path=self.path) is not None

    def __call__(self, argv: Sequence[str], timeout: float) -> Output:
        """Run ``argv`` in a session of its own, so that a timeout ends its children too.

        Output goes through files, not pipes: a command that leaves a daemon behind returns when it ends, not
        when the daemon closes its copy of the pipe.
        """
        program = shutil.which(argv[0], path=self.path)
        if program is None:
            return Output(127, "", f"{argv[0]}: command not found")
        environment = {**os.environ, "LC_ALL": "C", "PATH": self.path}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    [program, *argv[1:]],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd="/",
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                return Output(126, "", f"{argv[0]}: {error.strerror}")
            late = ""
            try:
                code = _wait(process, timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code, late = 124, f"\n(ended: no answer within {timeout:g} s)"
            out.seek(0)
            err.seek(0)
            stdout = out.read().decode("utf-8", "replace")
            return Output(code, stdout, err.read().decode("utf-8", "replace") + late)


def _wait(process: subprocess.Popen[bytes], timeout: float) -> int:
    """Wait by the kernel's notice; subprocess itself looks every now and then, up to 50 ms late."""
    with suppress(OSError):  # no pidfd in this kernel or sandbox
        descriptor = os.pidfd_open(process.pid)
        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            poller.poll(timeout * 1000)
            timeout = 0
        finally:
            os.close(descriptor)
    return process.wait(timeout)


def _no_step(_name: str) -> None:
    """Do nothing: only tests stop between steps."""


@dataclass
class Host:
    """Everything a transaction touches besides the files of its set."""

    state_root: Path = STATE_ROOT
    run: Runner = field(default_factory=SystemRunner)
    step: Callable[[str], None] = _no_step  # called at every boundary a kill could fall on
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    unit_directories: tuple[Path, ...] = UNIT_DIRECTORIES
    settle: float = 1.0  # seconds for which health has to hold
    poll: float = 0.25  # seconds between two questions
    patience: float = 300.0  # seconds to wait for another run of the same transaction
