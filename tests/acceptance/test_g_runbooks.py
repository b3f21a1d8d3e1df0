"""Every command that a runbook gives is run on the lab, in the order the index lists the runbooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import lab

RUNBOOKS = lab.ROOT / "docs" / "runbooks"
LINK = re.compile(r"\]\(([a-z-]+\.md)\)")
ALWAYS, WITH_NAMES = (LINK.findall(part) for part in (RUNBOOKS / "README.md").read_text().split("\nAbout names"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One copy of the inventory for all runbooks: what one did, the next finds."""
    with lab.network_copy(tmp_path_factory.mktemp("network")) as directory:
        yield directory


def script(text: str) -> str:
    """Return all ``sh`` blocks as one script; a command behind ``! `` must fail."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    refusals = r"if \1; then echo 'this should have been refused: \1' >&2; exit 99; fi"
    return re.sub(r"^! (.*)$", refusals, "".join(blocks), flags=re.MULTILINE)


def test_the_index_names_every_runbook() -> None:
    assert sorted([*ALWAYS, *WITH_NAMES]) == sorted(
        path.name for path in RUNBOOKS.glob("*.md") if path.name != "README.md"
    )


@pytest.mark.parametrize("name", ALWAYS)
def test_its_commands_work(name: str, network: Path) -> None:
    work(name, network)


def work(name: str, network: Path) -> None:
    """Run a runbook's commands, and look whether the lab is healthy afterwards."""
    text = (RUNBOOKS / name).read_text()
    commands = script(text)
    assert commands, "a runbook without a command"
    done = lab.run(
        "bash", "-eu", "-o", "pipefail", "-c", commands,
        ANSIBLE_INVENTORY=str(network), ANSIBLE_VAULT_PASSWORD_FILE=str(lab.ROOT / "lab" / "vault-password"),
    )  # fmt: skip
    lab.show(f"{name}: {done.seconds:.0f} s")
    done.ok()
    # A refused run must not be taken for the end of a healthy one.
    # One without a playbook only asks.
    if "ansible-playbook" in commands and "check.yml" not in commands:
        lab.playbook("playbooks/check.yml", "-e", "check_wait=30", inventory=network).ok()
