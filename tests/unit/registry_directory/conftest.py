from __future__ import annotations

from collections.abc import Iterator

import pytest
from people_slapd import MISSING, REASON, Provider, providers


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, Provider]]:
    """Two providers that follow each other, with one operator, one registrar and one member."""
    if MISSING:
        pytest.skip(REASON)
    one, other = providers(tmp_path_factory.mktemp("directory"))
    try:
        one.start()
        other.start()
        one.declared("root-ada", "members", "operators")
        one.declared("rex", "members", "registrars")
        one.declared("ben", "members")
        yield one, other
    finally:
        one.kill()
        other.kill()
