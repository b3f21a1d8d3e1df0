from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="NOT TESTED HERE: the registry's packages; they are in the tests' environment")

from signin_world import Base, Portal, close


@pytest.fixture(scope="session", autouse=True)
def _shared() -> Iterator[None]:
    yield
    close()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Base]:
    """Everything below the pages, of one's own."""
    made = Base(tmp_path)
    yield made
    made.desk.store.close()


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    """The whole application, of one's own."""
    made = Portal(tmp_path)
    yield made
    made.desk.store.close()
