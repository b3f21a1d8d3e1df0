"""The directory in the plan, and what keeps an inventory from having one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from altnet import plan as plans
from altnet.addressing import parse_prefix
from altnet.allocate import allocate
from altnet.errors import InventoryError
from altnet.inventory import Inventory, parse
from altnet.ledger import Ledger
from altnet.naming.keys import ds

PREFIX = "fd12:3456:789a::/48"


def inventory(**groups: Any) -> Inventory:
    hosts = {name: {"endpoints": [f"192.0.2.{number}"]} for number, name in enumerate(("fra", "nyc", "Sin"), 1)}
    names = {"authoritative": ["fra"], "resolvers": ["fra", "nyc"], **groups}
    return parse({"prefix": PREFIX}, hosts, set(hosts), **names)


def plan(found: Inventory) -> plans.Plan:
    ledger = allocate(found, None, keys={}, new_prefix=lambda: parse_prefix(PREFIX), ds_of=partial(ds, "m" * 48)).ledger
    return plans.compute(found, ledger)


def test_every_host_knows_the_providers_and_whether_it_is_one() -> None:
    found = plan(inventory(directory=["Sin", "fra"]))
    mine = {name: found.slice(name)["directory"] for name in found.names}
    assert {name: one["provider"] for name, one in mine.items()} == {"fra": True, "nyc": False, "Sin": True}
    assert {one["base"] for one in mine.values()} == {"dc=alt"}
    first, second = mine["nyc"]["providers"]
    assert (first["name"], first["uri"]) == ("Sin", "ldaps://sin.net.alt")
    assert second["address"].startswith("fd12:3456:789a::")
    assert first["id"] != second["id"]


def test_a_network_without_one() -> None:
    found = plan(inventory())
    assert found.slice("fra")["directory"] == {"base": "dc=alt", "provider": False, "providers": []}


def test_names_have_to_be_there() -> None:
    with pytest.raises(InventoryError, match="group directory: has hosts, and nobody answers for names"):
        inventory(authoritative=[], resolvers=[], directory=["fra"])


def test_who_is_in_the_group_is_a_host() -> None:
    with pytest.raises(InventoryError, match="host xyz: group directory: is in the group but is no host"):
        inventory(directory=["fra", "xyz"])


def test_an_id_that_no_change_can_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("altnet.plan.people.SERVER_ID_MAX", 2)
    with pytest.raises(InventoryError, match=r"host \w+: group directory: has the id 3, and the largest .* is 2"):
        plan(inventory(directory=["fra", "nyc", "Sin"]))


def test_one_that_is_shut_out_is_none() -> None:
    found = inventory(directory=["fra", "nyc"])
    made = allocate(found, None, keys={}, new_prefix=lambda: parse_prefix(PREFIX), ds_of=partial(ds, "m" * 48)).ledger
    assert isinstance(made, Ledger)
    hosts = {**made.hosts, "fra": replace(made.hosts["fra"], quarantined=True)}
    providers = plans.compute(found, replace(made, hosts=hosts)).slice("nyc")["directory"]["providers"]
    assert [one["name"] for one in providers] == ["nyc"]
