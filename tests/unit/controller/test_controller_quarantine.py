"""A host that is quarantined is asked nothing, whatever is run; nor is the one that is about to be."""

from __future__ import annotations

import json
import re

import pytest
from controller_world import ROOT, World

from altnet import ledger as ledgers
from altnet.allocate import allocate
from altnet.inventory import parse
from altnet.quarantine import quarantine


def known(world: World) -> ledgers.Ledger:
    """Return the ledger that the world's network has, and write it."""
    inventory = parse({"prefix": world.network["altnet_prefix"]}, {
        name: {key.removeprefix("altnet_"): value for key, value in host.items() if key.startswith("altnet_")}
        for name, host in world.hosts.items()
    }, set(world.relays))  # fmt: skip
    ledger = allocate(inventory, None, new_prefix=lambda: "").ledger
    ledgers.save(world.ledger, ledger)
    return ledger


@pytest.fixture
def far(world: World) -> World:
    """Hosts that answer at once that they are not there: who was asked is who did not answer."""
    for host in world.hosts.values():
        host |= {"ansible_host": "127.0.0.1", "ansible_port": 1}
    return world


def asked(text: str) -> set[str]:
    """Return which hosts Ansible tried to reach."""
    return set(re.findall(r"^fatal: \[(\w+)\]: UNREACHABLE!", text, re.MULTILINE)) | set(
        re.findall(r"^(\w+) +: .*unreachable=1", text, re.MULTILINE)
    )


@pytest.mark.parametrize("playbook", ["preflight", "check", "drain"])
def test_it_is_left_out_of_every_run(far: World, playbook: str) -> None:
    ledgers.save(far.ledger, quarantine(known(far), "sin"))
    run = far.play(ROOT / f"playbooks/{playbook}.yml", "-e", "drain_host=fra")
    assert asked(run.text) == {"core", "fra", "nyc"}, run.text


def test_only_the_neighbours_are_asked_to_cut(far: World) -> None:
    far.relays, far.hosts["nyc"] = ["fra", "sin"], {"ansible_host": "127.0.0.1", "ansible_port": 1}
    ledger = known(far)
    assert set(ledger.hosts["core"].tunnels) == {"fra", "sin"}
    run = far.play(ROOT / "playbooks/quarantine.yml", "-e", "quarantine_host=core")
    assert asked(run.text) == {"fra", "sin"}, run.text
    assert json.loads(far.ledger.read_text())["hosts"]["core"]["quarantined"] is True


def test_check_mode_writes_nothing(far: World) -> None:
    known(far)
    before = far.ledger.read_text()
    far.play(ROOT / "playbooks/quarantine.yml", "-e", "quarantine_host=sin", "--check")
    assert far.ledger.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "quarantine_host: is not given. Remedy: -e quarantine_host=NAME"),
        (["-e", "quarantine_host=sim"], "host sim: ledger.json: is not in the ledger. Remedy: did you mean sin."),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(far: World, arguments: list[str], told: str) -> None:
    known(far)
    before = far.ledger.read_text()
    run = far.play(ROOT / "playbooks/quarantine.yml", *arguments)
    assert run.code == 2
    assert told in run.text, run.text
    assert far.ledger.read_text() == before
    assert asked(run.text) == set()


def test_a_limit_that_leaves_neighbours_out_is_said(far: World) -> None:
    known(far)
    run = far.play(ROOT / "playbooks/quarantine.yml", "-e", "quarantine_host=sin", "--limit", "fra")
    assert "this run leaves out neighbours of sin, which stay connected with it: " in " ".join(run.text.split())


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("drain", "drain_host: is quarantined, so nobody sends through it"),
        ("leave", "leave_host: is quarantined, so it is not asked to clean itself. Remedy: add -e leave_dead=true"),
    ],
)
def test_other_verbs_say_why_not(far: World, verb: str, told: str) -> None:
    ledgers.save(far.ledger, quarantine(known(far), "sin"))
    run = far.play(ROOT / f"playbooks/{verb}.yml", "-e", f"{verb}_host=sin", "-e", f"{verb}_confirm=sin")
    assert told in " ".join(run.text.split()), run.text
    assert asked(run.text) == set()


def test_whom_nobody_can_reach_any_more_is_named(far: World) -> None:
    far.relays = ["sin"]
    known(far)
    refused = far.play(ROOT / "playbooks/quarantine.yml", "-e", "quarantine_host=sin")
    assert "is the only relay that is left" in refused.text
    forced = far.play(ROOT / "playbooks/quarantine.yml", "-e", "quarantine_host=sin", "-e", "quarantine_force=true")
    assert ledgers.parse(far.ledger.read_text()).quarantined == {"sin"}, forced.text
