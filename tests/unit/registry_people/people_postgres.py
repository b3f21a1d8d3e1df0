"""A PostgreSQL of the test's own, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons import until

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda place: int(place.parent.name))
REASON = "NOT TESTED HERE: PostgreSQL is not installed; CI's unit tests on Debian run this on it"


def _user() -> int | None:
    """Return whom it runs as: PostgreSQL refuses to be root."""
    return None if os.getuid() else pwd.getpwnam("postgres").pw_uid


def _command(*argv: str) -> list[str]:
    assert PROGRAMS is not None
    return [str(PROGRAMS / argv[0]), *argv[1:]]


@contextmanager
def cluster() -> Iterator[Path]:
    """Yield the folder of its socket."""
    place = Path(tempfile.mkdtemp(prefix="altnet-people"))
    user = _user()
    if user is not None:
        os.chown(place, user, -1)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    data = str(place / "data")
    try:
        argv = _command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run(argv, check=True, user=user, **quiet)  # type: ignore[call-overload]
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={place}", "-c", "fsync=off"]
        argv = _command("postgres", "-D", data, *options)
        server = subprocess.Popen(argv, user=user, **quiet)  # type: ignore[call-overload]
        try:
            ready = _command("pg_isready", "-h", str(place))
            until(lambda: subprocess.run(ready, check=False, **quiet).returncode == 0, 30, pause=0.1)  # type: ignore[call-overload]
            yield place
        finally:
            server.terminate()
            server.wait(timeout=30)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def database(place: Path, name: str) -> str:
    """Return the URL of a new database."""
    import psycopg  # noqa: PLC0415  # not installed where PostgreSQL is not

    with psycopg.connect(host=str(place), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://postgres@/{name}?host={place}"
