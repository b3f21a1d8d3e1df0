"""The example inventories are held to everything that can be known without a host."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from altnet import ledger as ledgers
from altnet import plan as plans
from altnet.allocate import allocate
from altnet.controller.variables import plain, role_defaults, role_options, roles
from altnet.gather import gather
from altnet.inventory import Inventory

ROOT = Path(__file__).parents[3]
EXAMPLES = ["example-small", "example-regions"]
DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "fd12:3456:789a::/48",
    )
]


def key(name: str) -> str:
    """Return a well-formed public key that belongs to nobody."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


@cache
def read(example: str) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """Return an example's hosts with their variables, and its groups, as Ansible reads them."""
    loader = DataLoader()
    manager = InventoryManager(loader, [str(ROOT / "inventories" / example)])
    variables = VariableManager(loader, manager)
    hosts = {}
    for host in manager.get_hosts():
        values = variables.get_vars(host=host)
        resolved = Templar(loader=loader, variables=values).template
        own = {name: plain(resolved(value)) for name, value in values.items() if is_ours(name)}
        hosts[host.name] = own | {"ansible_host": str(values["ansible_host"])}
    return hosts, {name: list(members) for name, members in manager.get_groups_dict().items()}


def is_ours(name: str) -> bool:
    return name.startswith(("altnet_", *(f"{role}_" for role in roles())))


@cache
def made(example: str) -> tuple[Inventory, ledgers.Ledger, dict[str, dict[str, Any]]]:
    """Return an example's typed inventory, the ledger of its first run, and every host's slice."""
    hosts, groups = read(example)
    inventory = gather(hosts, lambda name: hosts[name], groups, role_defaults("plan"))
    keys = {name: {0: key(name)} for name in inventory.hosts}
    first = allocate(inventory, None, keys={}, new_prefix=lambda: "unused").ledger
    ledger = allocate(inventory, first, keys=keys, new_prefix=lambda: "unused").ledger
    plan = plans.compute(inventory, ledger)
    return inventory, ledger, {name: plan.slice(name) for name in plan.names}


def pairs(example: str) -> set[frozenset[str]]:
    slices = made(example)[2]
    return {frozenset((name, tunnel["neighbour"])) for name, piece in slices.items() for tunnel in piece["tunnels"]}


def reached(links: set[frozenset[str]], start: str) -> set[str]:
    found, left = {start}, [start]
    while left:
        here = left.pop()
        for link in links:
            if here in link:
                left += link - found
                found |= link
    return found


@pytest.mark.parametrize("example", EXAMPLES)
class TestExample:
    def test_every_variable_is_one_of_ours(self, example: str) -> None:
        known = {option for role in roles() for option in role_options(role)}
        for name, values in read(example)[0].items():
            assert {variable for variable in values if is_ours(variable)} <= known, name

    def test_it_has_no_secret_and_no_ledger(self, example: str) -> None:
        files = [path.name for path in (ROOT / "inventories" / example).rglob("*") if path.is_file()]
        assert not {"vault.yml", "ledger.json", ".vault-password"} & set(files)

    def test_only_documentation_addresses(self, example: str) -> None:
        for name, values in read(example)[0].items():
            for address in [*values.get("altnet_endpoints", []), values["ansible_host"]]:
                if address.endswith("example.net"):
                    continue
                parsed = ipaddress.ip_address(address)
                assert any(parsed in network for network in DOCUMENTATION), f"{name}: {address}"

    def test_every_pair_can_come_up(self, example: str) -> None:
        hosts = made(example)[0].hosts
        for one, other in map(sorted, pairs(example)):
            a, b = hosts[one], hosts[other]
            assert not (a.nat and b.nat), f"{one} and {other} are both behind NAT"
            assert a.families & b.families, f"{one} and {other} share no family"

    def test_one_end_of_each_tunnel_knows_where_the_other_is(self, example: str) -> None:
        slices = made(example)[2]
        for name, piece in slices.items():
            for tunnel in piece["tunnels"]:
                back = next(t for t in slices[tunnel["neighbour"]]["tunnels"] if t["neighbour"] == name)
                assert tunnel["endpoint"] or back["endpoint"], f"{name} and {tunnel['neighbour']}"

    def test_it_survives_the_loss_of_any_host(self, example: str) -> None:
        hosts, links = made(example)[0].hosts, pairs(example)
        for lost in hosts:
            rest = {link for link in links if lost not in link}
            start = next(name for name, host in hosts.items() if host.relay and name != lost)
            assert reached(rest, start) == set(hosts) - {lost}, f"without {lost}"

    def test_nothing_is_pending_once_the_keys_are_known(self, example: str) -> None:
        assert not [name for name, piece in made(example)[2].items() if piece["pending"] or piece["absent"]]

    def test_a_second_run_changes_nothing(self, example: str) -> None:
        inventory, ledger, _ = made(example)
        again = allocate(inventory, ledger, keys={}, new_prefix=lambda: "unused")
        assert again.changes == ()
        assert ledgers.dump(again.ledger) == ledgers.dump(ledger)

    def test_slices_can_be_written_as_json(self, example: str) -> None:
        for piece in made(example)[2].values():
            assert json.loads(json.dumps(piece)) == piece


def test_small_is_three_servers() -> None:
    inventory = made("example-small")[0]
    assert len(inventory.hosts) == 3
    assert len(pairs("example-small")) == 3


def test_regions_is_what_it_says() -> None:
    inventory, _, slices = made("example-regions")
    relays = [host for host in inventory.hosts.values() if host.relay]
    assert len(relays) == 12
    assert len({host.region for host in relays}) == 3
    assert sum(host.nat for host in relays) >= 2
    assert {frozenset(("ipv4",)), frozenset(("ipv6",))} <= {host.families for host in relays}
    assert [t["neighbour"] for t in slices["build1"]["tunnels"]] in (["nyc", "ams"], ["ams", "nyc"])
    for host in inventory.hosts.values():
        if not host.relay:
            assert len(slices[host.name]["tunnels"]) == 2, host.name


def test_regions_mostly_stay_in_their_region() -> None:
    hosts = made("example-regions")[0].hosts
    for name, host in hosts.items():
        if host.relay or host.attach:
            continue
        others = [next(iter(link - {name})) for link in pairs("example-regions") if name in link]
        assert any(hosts[other].region == host.region for other in others), f"{name}: {others}"


def test_init_states_the_defaults_of_every_network_wide_variable() -> None:
    text = (ROOT / "playbooks/templates/init/network.yml.j2").read_text()
    defaults, options = role_defaults("plan"), role_options("plan")
    per_host = {"altnet_endpoints", "altnet_nat", "altnet_families", "altnet_region", "altnet_attach"}
    for name in set(options) - per_host:
        assert name in text, name
    shown = re.search(r"^# (altnet_topology: .*)$", text, re.MULTILINE)
    assert shown
    stated = yaml.safe_load(shown[1])["altnet_topology"]
    nested = options["altnet_topology"]["options"]
    assert stated == {name: option["default"] for name, option in nested.items()}
    assert f"altnet_asn_base: {'{{ new_network.asn_base }}'}" in text
    assert f"new_network.asn_base != {defaults['altnet_asn_base']}" in text
