"""A zone's key roll through real ansible-playbook runs, without a host."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from controller_world import SECRET, World

from altnet import ledger as ledgers
from altnet.naming import keys

HEAD = """
- hosts: core:fra:nyc
  connection: local
  gather_facts: false
  any_errors_fatal: true
  vars:
    ledger: "{{ inventory_dir }}/ledger.json"
  tasks:
"""
ALLOCATE = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json"}
      run_once: true
"""
# Inside a play, as nobody knows how long ansible-playbook takes to begin.
CONFIRMED_NOW = r"""
    - keep:
        content: >-
          {{ lookup('ansible.builtin.file', ledger, rstrip=false)
             | regex_replace('"since": \d+', '"since": ' ~ lookup('ansible.builtin.pipe', 'date +%s')) }}
        dest: "{{ ledger }}"
      run_once: true
"""
STEP = """
    - altnet_zone_roll: {ledger: "{{ ledger }}", zone: %s, step: %s, seen_from: seen%s}
      register: %s
      run_once: true
"""
KEEP = """
    - altnet_slice:
    - keep:
        content: >-
          {{ {'first': first | default(none), 'second': second | default(none), 'third': third | default(none),
              'dns': altnet_slice.dns} | to_json }}
        dest: "{{ inventory_dir }}/../kept.json"
      run_once: true
"""
HOSTS = ("core", "fra", "nyc")
TAGS = [keys.ds(SECRET, "alt", epoch).split()[0] for epoch in range(3)]


def step(name: str, register: str = "first", zone: str = "alt", more: str = ", ttl: 5") -> str:
    return STEP % (zone, name, more, register)


def one_line(text: str) -> str:
    return " ".join(text.split())


def named(world: World) -> World:
    """Return a network with names; sin serves none."""
    world.children |= {"authoritative": ["core"], "resolvers": ["fra", "nyc"]}
    world.network |= {"altnet_tlds": ["alt", "neo"], "altnet_zones": [{"name": "shop.alt", "records": []}]}
    return world


@pytest.fixture(scope="module")
def allocated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Its ledger, which one run makes for all tests."""
    world = named(World(tmp_path_factory.mktemp("allocated")))
    assert world.play(ALLOCATE).code == 0
    return world.ledger.read_bytes()


@pytest.fixture
def network(world: World, allocated: bytes) -> World:
    """The network, before its first roll."""
    named(world).ledger.write_bytes(allocated)
    for name in HOSTS:
        world.hosts[name]["seen"] = {"lacks": []}
    return world


def states(world: World, zone: str = "alt") -> dict[int, str]:
    ledger = ledgers.load(world.ledger)
    assert ledger is not None
    return {number: epoch.state for number, epoch in ledger.dnssec[zone].items()}


def age(world: World, seconds: int = 3600) -> None:
    """Let what was confirmed have been so for longer."""
    text = json.loads(world.ledger.read_text())
    for epoch in text["dnssec"]["alt"].values():
        if "since" in epoch:
            epoch["since"] -= seconds
    world.ledger.write_text(json.dumps(text, indent=2, sort_keys=True) + "\n")


def play(world: World, *steps: str) -> Any:
    names = dict(zip(steps, ("first", "second", "third"), strict=False))
    run = world.play(HEAD + "".join(step(name, register) for name, register in names.items()) + KEEP)
    assert run.code == 0, run.text
    return run


def test_a_whole_roll_step_by_step(network: World) -> None:
    run = play(network, "publish", "confirm", "activate")
    assert run.kept["first"]["changes"] == [f"zone alt: key {TAGS[1]} of epoch 1 is published"]
    assert f"zone alt: key {TAGS[1]} is known everywhere, and may sign in 5 s" in run.out
    # A second or more may have gone by since the step before.
    assert re.search(r"zone alt: the next step is due in [1-5] s; run this again then", run.out)
    assert not run.kept["third"]["due"]
    assert states(network) == {0: "active", 1: "published"}
    anchors = run.kept["dns"]["anchors"]["alt"]
    assert [entry.split()[0] for entry in anchors] == TAGS[:2]
    age(network)
    run = play(network, "publish", "activate", "finish")
    assert not run.kept["first"]["changed"]
    assert run.kept["second"]["changes"] == [f"zone alt: key {TAGS[1]} signs in place of {TAGS[0]}"]
    # Not before it is seen to be so.
    assert not run.kept["third"]["due"]
    assert states(network) == {0: "retired", 1: "active"}
    run = play(network, "confirm")
    assert f"zone alt: key {TAGS[1]} signs everywhere, and {TAGS[0]} may go in 5 s" in run.out
    age(network)
    run = play(network, "activate", "finish", "confirm")
    assert not run.kept["first"]["due"]
    assert run.kept["second"]["changes"] == [f"zone alt: key {TAGS[0]} is gone"]
    assert f"zone alt: the roll is complete; the key {TAGS[1]} signs alone" in run.out
    assert [entry.split()[0] for entry in run.kept["dns"]["anchors"]["alt"]] == [TAGS[1]]
    assert play(network, "publish").kept["first"]["changes"] == [f"zone alt: key {TAGS[2]} of epoch 2 is published"]
    assert not any(secret in run.text for secret in (SECRET, keys.private_text(SECRET, "alt", 1).split()[-1]))


def test_a_run_that_was_killed_before_the_hosts_knew(network: World) -> None:
    play(network, "publish")
    age(network)
    run = play(network, "publish", "activate")
    assert not run.kept["second"]["due"]
    assert states(network) == {0: "active", 1: "published"}


def test_waiting(network: World) -> None:
    play(network, "publish", "confirm")
    age(network, -3600)
    run = network.play(HEAD + step("activate", more=", ttl: 5, wait: true, wait_max: 60"))
    assert "the next step is due in" in run.out
    run = network.play(HEAD + CONFIRMED_NOW + step("activate", more=", ttl: 5, wait: true"))
    assert run.code == 0, run.text
    assert "zone alt: waiting" in run.out
    assert states(network) == {0: "retired", 1: "active"}


def test_a_dry_run_tells_and_writes_nothing(network: World) -> None:
    before = network.ledger.read_bytes()
    run = network.play(HEAD + step("publish") + step("activate", "second", more=", wait: true") + KEEP, "--check")
    assert run.code == 0, run.text
    assert run.kept["first"]["changes"] == [f"zone alt: key {TAGS[1]} of epoch 1 is published"]
    assert not run.kept["second"]["due"]
    assert len(run.kept["dns"]["anchors"]["alt"]) == 2
    assert network.ledger.read_bytes() == before


def test_a_declared_child_zone(network: World) -> None:
    run = network.play(HEAD + step("publish", zone="shop.ALT.") + KEEP)
    assert run.code == 0, run.text
    assert states(network, "shop.alt") == {0: "active", 1: "published"}
    assert "shop.alt" not in run.kept["dns"]["anchors"]


@pytest.mark.parametrize(
    ("zone", "more", "words"),
    [
        ("''", "", "the network: roll_zone: is not given. Remedy: -e roll_zone=NAME, one of: "),
        (
            "org",
            "",
            "roll_zone: 'org' is no zone of this network. Remedy: -e roll_zone=NAME, one of: alt, neo, net.alt",
        ),
        ("alt", ", ttl: 4", "roll_ttl: is 4, and resolvers need up to 5 seconds to forget what has changed"),
    ],
)
def test_bad_input(network: World, zone: str, more: str, words: str) -> None:
    before = network.ledger.read_bytes()
    run = network.play(HEAD + step("publish", zone=zone, more=more))
    assert run.code == 2
    assert words in one_line(run.text)
    assert network.ledger.read_bytes() == before


def test_a_resolver_that_is_not_in_the_run(network: World) -> None:
    before = network.ledger.read_bytes()
    run = network.play(HEAD + step("publish"), "--limit", "core,fra")
    assert run.code == 2
    assert (
        "host nyc: roll_zone: is not in this run, and what it does not know of another key it calls forged. Remedy: "
        'bring it back and run with it, or do without it for good: -e \'{"roll_without": ["nyc"]}\'.'
    ) in one_line(run.text)
    assert network.ledger.read_bytes() == before
    run = network.play(HEAD + step("publish", more=", gone: [nyc]"), "--limit", "core,fra")
    assert run.code == 0, run.text


def test_hosts_that_do_not_have_it(network: World) -> None:
    play(network, "publish")
    before = network.ledger.read_bytes()
    network.hosts["fra"]["seen"] = {"lacks": ["its resolver trusts the keys 1, not 1, 2"]}
    network.hosts["nyc"]["seen"] = {"unreachable": True, "msg": "Connection timed out"}
    run = network.play(HEAD + step("confirm"))
    assert run.code == 2
    text = one_line(run.text)
    assert "2 problems; the roll stays where it is:" in text
    assert "host fra: zone keys: its resolver trusts the keys 1, not 1, 2. Remedy: mend that" in text
    assert "host nyc: roll_zone: was not asked: Connection timed out, and what it does not know" in text
    assert network.ledger.read_bytes() == before
    run = network.play(HEAD + step("confirm", more=", gone: [fra, nyc]"))
    assert run.code == 0, run.text
