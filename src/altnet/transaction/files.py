"""Live files: what is there, and how one is replaced so that nobody ever sees half of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_DIRECTORY_MODE = 0o755


@dataclass(frozen=True)
class Snapshot:
    """What is at a path. ``data`` is the content, or a link's target; ``mode`` has permission bits only."""

    kind: Literal["absent", "file", "link"]
    data: bytes = b""
    uid: int = 0
    gid: int = 0
    mode: int = 0


ABSENT = Snapshot("absent")


def snapshot(path: Path) -> Snapshot:
    """Read what is at ``path`` without following a link.

    Raises OSError, also (IsADirectoryError) for anything that is neither a file nor a link.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return ABSENT
    if stat.S_ISLNK(status.st_mode):
        return Snapshot("link", os.fsencode(path.readlink()), status.st_uid, status.st_gid)
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectoryError(21, "there is something that is not a file", str(path))
    return Snapshot("file", path.read_bytes(), status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))


def temporary(path: Path, name: str) -> Path:
    """Name the temporary file of transaction ``name`` for ``path``.

    It is in the same directory (rename is atomic within a file system only), hidden (drop-in directories skip
    such names), and always the same, so that the run after a kill finds and removes it.
    """
    return path.with_name(f".altnet-{name}.{path.name}")


def put(path: Path, wanted: Snapshot, name: str, step: Callable[[str], None]) -> None:
    """Make ``path`` what ``wanted`` says, in one rename (or one unlink); durable on return."""
    if wanted.kind == "absent":
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            sync_directory(path.parent)
        return
    make_parents(path)
    temp = temporary(path, name)
    temp.unlink(missing_ok=True)
    try:
        if wanted.kind == "link":
            temp.symlink_to(os.fsdecode(wanted.data))
        else:
            write_new(temp, wanted.data, wanted.uid, wanted.gid, wanted.mode)
        step(f"temporary {path}")
        temp.replace(path)
    except OSError:
        with suppress(OSError):
            temp.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_new(path: Path, data: bytes, uid: int | None, gid: int | None, mode: int, *, durable: bool = True) -> None:
    """Create ``path`` (it must not exist) with its owner and mode; None leaves owner or group alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    with _named(path), os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        status = os.fstat(descriptor)
        uid = status.st_uid if uid is None else uid
        gid = status.st_gid if gid is None else gid
        if (uid, gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)  # after the owner: chown clears set-id bits
        if durable:
            os.fsync(descriptor)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of a file that is open already say which one: the disk is full where that one is."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def missing_parents(paths: Iterable[str]) -> list[str]:
    """List the directories that writing ``paths`` would create, parents first."""
    missing: set[str] = set()
    for path in paths:
        for parent in Path(path).parents:
            if parent.is_dir():
                break
            missing.add(str(parent))
    return sorted(missing)


def make_parents(path: Path) -> None:
    """Create the directories above ``path`` (0755, root's), durably."""
    for directory in missing_parents([str(path)]):
        made = Path(directory)
        made.mkdir(mode=_DIRECTORY_MODE, exist_ok=True)
        made.chmod(_DIRECTORY_MODE)  # whatever the umask
        sync_directory(made.parent)


def remove_directories(directories: Iterable[str]) -> None:
    """Remove those of ``directories`` that are empty, children first."""
    for directory in sorted(directories, reverse=True):
        with suppress(OSError):
            Path(directory).rmdir()


def sync_directory(directory: Path) -> None:
    """Make renames and unlinks in ``directory`` durable."""
    with suppress(FileNotFoundError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
