"""What the mesh is built from, without building it."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import controller, network
from benchmarks.mesh import DROP_IN, Relay, addresses, links
from benchmarks.netns import PREFIX

from altnet.plan import compute


@pytest.fixture(scope="module")
def relays() -> list[Relay]:
    known = network.inventory(network.relays(30))
    plan = compute(known, network.ledger(known))
    return [Relay(plan.slice(name), f"{PREFIX}{name}", Path("/nonexistent")) for name in plan.names]


def test_each_tunnel_is_one_pair_whose_ends_have_the_plans_names(relays: list[Relay]) -> None:
    ends = []
    for line in links(relays):
        words = line.split()
        ends += [(words[4], words[2]), (words[13], words[11])]
    wanted = [(relay.namespace, name) for relay in relays for name in relay.neighbours.values()]
    assert sorted(ends) == sorted(wanted)


def test_every_interface_is_up_with_its_own_address_alone(relays: list[Relay]) -> None:
    for relay in relays:
        lines = list(addresses(relay))
        assert lines[0] == f"addr add {relay.piece['loopback']}/128 dev lo nodad"
        for name in relay.neighbours.values():
            of = [line for line in lines if name in line.split()]
            assert [line.split()[0:2] for line in of] == [["link", "set"], ["addr", "add"], ["link", "set"]]
            assert of[0].endswith("addrgenmode none")


def test_a_loopback_is_written_as_the_kernel_prints_it(relays: list[Relay]) -> None:
    assert relays[9].piece["loopback"] == "fd12:3456:789a::a"
    assert relays[9].loopback == b"fd123456789a0000000000000000000a"


def test_the_rules_name_the_interface() -> None:
    assert 'iifname "an0-r00002" drop' in DROP_IN.format("an0-r00002")


def test_a_recaps_changes_are_counted() -> None:
    recap = "a : ok=3 changed=1 unreachable=0 failed=0\nb : ok=3 changed=2 unreachable=0 failed=0\n"
    assert controller.changed(recap) == 3
