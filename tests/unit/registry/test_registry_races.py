"""Many at once, and a registry that is killed in the middle: one winner, and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from registry_desks import desk, member, operator, registrar
from registry_postgres import Cluster
from sqlalchemy import select

from altnet.registry.acts import domains, history, records
from altnet.registry.acts.desk import Desk
from altnet.registry.domain.errors import RegistryError
from altnet.registry.storage import tables

CHILD = Path(__file__).with_name("registry_child.py")


def outcome(act: object, *given: object, **named: object) -> str:
    try:
        act(*given, **named)  # type: ignore[operator]
    except RegistryError as error:
        return error.kind
    return "done"


def test_fifty_at_once_for_one_name(url: str) -> None:
    made = desk(url)
    with ThreadPoolExecutor(50) as pool:
        found = Counter(pool.map(lambda n: outcome(domains.register, made, member(f"u{n}"), "garden"), range(50)))
    assert found == {"done": 1, "conflict": 49}
    assert len(history.listed(made, operator()).items) == 1
    made.store.close()


def test_names_that_cannot_be_told_apart_at_once(url: str) -> None:
    made = desk(url)
    names = ["\u0440\u0430\u0443\u0440\u0435", "paype"] * 6  # registrars' are not queued
    actors = [registrar(f"u{n}") for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        found = Counter(pool.map(lambda one: outcome(domains.register, made, *one), zip(actors, names, strict=True)))
    assert found == {"done": 1, "conflict": 5, "invalid": 6}
    made.store.close()


def test_a_quota_at_once(url: str) -> None:
    made = desk(url, domains_quota=3)
    with ThreadPoolExecutor(12) as pool:
        found = Counter(pool.map(lambda n: outcome(domains.register, made, member("ada"), f"name{n}"), range(12)))
    assert found == {"done": 3, "quota": 9}
    made.store.close()


def test_one_version_changed_by_many(url: str) -> None:
    made = desk(url)
    domains.register(made, member("ada"), "garden")

    def put(number: int) -> str:
        values = ("garden", "www", "A", 60, [f"192.0.2.{number}"])
        return outcome(records.put, made, member("ada"), *values, if_match=1)

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(put, range(12))) == {"done": 1, "stale": 11}
    assert history.verify(made) == []
    made.store.close()


def nothing_half_done(made: Desk) -> int:
    """Hold rows, log and outbox against each other; return how many domains there are."""
    with made.store.read() as connection:
        rows = connection.execute(select(tables.domains.c.name)).scalars().all()
        sets = connection.execute(select(tables.rrsets.c.domain)).scalars().all()
        logged = connection.execute(select(tables.audit.c.object)).scalars().all()
        told = connection.execute(select(tables.outbox.c.zone)).scalars().all()
    assert Counter(rows) == Counter(sets) == Counter(logged) == Counter(told)
    assert history.verify(made) == []
    return len(rows)


def killed(url: str, times: int) -> int:
    """Kill a program that registers names, so often, at different moments; return how many names there are."""
    made = desk(url)
    child = subprocess.Popen([sys.executable, str(CHILD), url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        for turn in range(times):
            said = {child.stdout.readline().strip(), child.stdout.readline().strip()}
            assert "first" in said
            time.sleep((turn * 7 % 29) / 2000)
            os.kill(int((said - {"first"}).pop()), signal.SIGKILL)
            if turn % 20 == 0:
                nothing_half_done(made)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    found = nothing_half_done(made)
    made.store.close()
    return found


def test_killed_a_hundred_times(tmp_path: Path) -> None:
    assert killed(f"sqlite:///{tmp_path}/registry.db", 100) >= 100


def test_killed_on_postgresql(postgres: Cluster) -> None:
    assert killed(postgres.database(), 10) >= 10
