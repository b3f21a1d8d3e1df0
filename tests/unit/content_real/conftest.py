from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from content_host import SITES, Host
from content_servers import missing


@pytest.fixture(scope="package")
def host() -> Iterator[Host]:
    if missing():
        pytest.skip(f"not installed: {missing()}; lab/unit-debian has it and runs this")
    # Short, for the names of sockets, and open: Caddy's checker is not root.
    place = Path(tempfile.mkdtemp(prefix="content-"))
    place.chmod(0o755)
    one = Host(place, SITES)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(place, ignore_errors=True)
