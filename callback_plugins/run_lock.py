"""One run at a time for each network: the lock is held by the ansible-playbook process itself."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any, NoReturn

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: run_lock
type: aggregate
short_description: Refuse a second run against the same inventory
description:
  - Takes an exclusive lock beside the inventory when a playbook starts and holds it until ansible-playbook ends,
    however it ends. A second run fails at once and says who holds the lock.
  - Check mode, and the playbooks named in C(readers), change nothing and take no lock.
options:
  readers:
    description: Playbooks that change nothing, by file name.
    type: list
    elements: str
    default: [check.yml, preflight.yml, lab-up.yml, lab-down.yml, init.yml]
    ini: [{section: run_lock, key: readers}]
    env: [{name: ALTNET_RUN_LOCK_READERS}]
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Holds the lock for as long as the process lives; the kernel drops it with the process."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "run_lock"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.held: list[IO[str]] = []

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Take the locks, or end the run."""
        name = os.path.basename(playbook._file_name)  # noqa: PTH119 - a string is wanted
        if name in self.get_option("readers") or context.CLIARGS.get("check"):
            return
        sources = [Path(source) for source in context.CLIARGS.get("inventory") or () if "," not in source]
        # Two files of one directory are one network; the order keeps two runs from each holding half of it.
        directories = {(path if path.is_dir() else path.parent).resolve() for path in sources if path.exists()}
        for directory in sorted(directories):
            self.take(directory / ".run.lock", name)
        os.register_at_fork(after_in_child=die_with_the_run)

    def take(self, path: Path, name: str) -> None:
        """Lock ``path`` and write who holds it, or say who does and exit with 4."""
        try:
            file = path.open("a+")
        except OSError as error:
            self.refuse(path.parent, f"cannot be locked ({error.strerror})", "make the directory writable for you")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            self.refuse(path.parent, *held_by(file.read()))
        file.truncate(0)
        file.write(json.dumps({"playbook": name, "pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}))
        file.flush()
        self.held.append(file)

    def refuse(self, directory: Path, what: str, remedy: str) -> NoReturn:
        """End the run with 4."""
        self._display.error(f"the network: {directory}: {what}. Remedy: {remedy}.")
        # No Exception: Ansible would make a warning of it and go on.
        sys.exit(4)


def die_with_the_run() -> None:
    """Have the kernel end this worker when ansible-playbook ends (prctl(2), PR_SET_PDEATHSIG).

    Workers that a killed run leaves behind would wait for ever to hand in their results, and keep the lock they
    inherited.
    """
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def held_by(text: str) -> tuple[str, str]:
    """Return what and remedy for a lock whose holder wrote ``text`` into it."""
    try:
        holder = json.loads(text)
        who = f" ({holder['playbook']}, process {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        who = ", which has just begun"
    return (
        f"another run is under way{who}",
        "wait until it has ended, or end that process; the lock goes with it, there is no file to remove",
    )
