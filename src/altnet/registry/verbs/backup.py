"""Writes a copy of the database into a file, while the registry works on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from ...errors import Problem
from ..settings import Settings, SettingsError


def main(settings: Settings, place: str) -> int:
    """Write the copy to ``place``, readable by its owner alone, and whole or not at all."""
    target = Path(place)
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    os.close(os.open(half, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        source = Path(str(url.database)).as_uri() + "?mode=ro"
        with closing(sqlite3.connect(source, uri=True)) as there, closing(sqlite3.connect(half)) as copy:
            there.backup(copy)
            fault = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if fault != "ok":
            raise SettingsError(Problem("", settings.database, f"is damaged: {fault}", "restore the last backup"))
    else:
        # The password is in the environment, never in the process list.
        password = {"PGPASSWORD": str(url.password)} if url.password else {}
        plain = url.set(drivername="postgresql", password=None).render_as_string()
        argv = ["pg_dump", "--format=custom", f"--file={half}", f"--dbname={plain}"]
        subprocess.run(argv, check=True, env={**os.environ, **password})
    half.replace(target)
    return 0
