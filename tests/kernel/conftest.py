"""The kernel suite's fixtures: a network on hosts with a kernel of their own, which its first test converges."""

from __future__ import annotations

import pytest
from acceptance import lab
from acceptance.conftest import pytest_terminal_summary  # noqa: F401 - a hook


@pytest.fixture(scope="session", autouse=True)
def first_run() -> lab.Run:
    """The network as one run of site.yml leaves it, on hosts that had nothing of it before."""
    assert lab.INVENTORY.parent.name == "kernel", (
        "these tests are for the kernel lab; run `make test-kernel`, or `make kernel-up` and then"
        " `lab/kernel/machines.py exec pytest tests/kernel`"
    )
    return lab.playbook("site.yml", timeout=900).ok()
