"""A small world: a fake daemon with its unit, its configuration, and the state of its transaction."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from altnet.transaction import Host, run

FAKES = Path(__file__).with_name("fakes")
ITEM = r"^(?P<item>\S+) BGP Established"


@dataclass
class World:
    """Everything one test needs; ``apply`` is one run of the module."""

    root: Path
    extra: dict[str, object] = field(default_factory=dict)
    settle: float = 0.03

    def __post_init__(self):
        self.conf = self.root / "etc" / "fake" / "fake.conf"
        self.key = self.root / "etc" / "fake" / "key"
        self.fake = self.root / "fake"
        self.state = self.root / "var" / "altnet" / "transaction"
        self.units = self.fake / "units"
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.group = grp.getgrgid(os.getegid()).gr_name

    def host(self, step: Callable[[str], None] = lambda _: None) -> Host:
        return Host(state_root=self.state, step=step, unit_directories=(self.units,), settle=self.settle, poll=0.01)

    def params(self, files: Mapping[Path, str], **changes: object) -> dict[str, object]:
        listed = [
            {
                "path": str(path),
                "owner": self.user,
                "group": self.group,
                "mode": "0600" if path == self.key else "0644",
                "sensitive": path == self.key,
            }
            for path in files
        ]
        params = {
            "name": "fake",
            "files": listed,
            "check": [["fakectl", "check", "{stage}" + str(self.conf)]],
            "unit": "fake.service",
            "reload": ["fakectl", "reload"],
            "health": {"command": ["fakectl", "sessions"], "healthy": ITEM, "timeout": 0.3},
        }
        return {**params, **self.extra, **changes}

    def apply(self, files=None, *, check_mode=False, step=lambda _: None, **changes):
        """Run once. ``files`` maps paths to texts; one text stands for the configuration."""
        files = {self.conf: files} if isinstance(files, str) else files or {}
        contents = {str(path): text.encode() for path, text in files.items()}
        params = self.params(files, **changes)
        return run(params, contents, check_mode=check_mode, host=self.host(step))

    def killed(self, at: int, files, **changes) -> bool:
        """Run in a child that ends itself by SIGKILL at step number ``at``; say whether it got that far."""
        child = os.fork()
        if child == 0:
            count = 0

            def step(_name):
                nonlocal count
                if count == at:
                    os.kill(os.getpid(), 9)
                count += 1

            try:
                self.apply(files, step=step, **changes)
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9

    def calls(self) -> list[str]:
        """What was run since the last question, but for questions to systemd."""
        log = self.fake / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("systemctl show")]

    def loaded(self) -> str:
        return (self.fake / "loaded").read_text()

    def kept(self) -> list[str]:
        """Names in the transaction's state directory."""
        directory = self.state / "fake"
        return sorted(path.name for path in directory.iterdir()) if directory.exists() else []

    def litter(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.name.startswith(".altnet-")]


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing that it wrote; only a machine does, and the disk is what takes the time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands of the fake daemon, first on PATH."""
    where = tmp_path / "bin"
    where.mkdir()
    for fake in FAKES.iterdir():
        shutil.copy(fake, where / fake.name)
        (where / fake.name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{where}:{os.environ['PATH']}")
    return where


@pytest.fixture
def world(tmp_path: Path, fakes: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(tmp_path, monkeypatch)


def make_world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(root)
    made.fake.mkdir()
    monkeypatch.setenv("FAKE", str(made.fake))
    monkeypatch.setenv("FAKE_CONF", str(made.conf))
    return made
