"""What a transaction keeps on the host between runs, in ``<root>/<name>/`` (mode 0700).

``applied.json``     the last set that was healthy: digest, paths, unit, digests of the drift commands
``journal.json``     exists while a transaction is open: what was there before and how to go back to it
``backup-<token>/``  the files' contents the journal speaks of
``rollback.json``    the journal after the timed rollback claimed it
``rollback``         the timed rollback's script
``stage/``           the candidate while it is checked
``order.json``       what was asked for last, for the probe (see :mod:`.order`)

Each JSON file is replaced by one rename, backups are on disk before the journal that names them: a kill
leaves the old state or the new one. Directories that no journal names are litter, swept by the next run.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .failure import TransactionError
from .files import Snapshot, make_parents, missing_parents, put, sync_directory, write_new
from .host import Host

_SCHEMA = 1

#: What of a transaction's directory says that it was fulfilled.
RECORD = "applied.json"


@dataclass(frozen=True)
class Record:
    """A set that was healthy. ``digest`` None: its files are known, but it has to be loaded again."""

    digest: str | None
    files: dict[str, bool]  # path -> sensitive
    unit: str | None = None
    drift: dict[str, str] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)  # that we created
    token: str = ""  # of the transaction that recorded it

    def to_json(self) -> dict[str, object]:
        """Give the form that is stored."""
        return {"schema": _SCHEMA, **self.__dict__}


@dataclass(frozen=True)
class Journal:
    """An open transaction: what was before it, and how to go back."""

    token: str
    previous: dict[str, Snapshot]
    directories: list[str]  # created by this transaction
    baseline: list[str]
    unit: str | None = None
    was_active: bool = False
    was_enabled: bool = False
    restart: bool = False  # the unit's own file changes: a reload would not do
    daemon_reload: bool = False
    reload: list[str] | None = None
    replaced_unit: str | None = None  # stopped and disabled because the set's unit has another name now
    restored: bool = False  # the files are back already, only the baseline is still of use
    confirm: bool = False
    record: Record | None = None  # what is recorded once confirmed

    def to_json(self) -> dict[str, object]:
        """Give the form that is stored; contents are in the backup directory."""
        previous = {
            path: {
                "kind": item.kind,
                "uid": item.uid,
                "gid": item.gid,
                "mode": item.mode,
                "target": base64.b64encode(item.data).decode() if item.kind == "link" else "",
                "backup": str(number),
            }
            for number, (path, item) in enumerate(sorted(self.previous.items()))
        }
        record = self.record.to_json() if self.record else None
        return {"schema": _SCHEMA, **self.__dict__, "previous": previous, "record": record}


def new_token() -> str:
    """Name one transaction among all of this host's."""
    return os.urandom(8).hex()


class Store:
    """The directory of one transaction name."""

    def __init__(self, host: Host, name: str) -> None:
        self.host = host
        self.name = name
        self.directory = host.state_root / name
        self.stage = self.directory / "stage"
        self.script = self.directory / "rollback"
        self.journal_path = self.directory / "journal.json"
        self.rollback_path = self.directory / "rollback.json"
        self.record_path = self.directory / RECORD

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of this name; what we had to create and is empty at the end is removed again.

        The lock is on the directory itself, so ``state: absent`` leaves no lock file behind; whoever waited
        for a directory that went away starts over.
        """
        created = self._create()
        descriptor = self._acquire()
        try:
            yield
        finally:
            for directory in dict.fromkeys([self.directory, self.host.state_root, *created]):
                with suppress(OSError):  # not empty: it is of use
                    directory.rmdir()
            os.close(descriptor)

    def _create(self) -> list[Path]:
        """Make the directory; return it and those above it that were not there, children first."""
        created = [Path(path) for path in reversed(missing_parents([str(self.directory / "any")]))]
        make_parents(self.host.state_root)
        self.host.state_root.mkdir(mode=0o700, exist_ok=True)
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return created

    def _acquire(self) -> int:
        deadline = self.host.clock() + self.host.patience
        while True:
            self._create()
            try:
                descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # whoever held the lock has just removed it
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                if self.host.clock() >= deadline:
                    raise TransactionError(
                        "lock",
                        f"another run of transaction {self.name} holds the lock since {self.host.patience:g} s",
                        "wait for it, or end it",
                    ) from None
                self.host.sleep(0.2)
                continue
            with suppress(FileNotFoundError):
                if os.fstat(descriptor).st_ino == self.directory.stat().st_ino:
                    return descriptor
            os.close(descriptor)

    # -- the record

    def record(self) -> Record | None:
        """Read what was recorded last; a damaged record is none, so that everything is applied again."""
        return _to_record(_read(self.record_path))

    def save_record(self, record: Record) -> None:
        """Record a healthy set."""
        self._save(self.record_path, record.to_json())

    # -- the journal

    def journal(self) -> Journal | None:
        """Read the journal of an interrupted transaction, or of a timed rollback that did not finish.

        Raises TransactionError if it is damaged, for then nobody knows what was there before.
        """
        for path in (self.rollback_path, self.journal_path):
            if path.exists():
                journal = self._to_journal(_read(path))
                if journal is None:
                    raise TransactionError(
                        "recover",
                        f"{path}, the journal of an interrupted run, cannot be read",
                        f"look at the live files, then remove {path}",
                    )
                return journal
        return None

    def write_journal(self, journal: Journal) -> None:
        """Open a transaction: contents first, then the journal, all on disk when this returns."""
        backup = self.backup(journal.token)
        shutil.rmtree(backup, ignore_errors=True)
        backup.mkdir(mode=0o700)
        for number, (_, item) in enumerate(sorted(journal.previous.items())):
            if item.kind == "file":
                write_new(backup / str(number), item.data, None, None, 0o600)
        sync_directory(backup)
        self.host.step("backed up")
        self._save(self.journal_path, journal.to_json())
        self.rollback_path.unlink(missing_ok=True)

    def write_journal_again(self, journal: Journal) -> None:
        """Replace the journal of the same transaction; its backup stays as it is."""
        self._save(self.journal_path, journal.to_json())

    def drop_journal(self) -> None:
        """Close the transaction."""
        for path in (self.journal_path, self.rollback_path):
            path.unlink(missing_ok=True)
        sync_directory(self.directory)
        self.host.step("closed")
        self.sweep(None)

    def backup(self, token: str) -> Path:
        """Name the directory that holds the contents of journal ``token``."""
        return self.directory / f"backup-{token}"

    def sweep(self, journal: Journal | None) -> None:
        """Remove what an interrupted run left besides ``journal`` and its backup."""
        keep = {self.backup(journal.token).name} if journal else set()
        for path in self.directory.iterdir():
            litter = path.name == "stage" or path.name.startswith(("backup-", ".altnet-"))
            if litter and path.name not in keep:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        if journal is None:
            self.script.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything that is kept. The record goes last: a kill before leaves it for the next run."""
        self.drop_journal()
        self.record_path.unlink(missing_ok=True)
        shutil.rmtree(self.directory)
        with suppress(OSError):
            self.host.state_root.rmdir()

    def _save(self, path: Path, value: dict[str, object]) -> None:
        text = json.dumps(value, indent=1, sort_keys=True) + "\n"
        mine = Snapshot("file", text.encode(), os.geteuid(), os.getegid(), 0o600)
        put(path, mine, self.name, lambda _: self.host.step(f"temporary {path.name}"))

    def _to_journal(self, value: dict[str, object] | None) -> Journal | None:
        if value is None:
            return None
        try:
            return _parse_journal(value, self.backup(str(value["token"])))
        except (KeyError, TypeError, ValueError, OSError):
            return None


def _read(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) and value.pop("schema", None) == _SCHEMA else None


def _to_record(value: object) -> Record | None:
    if not isinstance(value, dict):
        return None
    fields = {key: item for key, item in value.items() if key in Record.__dataclass_fields__}
    return Record(**fields) if {"digest", "files"} <= fields.keys() else None


def _parse_journal(value: dict[str, object], backup: Path) -> Journal:
    entries = value.pop("previous")
    if not isinstance(entries, dict):
        raise TypeError
    previous: dict[str, Snapshot] = {}
    for path, item in entries.items():
        data = b""
        if item["kind"] == "file":
            data = (backup / item["backup"]).read_bytes()
        elif item["kind"] == "link":
            data = base64.b64decode(item["target"])
        previous[path] = Snapshot(item["kind"], data, item["uid"], item["gid"], item["mode"])
    record = _to_record(value.pop("record"))
    fields = {key: item for key, item in value.items() if key in Journal.__dataclass_fields__}
    return Journal(previous=previous, record=record, **fields)  # type: ignore[arg-type]
