from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_desks import Clock, desk
from registry_postgres import PROGRAMS, REASON, Cluster, cluster

from altnet.registry.acts.desk import Desk


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    made = desk(f"sqlite:///{tmp_path}/registry.db", clock)
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    if PROGRAMS is None:
        pytest.skip(REASON)
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of its own, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    return str(request.getfixturevalue("postgres").database())
