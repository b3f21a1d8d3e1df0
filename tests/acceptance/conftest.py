"""The acceptance suite's fixtures: a converged lab, and copies of its inventory to do things with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import deadline, lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what may be left out where the time is short."""
    if deadline.until() is not None:
        items.sort(key=lambda item: deadline.place(item.path.stem))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin nothing when the time is over."""
    if deadline.late():
        deadline.LEFT.append(item.nodeid)
        pytest.skip("NOT RUN: the time was over; `make acceptance` runs it")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, and what operators are told: CI's log is where its history is read."""
    if deadline.LEFT:
        terminalreporter.section(f"NOT RUN: the time was over before {len(deadline.LEFT)} tests")
        for line in deadline.told(deadline.LEFT):
            terminalreporter.line(line)
    if lab.SHOWN:
        terminalreporter.section("measured, and told")
    # Another suite that uses these helpers may call this too.
    while lab.SHOWN:
        terminalreporter.line(lab.SHOWN.pop(0))


@pytest.fixture(scope="session", autouse=True)
def converged() -> None:
    """The lab is up and whole before the first test; `make acceptance` made it."""
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=20")
    assert told.status == 0, f"the lab is not whole; run `make lab` first\n{told.output}"


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """A copy of the lab's inventory directory; the same hosts, vault and ledger."""
    with lab.network_copy(tmp_path) as directory:
        yield directory
