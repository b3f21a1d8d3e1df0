from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_desks import Registry, registry
from people_postgres import PROGRAMS, REASON, cluster, database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    if PROGRAMS is None:
        pytest.skip(REASON)
    with cluster() as place:
        yield place


@pytest.fixture(params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """A registry on each of the databases."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'registry.db'}"
    else:
        url = database(request.getfixturevalue("postgres"), f"people{next(_numbers)}")
    made = registry(url)
    yield made
    made.desk.store.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Registry]:
    """A registry on SQLite, where the database does not matter."""
    made = registry(f"sqlite:///{tmp_path / 'registry.db'}")
    yield made
    made.desk.store.close()
