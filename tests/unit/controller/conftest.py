from __future__ import annotations

from pathlib import Path

import pytest
from controller_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A network without faults."""
    return World(tmp_path)
