from __future__ import annotations

from pathlib import Path

import pytest
from wireguard_fakes import FakeHost


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    """A host with a kernel that has WireGuard and with the key of generation 0."""
    made = FakeHost(tmp_path)
    made.born()
    return made
