"""Two real ansible-playbook processes and one network."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
#: Runs until the file named by ``until`` is there.
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "touch {{ began }}; while [ -e {{ until }} ]; do sleep 0.1; done"
      when: until is defined
"""


class Network:
    """A temporary inventory, and runs against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / "mine"
        self.directory.mkdir()
        (self.directory / "hosts.yml").write_text("all: {hosts: {localhost: }}\n")
        self.lock = self.directory / ".run.lock"
        self.until, self.began = root / "until", root / "began"
        self.running: list[subprocess.Popen[str]] = []
        for name in ("site.yml", "check.yml", "drain.yml"):
            (root / name).write_text(PLAY)

    def start(self, playbook: str, *arguments: str) -> subprocess.Popen[str]:
        settings = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.root / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "COLUMNS": "80",
        }
        process = subprocess.Popen(
            [str(PLAYBOOK), str(self.root / playbook), *(arguments or ("-i", str(self.directory)))],
            cwd=self.root,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def hold(self, playbook: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a run and return when its task is under way."""
        self.until.touch()
        process = self.start(
            playbook, *(arguments or ("-i", str(self.directory))), "-e", f"until={self.until} began={self.began}"
        )
        deadline = time.monotonic() + 20
        while not self.began.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    def run(self, playbook: str, *arguments: str) -> tuple[int, str, str]:
        process = self.start(playbook, *arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path)
    yield made
    made.until.unlink(missing_ok=True)
    for process in made.running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_one_at_a_time(network: Network) -> None:
    first = network.hold("site.yml")
    code, out, err = network.run("drain.yml")
    assert code == 4
    assert "PLAY [" not in out
    since = json.loads(network.lock.read_text())["since"]
    assert err == (
        f"[ERROR]: the network: {network.directory}: another run is under way (site.yml, process {first.pid}, since "
        f"{since}). Remedy: wait until it has ended, or end that process; the lock goes with it, there is no file to "
        "remove.\n"
    )
    assert len(list((network.root / "tmp").glob("ansible-local-*"))) == 1, "the first one's; the second left none"

    # What changes nothing is let through, and does not end the first one's lock.
    for playbook, *more in (("check.yml",), ("drain.yml", "--check"), ("drain.yml", "--list-tasks")):
        code, out, err = network.run(playbook, "-i", str(network.directory), *more)
        assert (code, "ERROR" in err) == (0, False), err
    assert network.run("drain.yml")[0] == 4

    network.until.unlink()
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    code, out, err = network.run("drain.yml")
    assert code == 0, err
    assert json.loads(network.lock.read_text())["playbook"] == "drain.yml"


def test_a_run_that_is_killed(network: Network) -> None:
    first = network.hold("site.yml")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    # Its worker sees it gone and goes too; what it had begun on the host goes on.
    deadline = time.monotonic() + 10
    while locked(network.lock):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    code, _, err = network.run("drain.yml")
    assert code == 0, err


def locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_several_inventories(network: Network) -> None:
    other = network.root / "other"
    other.mkdir()
    for name in ("hosts.yml", "more.yml"):
        (other / name).write_text("all: {hosts: {localhost: }}\n")
    (network.root / "link").symlink_to(other)
    # Two files of one directory, and the same one by another name, are one lock; a list of hosts is none.
    first = network.hold(
        "site.yml", "-i", str(network.directory / "hosts.yml"), "-i", str(other / "hosts.yml"),
        "-i", str(other / "more.yml"), "-i", str(network.root / "link"), "-i", "localhost,",
    )  # fmt: skip
    for directory in (network.directory, other):
        code, _, err = network.run("drain.yml", "-i", str(directory))
        assert code == 4
        assert f"the network: {directory}: another run is under way" in err
    code, _, err = network.run("drain.yml", "-i", "localhost,")
    assert code == 0, err
    assert first.poll() is None


def test_a_reader_leaves_no_file(network: Network) -> None:
    code, _, err = network.run("check.yml")
    assert code == 0, err
    assert not network.lock.exists()


def test_a_directory_that_cannot_be_locked(network: Network) -> None:
    network.lock.mkdir()
    code, out, err = network.run("site.yml")
    assert code == 4
    assert "PLAY [" not in out
    assert err.endswith(
        f"the network: {network.directory}: cannot be locked (Is a directory). Remedy: make the directory writable "
        "for you.\n"
    )
