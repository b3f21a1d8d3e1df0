"""What would change, and why: the wanted set against live files, record, unit and live drift."""

from __future__ import annotations

import grp
import hashlib
import json
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .failure import TransactionError
from .files import ABSENT, Snapshot, snapshot
from .host import Host
from .request import Request, WantedFile
from .store import Record
from .unit import Units, UnitState, provides

UNKNOWN_ID = -1  # a user or group that does not exist yet; in check mode only
_DRIFT_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Change:
    """One path that differs."""

    path: str
    before: Snapshot
    after: Snapshot
    sensitive: bool


@dataclass
class Comparison:
    """Everything that differs; with neither changes nor reasons there is nothing to do."""

    digest: str
    wanted: dict[str, Snapshot]
    changes: list[Change] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # besides the changes
    not_checked: list[str] = field(default_factory=list)
    unit: UnitState | None = None

    @property
    def differs(self) -> bool:
        """Say whether anything has to be done."""
        return bool(self.changes or self.reasons)


def compare(
    request: Request,
    record: Record | None,
    host: Host,
    *,
    check_mode: bool,
    overlay: Mapping[str, Snapshot],
) -> Comparison:
    """Compare the wanted set with the host.

    ``overlay`` stands in for live files: in check mode after an interrupted run, what a real run would first
    put back. Raises TransactionError for what no run could apply: a missing user, a masked unit, a directory
    in a file's place.
    """
    found = Comparison(digest=digest(request), wanted={})
    for file in request.files:
        found.wanted[file.path] = _wanted(file, found.not_checked, check_mode=check_mode)
    former = record.files if record else {}
    for path, after in _targets(found.wanted, former).items():
        before = overlay[path] if path in overlay else live(path)
        if before != after:
            hidden = former.get(path, False) or any(f.sensitive for f in request.files if f.path == path)
            found.changes.append(Change(path, before, after, hidden))
    if request.unit:
        _compare_unit(request.unit, found, host, check_mode=check_mode)
    _compare_record(request, record, found)
    if record and record.digest and not found.differs:
        found.reasons += drifted(request, record, host)
    return found


def digest(request: Request) -> str:
    """Name the whole set by its contents, attributes and unit."""
    files = [
        [file.path, hashlib.sha256(file.content).hexdigest(), file.owner, file.group, file.mode]
        for file in sorted(request.files, key=lambda file: file.path)
    ]
    return hashlib.sha256(json.dumps([files, request.unit]).encode()).hexdigest()


def drift_digests(request: Request, host: Host) -> dict[str, str]:
    """Map each drift command (as JSON) to the digest of its present output."""
    answers = {json.dumps(argv): host.run(argv, _DRIFT_TIMEOUT) for argv in request.drift}
    return {
        command: hashlib.sha256(f"{answer.code}\n{answer.stdout}".encode()).hexdigest()
        for command, answer in answers.items()
    }


def drifted(request: Request, record: Record, host: Host) -> list[str]:
    """Say which drift commands answer otherwise than after the last success."""
    return [
        f"live drift: the output of `{' '.join(json.loads(command))}` "
        + ("is other than after the last success" if command in record.drift else "was never recorded")
        for command, value in drift_digests(request, host).items()
        if record.drift.get(command) != value
    ]


def _targets(wanted: Mapping[str, Snapshot], former: Mapping[str, bool]) -> dict[str, Snapshot]:
    """Map every path of both sets to what has to be there."""
    gone = {path: ABSENT for path in former if path not in wanted}
    return dict(sorted({**wanted, **gone}.items()))


def live(path: str) -> Snapshot:
    """Read what is at ``path``; a directory there is an error."""
    try:
        return snapshot(Path(path))
    except IsADirectoryError:
        raise TransactionError(
            "compare", f"{path} is a directory or a special file", "move it away, or use another path"
        ) from None
    except NotADirectoryError:
        return ABSENT
    except OSError as error:
        raise TransactionError(
            "compare", f"{path} cannot be read: {error.strerror}", "mend the host, then run again"
        ) from None


def _wanted(file: WantedFile, not_checked: list[str], *, check_mode: bool) -> Snapshot:
    uid = _resolve(file, "owner", file.owner, not_checked, check_mode=check_mode)
    gid = _resolve(file, "group", file.group, not_checked, check_mode=check_mode)
    return Snapshot("file", file.content, uid, gid, file.mode)


def _resolve(file: WantedFile, what: str, name: str, not_checked: list[str], *, check_mode: bool) -> int:
    if name.isdecimal():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid if what == "owner" else grp.getgrnam(name).gr_gid
    except KeyError:
        kind = "user" if what == "owner" else "group"
        if not check_mode:
            raise TransactionError(
                "compare",
                f"{file.where}.{what}: there is no {kind} {name} on this host (for {file.path})",
                f"install the package that brings {name} first, or give another {what}",
            ) from None
        not_checked.append(f"{file.where}.{what}: {kind} {name} does not exist yet")
        return UNKNOWN_ID


def _compare_unit(unit: str, found: Comparison, host: Host, *, check_mode: bool) -> None:
    units = Units(host)
    if not host.run.has("systemctl"):
        if not check_mode:
            raise TransactionError("unit", "there is no systemctl on this host", "install systemd")
        found.not_checked.append(f"unit {unit}: systemd is not installed yet")
        found.reasons.append(f"unit {unit} is not there")
        return
    state = found.unit = units.state(unit)
    if state.masked:
        raise TransactionError(
            "unit",
            f"{unit} is masked: somebody decided that it must not run; nothing was touched",
            f"systemctl unmask {unit}, or take the service off this host",
        )
    if not state.exists and not provides(units, found.wanted, unit):
        if not check_mode:
            raise TransactionError(
                "unit", f"there is no unit {unit} on this host", "install its package, or put it into the set"
            )
        found.not_checked.append(f"unit {unit} is not installed yet")
    if not state.enabled:
        found.reasons.append(f"unit {unit} is not enabled ({state.file or 'no unit file'})")
    if not state.running:
        found.reasons.append(f"unit {unit} is not running ({state.active or 'unknown'})")


def _compare_record(request: Request, record: Record | None, found: Comparison) -> None:
    if record is None:
        found.reasons.append("no earlier success of this set is recorded")
    elif record.digest is None:
        found.reasons.append("the set was not healthy when it was loaded last")
    elif record.digest != found.digest and not found.changes:
        found.reasons.append("the files are in place, but this set has not been loaded and healthy yet")
    if record and record.unit and record.unit != request.unit:
        found.reasons.append(f"the set's unit was {record.unit}, is {request.unit or 'none'}")
