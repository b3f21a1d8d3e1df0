from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_desks import Registry, registry
from people_postgres import PROGRAMS, REASON, cluster, database
from sqlalchemy import text

from altnet.registry.storage.store import Store
from altnet.registry.storage.tables import metadata


@pytest.fixture(scope="session")
def postgres() -> Iterator[Store]:
    """One migrated database, which each test finds empty."""
    if PROGRAMS is None:
        pytest.skip(REASON)
    with cluster() as place:
        store = Store.open(database(place, "people"))
        store.migrate()
        yield store
        store.close()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, of which each test has a copy."""
    place = tmp_path_factory.mktemp("registry") / "registry.db"
    store = Store.open(f"sqlite:///{place}")
    store.migrate()
    store.close()
    return place


def _copy(sqlite: Path, place: Path) -> Store:
    return Store.open(f"sqlite:///{shutil.copy(sqlite, place / 'registry.db')}")


@pytest.fixture(params=["sqlite", "postgresql"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    """A registry on each of the databases."""
    if request.param == "sqlite":
        store = _copy(request.getfixturevalue("sqlite"), tmp_path)
        yield registry(store)
        store.close()
        return
    store = request.getfixturevalue("postgres")
    with store.write() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE"))
    yield registry(store)


@pytest.fixture
def here(sqlite: Path, tmp_path: Path) -> Iterator[Registry]:
    """A registry on SQLite, where the database does not matter."""
    store = _copy(sqlite, tmp_path)
    yield registry(store)
    store.close()
