from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from registry_servers import Network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    made = Network(tmp_path_factory.mktemp("registry"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
        gc.collect()
