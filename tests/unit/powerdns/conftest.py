from __future__ import annotations

import pytest
from powerdns_fakes import World


@pytest.fixture
def world() -> World:
    return World()
