"""Ansible's variables, host by host, become one network."""

from __future__ import annotations

from typing import Any

import pytest

from altnet.errors import InventoryError
from altnet.gather import HOST_VARIABLES, NETWORK_VARIABLES, gather
from altnet.inventory import Inventory

PREFIX = "fd12:3456:789a::/48"
DEFAULTS = {"altnet_prefix": "", "altnet_asn_base": 4200000000, "altnet_topology": {}, "altnet_anycast": []}


def read(hosts: dict[str, dict[str, Any]], relays: tuple[str, ...] = ("fra", "nyc"), **defaults: Any) -> Inventory:
    return gather(hosts, hosts.__getitem__, {"relays": relays}, {**DEFAULTS, **defaults})


def hosts(**more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "fra": {"altnet_endpoints": ["192.0.2.1"], **more.get("fra", {})},
        "nyc": {"altnet_endpoints": ["192.0.2.2"], **more.get("nyc", {})},
        "core": more.get("core", {}),
    }


def test_hosts_and_relays() -> None:
    inventory = read(hosts(core={"altnet_region": "eu", "altnet_nat": True, "ansible_host": "x", "region": "us"}))
    assert {name for name, host in inventory.hosts.items() if host.relay} == {"fra", "nyc"}
    assert inventory.hosts["core"].region == "eu"
    assert inventory.hosts["core"].nat


def test_defaults() -> None:
    inventory = read(hosts())
    assert inventory.prefix is None
    assert inventory.asn_base == 4200000000
    assert read(hosts(), altnet_prefix=PREFIX).prefix == PREFIX


@pytest.mark.parametrize("empty", ["fra", "core"])
def test_an_empty_prefix_is_none(empty: str) -> None:
    assert read(hosts(**{empty: {"altnet_prefix": ""}})).prefix is None


def test_what_is_set_on_some_hosts_holds_for_all() -> None:
    assert read(hosts(nyc={"altnet_prefix": PREFIX})).prefix == PREFIX


@pytest.mark.parametrize("variable", [f"altnet_{key}" for key in NETWORK_VARIABLES])
def test_a_network_has_one_value(variable: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read(hosts(fra={variable: "one"}, nyc={variable: "other"}, core={variable: "one"}))
    (problem,) = caught.value.problems
    assert (problem.host, problem.variable) == ("nyc", variable)
    assert "host fra" in problem.what
    assert problem.remedy == "set it once, in group_vars/all"


def test_everything_that_differs() -> None:
    with pytest.raises(InventoryError) as caught:
        read(hosts(fra={"altnet_prefix": PREFIX, "altnet_asn_base": 1}, nyc={"altnet_prefix": "", "altnet_asn_base": 2},
                   core={"altnet_prefix": "fd00::/48", "altnet_asn_base": 3}))  # fmt: skip
    assert [(problem.host, problem.variable) for problem in caught.value.problems] == [
        ("nyc", "altnet_asn_base"),
        ("core", "altnet_prefix"),
        ("core", "altnet_asn_base"),
    ]


def test_a_relay_that_is_no_host() -> None:
    with pytest.raises(InventoryError, match="group relays"):
        read(hosts(), relays=("fra", "gone"))


def test_no_group_of_relays() -> None:
    with pytest.raises(InventoryError, match="group relays"):
        gather(["fra"], lambda _: {}, {}, DEFAULTS)


def test_every_variable_is_known_once() -> None:
    assert not set(NETWORK_VARIABLES) & set(HOST_VARIABLES)
