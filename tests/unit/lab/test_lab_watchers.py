"""What acceptance tests leave running on a host: nothing, however they end."""

from __future__ import annotations

import signal
import sys
import time

import pytest
from tests.acceptance import lab, names

#: As ssh and sshd are between a test and a program: what is typed goes through a process that can die.
CONNECTION = """
import os, subprocess, sys
program = subprocess.Popen(["bash", "-c", sys.argv[1]], stdin=subprocess.PIPE)
while typed := os.read(0, 4096):
    os.write(program.stdin.fileno(), typed)
program.stdin.close()
sys.exit(program.wait())
"""
#: Seconds that a watcher would go on for by itself.
LONG = 30.0


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of the lab is this machine; nobody answers questions here."""
    monkeypatch.setattr(lab, "ssh_argv", lambda _host, command: [sys.executable, "-c", CONNECTION, command])
    monkeypatch.setattr(lab, "loopback", lambda _host: "::1")


def test_a_watcher_ends_with_its_block() -> None:
    with names.watched("fra", "www.example.alt.", "::1", port=9, patience=0.1) as watcher:
        assert watcher.poll() is None
    assert watcher.returncode == 0


def test_a_watcher_ends_when_its_connection_is_cut() -> None:
    """The program holds the output's other end: that it has ended, too, is what the reader sees."""
    text = names.WATCH.format(
        name="www.example.alt.", kind="AAAA", source="::1", server="::1", port=9, patience=0.1, every=0.05,
        validated=True, seconds=LONG,
    )  # fmt: skip
    process = names.begun("fra", f"{names.ASKING}\nprint('on', flush=True)\n{text}")
    assert process.stdout
    assert process.stdout.readline() == "on\n"
    start = time.monotonic()
    process.kill()
    assert '"silent"' in process.stdout.read()
    assert time.monotonic() - start < LONG / 2
    process.communicate()


def test_a_program_gets_its_arguments_and_is_read_once_it_has_ended() -> None:
    process = names.begun("fra", "import sys\nprint(sys.argv[1:], len(sys.stdin.read()))", "a b", "it's")
    assert names.ended(process) == "['a b', \"it's\"] 0\n"
    assert process.returncode == 0
    names.ended(process)


def test_one_that_does_not_end_is_given_up() -> None:
    process = names.begun("fra", "import time\nprint('on', flush=True)\ntime.sleep(3)")
    names.ended(process, 0.2)
    assert process.returncode == -signal.SIGKILL
