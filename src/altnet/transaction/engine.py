"""The order of the steps, under the lock of the transaction's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import confirm, diff, recovery, stage
from .apply import Application
from .compare import Change, Comparison, compare, live
from .failure import TransactionError
from .files import ABSENT, Snapshot, put, remove_directories, temporary
from .host import Host
from .mask import Mask
from .request import Request, parse
from .store import Journal, Record, Store
from .unit import Units

Result = dict[str, object]


def run(params: Mapping[str, object], contents: Mapping[str, bytes], *, check_mode: bool, host: Host) -> Result:
    """Carry out one transaction and return the module's result.

    ``params`` are the module's arguments, ``contents`` the bytes of each file by path. With ``_confirm``
    (the token of a pending transaction) that one is confirmed instead. Raises RequestError, or
    TransactionError after the previous set is back in place.
    """
    token = params.get("_confirm")
    if token:
        store = Store(host, str(params.get("name")))
        with store.locked():
            return _confirmed(host, store, str(token))
    request = parse(params, contents)
    store = Store(host, request.name)
    with store.locked():
        carry_out = _absent if request.absent else _present
        try:
            return carry_out(host, store, request, check_mode=check_mode)
        except OSError as error:  # a full or read-only disk, most likely
            raise TransactionError(
                "host",
                f"{error.filename or 'the host'}: {error.strerror}; if anything was begun, the next run undoes it",
                f"mend the host, then run again (`df -h {error.filename or '/'}` says whether a disk is full)",
            ) from error


def _present(host: Host, store: Store, request: Request, *, check_mode: bool) -> Result:
    interrupted = store.journal() if check_mode else recovery.recover(host, store)
    former = store.record()
    overlay = interrupted.previous if interrupted and check_mode else {}
    found = compare(request, former, host, check_mode=check_mode, overlay=overlay)
    if interrupted:
        found.reasons.append("an earlier run was interrupted: what it began is undone and judged anew")
    result = _result(request, found)
    if not found.differs:
        return {**result, "phase": "compared"}
    mask = _mask(request, former, found)
    try:
        stage.check(request, found, store, mask, check_mode=check_mode)
        if check_mode:
            return {**result, "phase": "checked", "not_checked": found.not_checked}
        applied = Application(store, request, found, former, mask).run(interrupted)
    except TransactionError as error:
        error.facts.setdefault("diff", result["diff"])
        raise
    return {
        **result,
        "phase": "confirm" if applied.token else "recorded",
        "healthy_before": sorted(applied.healthy_before),
        "healthy_after": sorted(applied.healthy_after),
        "confirm_pending": applied.token is not None,
        "confirm_token": applied.token,
    }


def _result(request: Request, found: Comparison) -> Result:
    return {
        "changed": found.differs,
        "diff": diff.render(request.name, found.changes, found.reasons, request.files),
        "changed_files": [change.path for change in found.changes],
        "reasons": found.reasons,
        "not_checked": found.not_checked,
        "healthy_before": [],
        "healthy_after": [],
        "confirm_pending": False,
    }


def _mask(request: Request, former: Record | None, found: Comparison) -> Mask:
    """Hide the words of every sensitive file, of the new set and of what it replaces."""
    contents = [file.content for file in request.files if file.sensitive]
    contents += [change.before.data for change in found.changes if change.sensitive]
    for path, sensitive in (former.files if former else {}).items():
        if sensitive and Path(path).is_file():
            contents.append(Path(path).read_bytes())
    return Mask(contents)


def _confirmed(host: Host, store: Store, token: str) -> Result:
    """Make a pending transaction final. The connection that brought this call is the proof."""
    journal = store.journal()
    if journal is None or journal.token != token or journal.record is None or store.rollback_path.exists():
        raise TransactionError(
            "confirm",
            f"transaction {store.name} was confirmed too late: the host has restored its previous set",
            "raise confirm.timeout, or find out why the new connection took so long",
        )
    confirm.disarm(host, store.name)
    host.step("disarmed")
    # The journal goes first: killed here, the next run loads the set once more and nothing is undone.
    store.drop_journal()
    store.save_record(journal.record)
    return {"changed": True, "phase": "recorded", "confirm_pending": False}


def _absent(host: Host, store: Store, request: Request, *, check_mode: bool) -> Result:
    """Remove the set, stop and disable its unit, and forget it. The record goes last."""
    interrupted = store.journal() if check_mode else recovery.recover(host, store)
    former = store.record()
    paths = {file.path: file.sensitive for file in request.files}
    paths.update(former.files if former else {})
    changes = [Change(path, one, ABSENT, hidden) for path, one, hidden in _existing(paths, interrupted)]
    units = {unit for unit in (request.unit, former.unit if former else None) if unit}
    reasons = _units_up(host, units)
    if former or interrupted:
        reasons.append("the record of the set is removed")
    result: Result = {
        "changed": bool(changes or reasons),
        "diff": diff.render(request.name, changes, reasons, []),
        "changed_files": [change.path for change in changes],
        "reasons": reasons,
        "not_checked": [],
        "phase": "compared" if check_mode or not (changes or reasons) else "removed",
    }
    if check_mode or not result["changed"]:
        return result
    for unit in sorted(units):
        _down(host, unit)
    for change in changes:
        temporary(Path(change.path), store.name).unlink(missing_ok=True)
        put(Path(change.path), ABSENT, store.name, host.step)
        host.step(f"removed {change.path}")
    remove_directories(former.directories if former else [])
    systemctl = Units(host)
    if any(systemctl.is_unit_file(change.path) for change in changes):
        systemctl.call("daemon-reload")
    store.remove()
    return result


def _existing(paths: Mapping[str, bool], interrupted: Journal | None) -> list[tuple[str, Snapshot, bool]]:
    overlay = interrupted.previous if interrupted else {}
    found = []
    for path, hidden in sorted(paths.items()):
        item = overlay[path] if path in overlay else live(path)
        if item.kind != "absent":
            found.append((path, item, hidden))
    return found


def _units_up(host: Host, units: set[str]) -> list[str]:
    if not host.run.has("systemctl"):
        return []
    states = {unit: Units(host).state(unit) for unit in sorted(units)}
    return [
        f"unit {unit} is {state}"
        for unit, state in states.items()
        if state.exists and not state.masked and (state.active not in {"inactive"} or state.file == "enabled")
    ]


def _down(host: Host, unit: str) -> None:
    systemctl = Units(host)
    state = systemctl.state(unit)
    if not state.exists or state.masked:
        return
    for verb in ("stop", "disable") if state.file.startswith("enabled") else ("stop",):
        argv, answer = systemctl.call(verb, "--", unit)
        if answer.code != 0:
            raise TransactionError(
                "unit",
                f"`{' '.join(argv)}` failed with exit code {answer.code}; no file was removed\n{answer.text}",
                "mend the unit, then run again",
                {"command": argv, "output": answer.text},
            )
    systemctl.call("reset-failed", "--", unit)
