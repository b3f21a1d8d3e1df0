from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_fakes import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/registry.sqlite")
    yield made
    made.work.outbox.close()
    made.store.close()
