"""The runbooks about names, after the tests of names: two of them move the primary, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import lab
from .test_g_runbooks import WITH_NAMES, work


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One copy of the inventory for all runbooks: what one did, the next finds."""
    with lab.network_copy(tmp_path_factory.mktemp("network")) as directory:
        yield directory


@pytest.mark.parametrize("name", WITH_NAMES)
def test_its_commands_work(name: str, network: Path) -> None:
    work(name, network)
