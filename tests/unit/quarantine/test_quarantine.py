"""Shutting a host out: what the ledger and the plan make of it, and how it comes back."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet.allocate import Allocation, allocate, drain, leave
from altnet.errors import LedgerError
from altnet.inventory import Inventory, parse, without
from altnet.ledger import Ledger, Record, dump
from altnet.ledger import parse as parse_ledger
from altnet.plan import compute
from altnet.quarantine import interfaces, neighbours, quarantine, release, stranded

PREFIX = "fd12:3456:789a::/48"
PLAYBOOKS = Path(__file__).parents[3] / "playbooks"


def key(number: int) -> str:
    return base64.b64encode(number.to_bytes(32, "big")).decode()


def network(relays: list[str], others: dict[str, dict[str, object]] | None = None, **variables: object) -> Inventory:
    hosts: dict[str, dict[str, object]] = {
        name: {"endpoints": [f"192.0.2.{number}"]} for number, name in enumerate(sorted(relays), 1)
    }
    return parse({"prefix": PREFIX, **variables}, {**hosts, **(others or {})}, set(relays))


def run(inventory: Inventory, ledger: Ledger | None = None, **arguments: object) -> Allocation:
    return allocate(inventory, ledger, new_prefix=lambda: PREFIX, **arguments)  # type: ignore[arg-type]


def born(inventory: Inventory) -> Ledger:
    """Return the ledger of a network whose hosts have all reported a key."""
    ledger = run(inventory).ledger
    return run(inventory, ledger, keys={name: {0: key(record.id)} for name, record in ledger.hosts.items()}).ledger


THREE = network(["fra", "nyc", "sin"], {"pi": {}, "desk": {}})


def test_nobody_has_a_tunnel_with_it_and_its_hosts_get_other_relays() -> None:
    before = born(network(["fra", "nyc", "sin"], {"pi": {"attach": ["sin"]}}))
    inventory = network(["fra", "nyc", "sin"], {"pi": {"attach": ["sin"]}})
    after = run(inventory, quarantine(before, "sin")).ledger
    plan = compute(inventory, after)
    assert plan.names == ("fra", "nyc", "pi")
    for name in plan.names:
        assert "sin" not in str(plan.slice(name))
    assert {tunnel["neighbour"] for tunnel in plan.slice("pi")["tunnels"]} == {"fra", "nyc"}
    assert set(plan.quarantined()) == {"sin"}
    assert after.hosts["sin"].keys == {}
    assert after.hosts["sin"].revoked == {0: key(3)}


def test_what_the_operator_chose_stays_where_enough_is_left() -> None:
    inventory = network(["fra", "nyc", "ams", "sin"], {"pi": {"attach": ["ams", "nyc", "sin"]}})
    assert without(inventory, {"sin"}).hosts["pi"].attach == ("ams", "nyc")
    inventory = network(["fra", "nyc", "ams", "sin"], {"pi": {"attach": ["ams", "sin"]}})
    assert without(inventory, {"sin"}).hosts["pi"].attach == ()
    assert without(inventory, {"nobody"}) is inventory


def test_every_mention_of_it_goes() -> None:
    hub = network(["fra", "nyc", "sin"], topology={"strategy": "hub", "hubs": ["sin", "fra"]})
    assert without(hub, {"sin"}).topology.hubs == ("fra",)
    links = network(["fra", "nyc", "sin"], topology={"strategy": "explicit", "links": [["fra", "nyc"], ["nyc", "sin"]]})
    assert without(links, {"sin"}).topology.links == (("fra", "nyc"),)
    anycast = network(["fra", "nyc", "sin"], anycast=[{"name": "dns", "address_index": 53, "origins": ["sin", "fra"]}])
    ledger = run(anycast, quarantine(born(anycast), "sin")).ledger
    (service,) = compute(anycast, ledger).slice("nyc")["anycast"]
    assert service["origins"] == [4200000001]


def test_its_neighbours_are_known_until_it_is_released() -> None:
    ledger = born(THREE)
    around = neighbours(ledger, "sin")
    assert {"fra", "nyc"} <= set(around)
    shut = quarantine(ledger, "sin")
    assert neighbours(shut, "sin") == around
    assert neighbours(run(THREE, shut).ledger, "sin") == around
    assert interfaces(shut, "sin") == ["an0-sin", "an1-sin"]


def test_twice_is_once() -> None:
    shut = run(THREE, quarantine(born(THREE), "sin")).ledger
    assert quarantine(shut, "sin") == shut
    again = run(THREE, shut)
    assert (again.changes, again.ledger) == ((), shut)


def test_it_comes_back_with_new_keys_only() -> None:
    before = born(THREE)
    shut = run(THREE, quarantine(before, "sin")).ledger
    assert run(THREE, shut, keys={"sin": {0: key(3)}}).ledger == shut, "a host that is shut out reports nothing"
    back = run(THREE, release(shut, "sin")).ledger
    assert {"fra", "nyc"} <= set(neighbours(back, "sin"))
    assert "sin" in compute(THREE, back).slice("fra")["pending"]
    with pytest.raises(LedgerError, match="one that the host had when it was quarantined"):
        run(THREE, back, keys={"sin": {0: key(3)}})
    whole = run(THREE, back, keys={"sin": {0: key(77)}}).ledger
    assert whole.hosts["sin"].keys == {0: key(77)}
    assert whole.hosts["sin"].revoked == {}
    assert compute(THREE, whole).slice("fra")["pending"] == []


def test_a_false_alarm_is_undone() -> None:
    before = born(THREE)
    shut = run(THREE, quarantine(before, "sin")).ledger
    back = run(THREE, release(shut, "sin", same_keys=True)).ledger
    assert back.hosts["sin"].keys == before.hosts["sin"].keys
    assert back.hosts["sin"].revoked == {}
    assert not back.quarantined


def test_releasing_who_is_not_shut_out_changes_nothing() -> None:
    ledger = born(THREE)
    assert release(ledger, "sin") == ledger
    assert release(ledger, "sin", same_keys=True) == ledger


def test_who_cannot_be_quarantined() -> None:
    ledger = born(network(["fra"], {"pi": {}}))
    with pytest.raises(LedgerError, match="the only relay that is left"):
        quarantine(ledger, "fra")
    assert quarantine(ledger, "fra", force=True).quarantined == {"fra"}
    assert quarantine(ledger, "pi").quarantined == {"pi"}
    with pytest.raises(LedgerError, match="did you mean fra"):
        quarantine(ledger, "frra")
    with pytest.raises(LedgerError, match="has left the network"):
        quarantine(leave(ledger, "pi"), "pi")


def test_the_last_but_one_that_is_shut_out_counts_as_gone() -> None:
    ledger = quarantine(born(network(["fra", "nyc"], {"pi": {}})), "fra")
    with pytest.raises(LedgerError, match="the only relay that is left"):
        quarantine(ledger, "nyc")


def test_one_that_is_shut_out_may_leave_for_good() -> None:
    shut = quarantine(drain(born(THREE), "sin", drained=True), "sin")
    after = run(THREE, leave(shut, "sin"), leaving={"sin"}).ledger
    assert after.hosts["sin"] == Record(3, "sin", left=True)
    assert parse_ledger(dump(after)) == after


def test_who_has_no_way_left_is_named() -> None:
    ledger = Ledger(PREFIX, 4200000000, hosts={
        "fra": Record(1, "fra", relay=True),
        "nyc": Record(2, "nyc", relay=True, tunnels={"fra": (0,)}),
        "sin": Record(3, "sin", relay=True, tunnels={"nyc": (0,)}),
        "pi": Record(4, "pi", tunnels={"sin": (0,)}),
    })  # fmt: skip
    assert stranded(ledger, ledger.hosts) == []
    assert stranded(quarantine(ledger, "sin"), ledger.hosts) == ["pi"]
    assert stranded(quarantine(ledger, "sin"), []) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 14), st.integers(0, 8), st.data())
def test_any_network_survives_any_of_its_relays(relays: int, others: int, data: st.DataObject) -> None:
    inventory = network([f"r{n}" for n in range(relays)], {f"h{n}": {} for n in range(others)})
    before = born(inventory)
    name = data.draw(st.sampled_from(sorted(before.hosts)))
    shut = run(inventory, quarantine(before, name)).ledger
    plan = compute(inventory, shut)
    assert name not in plan.names
    assert name not in {tunnel["neighbour"] for other in plan.names for tunnel in plan.slice(other)["tunnels"]}
    assert stranded(shut, plan.names) == []
    assert parse_ledger(dump(shut)) == shut
    back = run(inventory, release(shut, name), keys={name: {0: key(9999)}}).ledger
    assert set(compute(inventory, back).names) == set(inventory.hosts)
    assert stranded(back, inventory.hosts) == []
    assert run(inventory, back).changes == ()


def test_only_plays_that_ask_no_host_run_on_all() -> None:
    """Every other play says whom by the role patterns, so that who is quarantined is asked nothing."""
    for path in PLAYBOOKS.glob("*.yml"):
        for play in yaml.safe_load(path.read_text()):
            if play.get("hosts") != "all":
                continue
            steps = play["tasks"]
            assert all(step.get("run_once") for step in steps), f"{path.name}: {play['name']}"
            names = {key for step in steps for key in step if key.startswith(("altnet_", "pki_", "ansible."))}
            known = {"altnet_allocation", "altnet_quarantine", "pki_authority", "ansible.builtin.add_host"}
            known |= {"ansible.builtin.assert", "ansible.builtin.debug"}
            assert names <= known, f"{path.name}: {play['name']}: {names}"
