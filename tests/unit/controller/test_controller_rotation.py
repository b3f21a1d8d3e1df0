"""The rotation's steps through real ansible-playbook runs, without a host."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from controller_world import World
from test_controller_allocation import ALLOCATE, HEAD, KEEP, SLICE

from altnet import ledger as ledgers
from altnet import rotation
from altnet.wireguard.keyfile import PLACEHOLDER

NAMES = ("core", "fra", "nyc", "sin")


def key(name: str, generation: int) -> str:
    return base64.b64encode(hashlib.sha256(f"{name} {generation}".encode()).digest()).decode()


def holds(world: World, *generations: int, names: tuple[str, ...] = NAMES) -> None:
    """Let hosts report keys of these generations."""
    for name, host in world.hosts.items():
        host.pop("reported", None)
        if name in names:
            host["reported"] = {"public_keys": {str(g): key(name, g) for g in generations}}


def step(name: str, register: str = "first") -> str:
    return ALLOCATE % (f", rotation: {name}, handover_from: said", register)


@pytest.fixture
def network(world: World) -> World:
    """A network with keys of generation 0 everywhere."""
    holds(world, 0)
    assert world.play(HEAD + ALLOCATE % ("", "first")).code == 0
    return world


def ledger(world: World) -> ledgers.Ledger:
    found = ledgers.load(world.ledger)
    assert found is not None
    return found


def test_one_rotation_with_one_tunnel_that_does_not_come_up(network: World) -> None:
    run = network.play(HEAD + step("begin") + SLICE + KEEP)
    assert run.code == 0, run.text
    assert run.kept["first"]["changes"] == ["rotation: generation 1 begins"]
    assert run.kept["slices"]["fra"]["generations"] == [0, 1]
    holds(network, 0, 1)
    run = network.play(HEAD + step("begin") + step("widen", "second") + SLICE + KEEP)
    assert run.code == 0, run.text
    assert "rotation: generation 1 begins" not in run.kept["first"]["changes"]
    assert "tunnel fra - nyc: generation 1 joins 0" in run.kept["second"]["changes"]
    piece = run.kept["slices"]["fra"]
    found = {pair["neighbour"]: pair for pair in rotation.handovers(piece)}
    assert found["nyc"] == {
        "neighbour": "nyc",
        "new_interface": "an1-nyc",
        "new_session": "an1_nyc",
        "old_interface": "an0-nyc",
        "old_session": "an0_nyc",
    }
    for name, host in network.hosts.items():
        others: dict[str, Any] = dict.fromkeys(set(NAMES) - {name}, "")
        host["said"] = {"waiting": others | ({"sin": "BGP session an1_sin is Active"} if name == "nyc" else {})}
    run = network.play(HEAD + step("retire") + SLICE + KEEP)
    assert run.code == 0, run.text
    pairs = {(high, low): generations for high, low, generations in ledger(network).pairs()}
    assert pairs.pop(("sin", "nyc")) == (0, 1)
    assert set(pairs.values()) == {(1,)}
    # All but the two that need it have removed the old key.
    holds(network, 1, names=("core", "fra"))
    run = network.play(HEAD + step("finish"))
    assert run.code == 2
    text = " ".join(run.text.split())
    assert "rotation: generation 1 is not complete: " in text
    assert (
        "host sin: tunnel with nyc: the older one is kept, because the newer one does not carry its traffic (nyc: BGP "
        "session an1_sin is Active). Remedy: docs/runbooks/a-tunnel-is-down.md, then again"
    ) in text
    assert {name: sorted(record.keys) for name, record in ledger(network).hosts.items()} == {
        "core": [1],
        "fra": [1],
        "nyc": [0, 1],
        "sin": [0, 1],
    }


def test_a_host_that_is_left_out_is_told_and_waited_for(network: World) -> None:
    limit = ("--limit", "core,fra,nyc")
    holds(network, 0, 1, names=("core", "fra", "nyc"))
    run = network.play(HEAD + step("begin") + step("widen", "second"), *limit)
    assert run.code == 0, run.text
    for name, host in network.hosts.items():
        host["said"] = {"waiting": dict.fromkeys(set(NAMES) - {name, "sin"}, "")}
    assert network.play(HEAD + step("retire"), *limit).code == 0
    # Who has a tunnel with sin still needs the old key.
    old = {name for pair in rotation.old_pairs(ledger(network)) for name in pair}
    holds(network, 1, names=tuple({*NAMES} - old))
    run = network.play(HEAD + step("finish"), *limit)
    assert run.code == 0, run.text
    assert "left behind with tunnels of generation 0: sin." in " ".join(run.text.split())
    before = network.ledger.read_bytes()
    run = network.play(HEAD + step("begin"), *limit)
    assert run.code == 2
    assert "that rotation still waits for sin: a further one cannot begin." in " ".join(run.text.split())
    assert network.ledger.read_bytes() == before
    run = network.play(HEAD + step("begin"))
    assert run.code == 0, run.text
    assert network.ledger.read_bytes() == before


def test_a_dry_run_tells_all_and_writes_nothing(network: World) -> None:
    before = network.ledger.read_bytes()
    for name, host in network.hosts.items():
        host["reported"] = {"public_keys": {"0": key(name, 0), "1": PLACEHOLDER}, "placeholder": True}
    run = network.play(HEAD + step("begin") + step("widen", "second") + SLICE + KEEP, "--check")
    assert run.code == 0, run.text
    assert run.kept["first"]["changes"][-1] == "rotation: generation 1 begins"
    assert "tunnel fra - nyc: generation 1 joins 0" in run.kept["second"]["changes"]
    tunnels = {
        (tunnel["neighbour"], tunnel["generation"]): tunnel["public_key"]
        for tunnel in run.kept["slices"]["fra"]["tunnels"]
    }
    assert tunnels["nyc", 0] == key("nyc", 0)
    assert tunnels["nyc", 1] == "(to be made on nyc)"
    assert network.ledger.read_bytes() == before
