"""Ledger, plan and slices through real ansible-playbook runs, without a host."""

from __future__ import annotations

import base64
import hashlib

from controller_world import World

from altnet import ledger as ledgers
from altnet.wireguard.keyfile import PLACEHOLDER

HEAD = """
- hosts: all
  connection: local
  gather_facts: false
  any_errors_fatal: true
  vars:
    ledger: "{{ inventory_dir }}/ledger.json"
  tasks:
"""
ALLOCATE = """
    - altnet_allocation: {ledger: "{{ ledger }}", public_keys_from: reported%s}
      register: %s
      run_once: true
"""
SLICE = """
    - altnet_slice:
"""
KEEP = """
    - keep:
        content: >-
          {{ {'first': first | default(none), 'second': second | default(none), 'third': third | default(none),
              'slices': dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'altnet_slice')))}
             | to_json }}
        dest: "{{ inventory_dir }}/../kept.json"
      run_once: true
"""


def key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def test_a_prediction_writes_nothing(world: World) -> None:
    for name, host in world.hosts.items():
        host["reported"] = {"public_keys": {"0": PLACEHOLDER}, "placeholder": True} if name != "nyc" else {}
    run = world.play(HEAD + ALLOCATE % ("", "first") + SLICE + KEEP, "--check", "--diff")
    assert run.code == 0, run.text
    assert not world.ledger.exists()
    assert run.kept["first"]["changed"]
    assert run.kept["first"]["touched"] == ["core", "fra", "nyc", "sin"]
    tunnels = {tunnel["neighbour"]: tunnel for tunnel in run.kept["slices"]["sin"]["tunnels"]}
    assert tunnels["fra"]["public_key"] == "(to be made on fra)"
    assert not tunnels["fra"]["pending"]
    assert tunnels["nyc"]["public_key"] is None
    assert tunnels["nyc"]["pending"]
    assert run.out.count('+  "prefix": "fd12:3456:789a::/48"') == 1, run.out


def test_a_network_lives(world: World) -> None:
    for name, host in world.hosts.items():
        host["reported"] = {"public_keys": {"0": key(name)}}
    run = world.play(HEAD + ALLOCATE % ("", "first") + ALLOCATE % ("", "second") + SLICE + KEEP)
    assert run.code == 0, run.text
    assert run.kept["first"]["changed"]
    assert not run.kept["second"]["changed"]
    assert run.kept["second"]["changes"] == run.kept["second"]["touched"] == []
    ledger = ledgers.load(world.ledger)
    assert ledger is not None
    assert {name: record.keys[0] for name, record in ledger.hosts.items()} == {n: key(n) for n in world.hosts}
    assert [name for name, piece in run.kept["slices"].items() if piece["name"] != name] == []
    before = world.ledger.read_bytes()

    # Only one host is asked, and nobody reports keys: what the others have stays.
    for host in world.hosts.values():
        del host["reported"]
    run = world.play(HEAD + ALLOCATE % (", drain: [fra]", "first") + SLICE + KEEP, "--limit", "fra")
    assert run.code == 0, run.text
    assert run.kept["slices"] == {"fra": run.kept["slices"]["fra"]}
    assert run.kept["slices"]["fra"]["drained"]
    after = ledgers.load(world.ledger)
    assert after is not None
    assert after.hosts["fra"].drained
    run = world.play(
        HEAD
        + ALLOCATE % (", undrain: [fra]", "first")
        + ALLOCATE % (", leave: [sin]", "second")
        + ALLOCATE % (", leave: [sin], drain: [sin]", "third")
        + "    - meta: end_host\n      when: inventory_hostname == 'sin'\n"
        + SLICE
        + KEEP
        + ALLOCATE % ("", "fourth")
    )
    assert before != world.ledger.read_bytes()
    assert run.kept["first"]["touched"] == ["fra"]
    assert run.kept["second"]["changes"][0] == "host sin: left; its id stays a tombstone"
    assert not run.kept["third"]["changed"], run.kept["third"]
    assert "sin" not in [t["neighbour"] for t in run.kept["slices"]["fra"]["tunnels"]]
    # The host's line is still there, and the run does not say that it leaves.
    assert run.code == 2
    assert (
        "host sin: inventory name: has left the network, and its id 3 is a tombstone. Remedy: remove the host from the "
        "inventory, or give it a new name to let it join as a new host."
    ) in " ".join(run.text.split())
    ledger = ledgers.load(world.ledger)
    assert ledger is not None
    assert ledger.hosts["sin"].left
    assert not ledger.hosts["fra"].drained


def test_what_is_asked_of_a_network_that_is_not_there(world: World) -> None:
    check = f"""
    - altnet_check: {{}}
{SLICE}"""
    run = world.play(HEAD + ALLOCATE % (", update: false", "first"))
    assert run.code == 2
    assert "there is no ledger yet, so there is no network. Remedy: run site.yml first." in run.text
    run = world.play(HEAD + check.replace("altnet_check: {}\n", "altnet_check: {}\n      ignore_errors: true\n"))
    assert run.code == 2
    assert run.text.count("host fra: ledger.json: the host is not in it, and so not in the plan. Remedy: run site") == 1
    assert run.text.count("host fra: ledger.json: the host is not in this run's plan. Remedy: run site.yml for a") == 1
    assert "Traceback" not in run.text
    assert not world.ledger.exists()
