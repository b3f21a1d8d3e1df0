"""A PostgreSQL of the test's own, on a Unix socket, that can be killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda place: int(place.parent.name))
REASON = "NOT TESTED HERE: PostgreSQL is not installed; make unit and lab/unit-debian run this on it"


class Cluster:
    """A cluster in a folder; writes reach the disk before they are answered, as on a host."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._made = 0
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        import psycopg  # noqa: PLC0415  # not installed where PostgreSQL is not tested

        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.place),
            "max_connections": "80",
            # After a kill it would bring every file of every database to the disk, one by one.
            "recovery_init_sync_method": "syncfs",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._server = self._run("postgres", "-D", str(self.place / "data"), *arguments)
        for _ in range(400):
            try:
                psycopg.connect(host=str(self.place), user="postgres", dbname="postgres").close()
                return
            except psycopg.OperationalError:
                assert self._server.poll() is None, "PostgreSQL ended by itself"
                time.sleep(0.05)
        raise AssertionError("PostgreSQL does not begin")

    def kill(self) -> None:
        """Kill the server and all of its processes at once, as a power cut would."""
        if self._server is None:
            return
        leader = self._server.pid
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        for process in [leader, *map(int, children)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._server.wait()

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        assert PROGRAMS is not None
        user = self._user()
        return subprocess.Popen(
            [str(PROGRAMS / program), *arguments],
            user=user,
            group=pwd.getpwuid(user).pw_gid if user is not None else None,
            extra_groups=[] if user is not None else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            cwd=self.place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def database(self) -> str:
        """Return the URL of a new database."""
        import psycopg  # noqa: PLC0415  # not installed where PostgreSQL is not tested

        self._made += 1
        name = f"registry{self._made}"
        with psycopg.connect(host=str(self.place), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@/{name}?host={self.place}"

    def make(self) -> None:
        user = self._user()
        if user is not None:
            os.chown(self.place, user, -1)
        made = self._run(
            "initdb",
            "-D",
            str(self.place / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--wal-segsize=1",
        )
        assert made.wait() == 0, "no cluster was made"

    @staticmethod
    def _user() -> int | None:
        """Return whom it runs as: PostgreSQL refuses to be root."""
        if os.getuid() != 0:
            return None
        names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
        return names.get("postgres", names["nobody"])


@contextmanager
def cluster() -> Iterator[Cluster]:
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    place = Path(tempfile.mkdtemp(prefix="altnet-pg", dir=memory if roomy else None))
    made = Cluster(place)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(place, ignore_errors=True)
