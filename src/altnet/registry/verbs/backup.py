"""Writes a copy of the database into a file, while the registry works on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from ...errors import Problem
from ..settings import Settings, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

#: What the copy does not have: without the first, heads that were signed are not proved any more; without the second,
#: the zones get other keys.
_ELSEWHERE = ("signing_key_file", "zone_secret_file")


def main(settings: Settings, place: str) -> int:
    """Write the copy to ``place``, readable by its owner alone, and whole or not at all; say what is not in it."""
    target = Path(place)
    half = target.with_name(target.name + ".part")
    url = make_url(settings.database)
    try:
        half.unlink(missing_ok=True)
        os.close(os.open(half, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        try:
            (_sqlite if url.get_backend_name() == "sqlite" else _postgresql)(url, half)
            _on_disk(half)
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)
        _on_disk(target.parent)
    except OSError as error:
        raise _wrong(
            str(target), f"cannot be written ({error.strerror})", "give a file in a folder of root's"
        ) from None
    files = [str(getattr(settings, name)) for name in _ELSEWHERE if getattr(settings, name)]
    if files:
        print(f"backup: {target} is whole; not in it: {', '.join(files)}")  # noqa: T201
    return 0


def _sqlite(url: URL, half: Path) -> None:
    source = Path(str(url.database)).absolute().as_uri() + "?mode=ro"
    try:
        with closing(sqlite3.connect(source, uri=True)) as there, closing(sqlite3.connect(half)) as copy:
            there.backup(copy)
            # One file, which needs none beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            fault = copy.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise _wrong(str(url.database), f"cannot be read ({error})", "restore the last backup") from None
    if fault != "ok":
        raise _wrong(str(url.database), f"is damaged: {fault}", "restore the last backup")


def _postgresql(url: URL, half: Path) -> None:
    # The password is in the environment, never in the process list.
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    plain = url._replace(drivername="postgresql", password=None).render_as_string(hide_password=False)
    argv = ["pg_dump", "--format=custom", f"--file={half}", f"--dbname={plain}"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    except FileNotFoundError:
        raise _wrong("pg_dump", "is not installed", "install postgresql-client") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it does not say why"]
        raise _wrong("pg_dump", f"failed: {said[-1]}", "see that PostgreSQL runs, and that this host may ask it")


def _on_disk(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _wrong(where: str, what: str, remedy: str) -> SettingsError:
    return SettingsError(Problem("", where, what, remedy))
