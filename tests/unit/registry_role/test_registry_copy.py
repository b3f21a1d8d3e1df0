"""Rows go from one database to another, whole: from SQLite to PostgreSQL, and back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from altnet.registry.domain.policy import Policy
from altnet.registry.settings import DirectorySettings, Settings, SettingsError
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store
from altnet.registry.verbs import copy

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PEOPLE = 1234  # more than are read at once


def settings(url: str) -> Settings:
    policy = Policy(prefix="fd12:3456:789a::/48")
    directory = DirectorySettings(("ldaps://core2.net.alt",), "dc=alt", "", "/nowhere")
    return Settings(url, "portal.alt", policy, directory)


@pytest.fixture
def full(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/full.sqlite"
    store = Store.open(url)
    store.migrate()
    with store.write() as connection:
        connection.execute(
            insert(tables.accounts),
            [{"uid": f"person{number}", "state": "active", "created": NOW, "version": 1} for number in range(PEOPLE)],
        )
        line = {"zone": "garden.alt.", "kind": "zone", "created": NOW, "attempts": 0, "next_try": NOW, "error": ""}
        connection.execute(insert(tables.outbox), [line, line, line])
    store.close()
    return url


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found or os.geteuid() != 0 or shutil.which("runuser") is None:
        pytest.skip("NOT TESTED HERE: no PostgreSQL, or not root; make unit has it, and lab/unit-debian")
    place = tmp_path_factory.mktemp("postgres")
    for path in (place, *place.parents[:3]):
        path.chmod(0o755)
    data, socket = place / "data", place / "socket"
    for directory in (data, socket):
        directory.mkdir()
        shutil.chown(directory, "postgres")
    own = ["runuser", "-u", "postgres", "--"]
    subprocess.run(
        [*own, str(found[-1]), "-D", str(data), "-A", "trust", "-N"], check=True, capture_output=True, cwd="/"
    )
    server = [str(found[-1].with_name("postgres")), "-D", str(data), "-k", str(socket), "-h", "", "-F"]
    with subprocess.Popen([*own, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as process:
        try:
            subprocess.run(
                [*own, str(found[-1].with_name("pg_isready")), "-h", str(socket), "-t", "20"], check=False, cwd="/"
            )
            for _ in range(100):
                made = subprocess.run(
                    [*own, str(found[-1].with_name("createdb")), "-h", str(socket), "registry"],
                    check=False, capture_output=True, cwd="/",
                )  # fmt: skip
                if made.returncode == 0:
                    break
            else:
                pytest.fail(made.stderr.decode())
            yield f"postgresql://postgres@/registry?host={socket}"
        finally:
            process.terminate()


def people(url: str) -> list[str]:
    store = Store.open(url)
    with store.read() as connection:
        found = list(connection.execute(select(tables.accounts.c.uid).order_by(tables.accounts.c.uid)).scalars())
    store.close()
    return found


def next_line(url: str) -> int:
    store = Store.open(url)
    line = {"zone": "new.alt.", "kind": "zone", "created": NOW, "attempts": 0, "next_try": NOW, "error": ""}
    with store.write() as connection:
        number = connection.execute(insert(tables.outbox).values(line)).inserted_primary_key
    store.close()
    assert number
    return int(number[0])


def test_to_another_file_and_not_onto_rows(tmp_path: Path, full: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    assert copy.main(settings(url), full) == 0
    assert f"accounts: {PEOPLE} rows" in capsys.readouterr().out.splitlines()
    assert people(url) == people(full)
    with pytest.raises(SettingsError, match=r"has rows in .* already, and nothing was copied"):
        copy.main(settings(url), full)


def test_to_postgresql_and_back(tmp_path: Path, full: str, postgres: str) -> None:
    assert copy.main(settings(postgres), full) == 0
    assert people(postgres) == sorted(people(full))
    back = f"sqlite:///{tmp_path}/back.sqlite"
    assert copy.main(settings(back), postgres) == 0
    assert people(back) == people(full)
    assert (next_line(postgres), next_line(back)) == (4, 4)
