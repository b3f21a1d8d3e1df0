"""The kernel lab is the container lab's machines and wires, and nothing but theirs."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "lab" / "kernel"))

from uml import underlay, wires  # noqa: E402


def inventory() -> dict[str, str]:
    loaded = yaml.safe_load((ROOT / "inventories" / "lab" / "hosts.yml").read_text())
    groups = loaded["lab"]["children"].values()
    members = [member for group in groups for member in group["hosts"].items()]
    return {name: str(values["ansible_host"]) for name, values in members if values}


def test_every_host_of_the_inventory_has_a_machine_at_its_address() -> None:
    _, machines = underlay.read()
    found = {machine.name: machine.address for machine in machines if not machine.nat_inside}
    assert {**inventory(), "sao": "10.77.0.14"} == found


def test_a_host_without_ipv6_and_one_behind_the_router_are_what_they_are() -> None:
    _, machines = underlay.read()
    named = {machine.name: machine for machine in machines}
    assert named["laptop1"].links[0].ipv6 is None
    assert str(named["fra"].links[0].ipv6) == "2001:db8:77::11/64"
    assert named["core2"].gateway == "10.78.0.2"
    assert named["fra"].gateway == "10.77.0.1"
    assert named["natgw"].nat_inside == "10.78.0.0/24"


def test_no_two_machines_are_taken_for_one() -> None:
    _, machines = underlay.read()
    for value in ("mac", "machine_id", "address"):
        values = [getattr(machine, value) for machine in machines]
        assert len(set(values)) == len(values)


def test_every_cable_has_a_name_that_the_kernel_takes() -> None:
    _, machines = underlay.read()
    for machine in machines:
        lines = wires.router_plugs(machine) if machine.nat_inside else wires.plug(machine)
        names = [word for line in lines if line.startswith("link add") for word in (line.split()[2], line.split()[6])]
        assert names
        assert all(len(name) <= 15 for name in names)


def test_bridges_have_the_first_address_of_their_networks() -> None:
    networks, _ = underlay.read()
    assert {network.name: network.bridge for network in networks} == {
        "underlay": ["10.77.0.1/24", "2001:db8:77::1/64"],
        "inside": ["10.78.0.1/24"],
    }
