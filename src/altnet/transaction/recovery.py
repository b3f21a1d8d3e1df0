"""The way back: the previous set, the unit's previous state, and the journal of a run that was killed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from . import confirm
from .failure import TransactionError
from .files import put, remove_directories, snapshot, temporary
from .host import Host
from .store import Journal, Store, new_token
from .unit import Units


@dataclass
class Restoration:
    """What was put back, and what would not go back."""

    paths: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def restore(host: Host, store: Store, journal: Journal) -> Restoration:
    """Put back files and unit as the journal has them; may be repeated after a kill at any moment.

    A unit that was not running is stopped and disabled before its own file goes, or systemctl would not know
    what to disable. One file that cannot be written does not keep the others from being put back.
    """
    done = Restoration()
    units = Units(host)
    unit = journal.unit
    if unit and host.run.has("systemctl"):
        _unit_down(units, unit, journal, done)
    for path, item in sorted(journal.previous.items()):
        try:
            temporary(Path(path), store.name).unlink(missing_ok=True)
            if snapshot(Path(path)) != item:
                put(Path(path), item, store.name, host.step)
                done.paths.append(path)
        except NotADirectoryError:
            continue
        except OSError as error:
            done.problems.append(f"{path} could not be restored: {error.strerror}")
        host.step(f"restored {path}")
    remove_directories(journal.directories)
    if journal.daemon_reload:
        _note(done, *units.call("daemon-reload"))
    if unit and journal.was_active:
        _note(done, *units.load(unit, journal.reload, restart=journal.restart))
    elif unit is None and journal.reload:
        _note(done, journal.reload, host.run(journal.reload, 120.0))
    if journal.replaced_unit:
        _note(done, *units.call("enable", "--now", "--", journal.replaced_unit))
    host.step("loaded again")
    return done


def recover(host: Host, store: Store) -> Journal | None:
    """Undo what an interrupted run began, and return its journal, whose baseline is still the reference.

    The journal stays, without files, until the coming transaction replaces it or succeeds: killed in between,
    the next run still knows what was healthy before all this, and that the daemon has to be loaded again.
    """
    journal = store.journal()
    record = store.record()
    if journal and record and record.token == journal.token:
        store.drop_journal()  # killed between the record and the end: it had succeeded
        return None
    if journal is None or journal.restored:
        store.sweep(journal)
        return journal
    done = restore(host, store, journal)
    if done.problems:
        raise TransactionError(
            "recover",
            "an earlier run was interrupted and its changes cannot be undone: " + "; ".join(done.problems),
            "mend the host, then run again",
            {"restored": done.paths},
        )
    if journal.confirm:
        confirm.disarm(host, store.name)
    remains = replace(
        journal,
        token=new_token(),
        previous={},
        directories=[],
        restored=True,
        confirm=False,
        record=None,
    )
    store.write_journal(remains)
    host.step("recovered")
    store.sweep(remains)
    return remains


def _unit_down(units: Units, unit: str, journal: Journal, done: Restoration) -> None:
    state = units.state(unit)
    if not journal.was_active and state.exists and state.active != "inactive":
        _note(done, *units.call("stop", "--", unit))
        units.call("reset-failed", "--", unit)
    if not journal.was_enabled and state.exists and state.enabled and state.file == "enabled":
        _note(done, *units.call("disable", "--", unit))


def _note(done: Restoration, argv: list[str], answer: object) -> None:
    code = getattr(answer, "code", 0)
    if code != 0:
        done.problems.append(f"`{' '.join(argv)}` failed with exit code {code}: {getattr(answer, 'text', '')}")
