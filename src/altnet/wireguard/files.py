"""Private files: written whole or not at all, never readable by others at any moment."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from .errors import WireguardError, problem

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def is_private(path: Path, mode: int) -> bool:
    """Say whether a path has exactly ``mode`` and belongs to the user we run as."""
    status = path.lstat()
    return stat.S_IMODE(status.st_mode) == mode and status.st_uid == os.geteuid()


def make_private(path: Path, mode: int) -> None:
    """Give a path ``mode`` and the user we run as."""
    os.chown(path, os.geteuid(), os.getegid())
    path.chmod(mode)


def make_directory(path: Path) -> None:
    """Make a directory with mode 0700 (its parents 0755) if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write ``text`` to a mode 0600 file in one step that survives a power cut.

    With ``replace`` false an existing file is left as it is and FileExistsError is raised. Raises WireguardError
    where nothing can be written, and leaves what was there.
    """
    try:
        _write_private(path, text, replace=replace)
    except FileExistsError:
        raise
    except OSError as error:  # a full or read-only disk, most likely
        what = f"it cannot be written: {error.strerror}; what was there is there"
        raise WireguardError(
            problem(str(path), what, f"mend the host (`df -h {path.parent}`), then run again")
        ) from error


def _write_private(path: Path, text: str, *, replace: bool) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
