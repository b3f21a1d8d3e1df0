"""The runbooks about names, on the lab with names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import lab, zonecheck
from .names import PRIMARY
from .test_g_runbooks import WITH_NAMES, work


@pytest.fixture(scope="module")
def network(named: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One copy of the inventory for all runbooks: what one did, the next finds."""
    with lab.network_copy(tmp_path_factory.mktemp("network")) as directory:
        yield directory
        # What a runbook that failed has left is in no inventory that comes after.
        consent = {"dns_authoritative_prune": True, "dns_authoritative_prune_consent": zonecheck.zones(PRIMARY)}
        lab.playbook("site.yml", "-e", json.dumps(consent)).ok()


@pytest.fixture(autouse=True)
def put_back(network: Path) -> Iterator[None]:
    """The primary where it was, whatever a runbook that failed has left: the next one, and other tests, find it there."""
    yield
    moved = str(lab.ledger(network).get("dns_primary") or PRIMARY)
    if moved != PRIMARY and promote(PRIMARY, network).status != 0:
        # A promotion that stopped half-way is first brought to its end.
        promote(moved, network)
        promote(PRIMARY, network).ok()


def promote(host: str, network: Path) -> lab.Run:
    return lab.playbook("playbooks/promote.yml", "-e", f"promote_host={host}", inventory=network)


@pytest.mark.parametrize("name", WITH_NAMES)
def test_its_commands_work(name: str, network: Path) -> None:
    work(name, network)
