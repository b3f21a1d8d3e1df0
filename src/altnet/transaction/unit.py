"""The service's unit, by systemctl."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .failure import TransactionError
from .host import Host, Output

_PROPERTIES = "LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,NRestarts,MainPID"
_NOT_ENABLED = {"", "disabled", "linked", "linked-runtime", "enabled-runtime"}
_QUICK = 20.0  # seconds for questions
_SLOW = 120.0  # seconds for start, reload and stop: more than systemd's own default of 90


@dataclass(frozen=True)
class UnitState:
    """systemd's view of a unit, in its own words."""

    load: str
    active: str
    sub: str
    file: str
    need_reload: bool
    restarts: str
    pid: str

    @property
    def exists(self) -> bool:
        """The unit is known to systemd."""
        return self.load not in {"", "not-found"}

    @property
    def masked(self) -> bool:
        """Somebody forbade the unit to start."""
        return self.load == "masked" or self.file.startswith("masked")

    @property
    def enabled(self) -> bool:
        """The unit starts with the machine, or (static, generated) is not for enabling."""
        return self.file not in _NOT_ENABLED and not self.masked

    @property
    def running(self) -> bool:
        """The unit is up."""
        return self.active in {"active", "reloading", "refreshing"}

    def __str__(self) -> str:
        if not self.exists:
            return "not there"
        return f"{self.active} ({self.sub}), {self.file or 'no unit file'}"


class Units:
    """systemctl for one transaction."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def state(self, unit: str) -> UnitState:
        """Ask systemd about ``unit``."""
        answer = self.host.run(["systemctl", "show", "--property", _PROPERTIES, "--", unit], _QUICK)
        if answer.code != 0:
            raise TransactionError(
                "unit", f"systemctl cannot tell about {unit}: {answer.text}", "see that systemd runs"
            )
        found = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
        return UnitState(
            load=found.get("LoadState", ""),
            active=found.get("ActiveState", ""),
            sub=found.get("SubState", ""),
            file=found.get("UnitFileState", ""),
            need_reload=found.get("NeedDaemonReload") == "yes",
            restarts=found.get("NRestarts", ""),
            pid=found.get("MainPID", ""),
        )

    def call(self, *arguments: str) -> tuple[list[str], Output]:
        """Run systemctl and return what was run with its answer."""
        argv = ["systemctl", *arguments]
        return argv, self.host.run(argv, _SLOW)

    def journal(self, unit: str, lines: int = 15) -> list[str]:
        """Return the last lines of the unit's log, or none where there is no journal."""
        argv = ["journalctl", "--no-pager", "--quiet", "-o", "short-iso", "-n", str(lines), "-u", unit]
        answer = self.host.run(argv, _QUICK)
        return answer.stdout.splitlines() if answer.code == 0 else []

    def load(self, unit: str, reload: list[str] | None, *, restart: bool) -> tuple[list[str], Output]:
        """Make the daemon read its files: start it if it is down, reload it if not, restart if asked.

        A unit in between (``activating``: systemd is about to restart it) is restarted, for a reload would be
        refused and a start would do nothing.
        """
        state = self.state(unit)
        if state.active == "failed":
            self.call("reset-failed", "--", unit)  # else the start limit of a crash loop refuses the start
        if not state.running:
            return self.call("start" if state.active in {"inactive", "failed"} else "restart", "--", unit)
        if restart:
            return self.call("restart", "--", unit)
        if reload:
            return reload, self.host.run(reload, _SLOW)
        return self.call("reload-or-restart", "--", unit)

    def is_unit_file(self, path: str) -> bool:
        """Say whether systemd reads ``path``, so that it needs a daemon-reload."""
        return any(Path(path).is_relative_to(directory) for directory in self.host.unit_directories)

    def defines(self, path: str, unit: str) -> bool:
        """Say whether ``path`` is the file of ``unit`` (or of its template), or a drop-in for it."""
        if not self.is_unit_file(path):
            return False
        names = {unit}
        if "@" in unit:
            names.add(f"{unit.partition('@')[0]}@.{unit.rpartition('.')[2]}")
        file = Path(path)
        return file.name in names or file.parent.name in {f"{name}.d" for name in names}


def provides(units: Units, paths: Iterable[str], unit: str) -> bool:
    """Say whether one of ``paths`` is the unit itself."""
    return any(units.defines(path, unit) and Path(path).parent.suffix != ".d" for path in paths)
