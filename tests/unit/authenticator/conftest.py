from __future__ import annotations

from pathlib import Path

import pytest
from signon_world import World


@pytest.fixture
def signon(tmp_path: Path) -> World:
    return World(tmp_path)
