"""Giving out: in a stable order, once, and never twice the same thing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet.addressing import MAX_HOST_ID
from altnet.allocate import LABEL_LENGTH, allocate, drain, leave
from altnet.errors import CapacityError, InventoryError, LedgerError
from altnet.inventory import parse
from altnet.ledger import Ledger, Record, dump, empty

PREFIX = "fd12:3456:789a::/48"


def key(number):
    return base64.b64encode(number.to_bytes(32, "big")).decode()


def network(relays, others=(), **variables):
    hosts = {name: {"endpoints": [f"192.0.2.{number}"]} for number, name in enumerate(sorted(relays), 1)}
    return parse({"prefix": PREFIX, **variables}, {**hosts, **{name: {} for name in others}}, relays)


def run(inventory, ledger=None, **arguments):
    return allocate(inventory, ledger, new_prefix=lambda: PREFIX, **arguments)


def ids(ledger):
    return {name: record.id for name, record in ledger.hosts.items()}


def test_relays_come_first_and_names_decide():
    made = run(network(["nyc", "fra"], ["pi", "desk"]))
    assert ids(made.ledger) == {"fra": 1, "nyc": 2, "desk": 3, "pi": 4}
    assert made.changes[:2] == (
        f"the network: new, with the prefix {PREFIX}",
        "host fra: joined as relay with id 1 and label fra",
    )
    assert "tunnel fra - nyc: new" in made.changes
    assert made.ledger.hosts["nyc"].tunnels == {"fra": (0,)}
    assert made.ledger.hosts["fra"].tunnels == {}


def test_who_joins_later_moves_nobody():
    before = run(network(["nyc", "fra"], ["pi"])).ledger
    after = run(network(["nyc", "fra", "ams"], ["pi"]), before).ledger
    assert ids(after) == ids(before) | {"ams": 4}


def test_a_second_run_changes_nothing():
    inventory = network([f"r{number}" for number in range(20)], [f"h{number}" for number in range(9)])
    made = run(inventory)
    again = run(inventory, made.ledger)
    assert again.changes == ()
    assert dump(again.ledger) == dump(made.ledger)


def test_a_prefix_is_made_once():
    inventory = parse({}, {"a": {"endpoints": ["192.0.2.1"]}}, ["a"])
    made = allocate(inventory, None, new_prefix=lambda: "fd00:0:1::/48")
    assert made.ledger.prefix == "fd00:0:1::/48"
    assert allocate(inventory, made.ledger, new_prefix=lambda: pytest.fail("asked again")).ledger == made.ledger


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"prefix": "fd00:0:1::/48"}, "a network's prefix never changes"),
        ({"asn_base": 4_200_010_000}, "set altnet_asn_base to 4200000000"),
    ],
)
def test_what_never_changes(variables, words):
    ledger = run(network(["fra", "nyc"])).ledger
    with pytest.raises(InventoryError, match=words):
        run(network(["fra", "nyc"], **variables), ledger)


def test_fc00_stays_refused_unless_allowed():
    inventory = parse({}, {"a": {"endpoints": ["192.0.2.1"]}}, ["a"])
    with pytest.raises(InventoryError, match="altnet_allow_fc00"):
        allocate(inventory, empty("fc00:0:1::/48", 4_200_000_000), new_prefix=lambda: PREFIX)


def test_who_left_comes_back_only_under_a_new_name():
    ledger = leave(run(network(["fra", "nyc", "sin"])).ledger, "sin")
    assert ledger.hosts["sin"] == Record(3, "sin", left=True)
    with pytest.raises(InventoryError, match="its id 3 is a tombstone"):
        run(network(["fra", "nyc", "sin"]), ledger)
    assert ids(run(network(["fra", "nyc", "sin2"]), ledger).ledger)["sin2"] == 4


def test_a_host_may_leave_while_its_line_is_still_there():
    inventory = network(["fra", "nyc", "sin"], ["pi"])
    ledger = leave(run(inventory).ledger, "fra")
    after = run(inventory, ledger, leaving=["fra"]).ledger
    assert after.hosts["fra"].left
    assert set(after.hosts["pi"].tunnels) == {"nyc", "sin"}


def regions(**pi):
    hosts = {
        name: {"endpoints": [f"192.0.2.{number}", *more], "region": region}
        for number, (name, region, more) in enumerate(
            [("ams", "eu", []), ("fra", "eu", ["2001:db8::2"]), ("nyc", "us", []), ("sfo", "us", ["2001:db8::4"])], 1
        )
    }
    return parse({"prefix": PREFIX}, {**hosts, "desk": {"region": "eu"}, "pi": pi}, hosts)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"region": "eu"}, {"region": "us"}, {"tunnel fra - pi: removed", "tunnel nyc - pi: new"}),
        ({"region": "eu"}, {"region": "asia"}, set()),
        ({"region": "asia"}, {"region": "eu"}, {"tunnel sfo - pi: removed", "tunnel ams - pi: new"}),
        # Behind NAT or not, with another address or another family beside the first: the tunnels it has still can be.
        ({"region": "eu"}, {"region": "eu", "endpoints": ["198.51.100.1"]}, set()),
        ({"region": "eu", "endpoints": ["198.51.100.1"]}, {"region": "eu", "nat": True}, set()),
        ({"region": "eu"}, {"region": "eu", "families": ["ipv4", "ipv6"]}, set()),
        # IPv6 alone reaches two of the four relays: what it cannot reach goes, and no more.
        (
            {"region": "eu"},
            {"region": "eu", "families": ["ipv6"]},
            {"tunnel ams - pi: removed", "tunnel sfo - pi: new"},
        ),
        (
            {"region": "us", "families": ["ipv6"]},
            {"region": "eu", "families": ["ipv4"]},
            set(),
        ),
    ],
)
def test_a_host_that_changes_moves_what_it_must_once_and_nobody_else(before, after, changes):
    made = run(regions(**before))
    moved = run(regions(**after), made.ledger)
    assert set(moved.changes) == changes
    assert {name: record for name, record in moved.ledger.hosts.items() if name != "pi"} == {
        name: record for name, record in made.ledger.hosts.items() if name != "pi"
    }
    again = run(regions(**after), moved.ledger)
    assert (again.changes, again.ledger) == ((), moved.ledger)


def test_leaving_takes_the_tunnels_and_says_nothing_twice():
    ledger = run(network(["fra", "nyc", "sin"], ["pi"])).ledger
    gone = leave(ledger, "fra")
    assert all("fra" not in record.tunnels for record in gone.hosts.values())
    assert leave(gone, "fra") == gone
    with pytest.raises(LedgerError, match="did you mean nyc"):
        leave(ledger, "nyx")


def test_absence_releases_nothing():
    ledger = run(network(["fra", "nyc", "sin"], ["pi"])).ledger
    made = run(network(["fra", "nyc"], ["pi"]), ledger)
    assert made.changes == ()
    assert made.ledger == ledger


def test_draining():
    ledger = run(network(["fra", "nyc"])).ledger
    drained = drain(ledger, "fra", True)  # noqa: FBT003
    assert drained.hosts["fra"].drained
    assert drain(drained, "fra", False) == ledger  # noqa: FBT003
    assert run(network(["fra", "nyc"]), drained).ledger == drained
    with pytest.raises(LedgerError, match="has left the network"):
        drain(leave(ledger, "fra"), "fra", True)  # noqa: FBT003
    with pytest.raises(LedgerError, match="is not in the ledger"):
        drain(ledger, "x", True)  # noqa: FBT003


def test_a_host_becomes_a_relay_and_stops_being_one():
    before = run(network(["fra", "nyc"], ["pi"])).ledger
    hosts = {name: {"endpoints": [f"192.0.2.{number}"]} for number, name in enumerate(("fra", "nyc", "pi"), 1)}
    made = run(parse({"prefix": PREFIX}, hosts, ["fra", "nyc", "pi"]), before)
    assert made.changes == ("host pi: is now a relay",)
    assert made.ledger.hosts["pi"].relay
    back = run(network(["fra", "nyc"], ["pi"]), made.ledger)
    assert back.changes == ("host pi: is now no relay",)
    assert back.ledger == before


def test_keys_are_recorded_replaced_and_checked():
    inventory = network(["fra", "nyc"])
    made = run(inventory, keys={"fra": {0: key(1), 1: key(2)}, "stranger": {0: key(9)}})
    assert made.ledger.hosts["fra"].keys == {0: key(1), 1: key(2)}
    assert "host fra: public key of generation 1 recorded" in made.changes
    again = run(inventory, made.ledger, keys={"fra": {0: key(1)}})
    assert again.changes == ()
    new = run(inventory, made.ledger, keys={"fra": {0: key(3)}})
    assert new.changes == ("host fra: public key of generation 0 replaced",)
    assert new.ledger.hosts["fra"].keys == {0: key(3), 1: key(2)}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"fra": {0: "x"}}, "is no public key"),
        ({"fra": {-1: key(1)}}, "has generation -1"),
        ({"fra": {0: key(1)}, "nyc": {0: key(1)}}, "is that of host fra, generation 0"),
        ({"fra": {0: key(1), 1: key(1)}}, "is that of host fra, generation 0"),
    ],
)
def test_keys_that_are_refused(keys, words):
    with pytest.raises(LedgerError, match=words):
        run(network(["fra", "nyc"]), keys=keys)


def test_new_tunnels_start_in_the_networks_generation():
    before = run(network(["fra", "nyc"])).ledger
    later = Ledger(before.prefix, before.asn_base, 3, before.hosts)
    after = run(network(["fra", "nyc", "sin"]), later).ledger
    assert after.hosts["nyc"].tunnels == {"fra": (0,)}
    assert after.hosts["sin"].tunnels == {"fra": (3,), "nyc": (3,)}


@pytest.mark.parametrize(
    ("name", "number", "label"),
    [
        ("fra", 1, "fra"),
        ("FRA-1.example.net", 1, "fra-1"),
        ("exactly-elv", 1, "exactly-elv"),
        ("frankfurt-main", 1, "frankfurt-1"),
        ("frankfurt-main", 11383, "frank-11383"),
        ("abcd--efghij", 10345, "abcd-10345"),
    ],
)
def test_labels(name, number, label):
    ledger = Ledger(PREFIX, 4_200_000_000, 0, {"before": Record(number - 1, "before")} if number > 1 else {})
    made = run(network([name]), ledger).ledger
    assert (made.hosts[name].id, made.hosts[name].label) == (number, label)


@given(
    st.lists(
        st.from_regex(r"[ab-]{0,1}[a-b0-1]{1,2}-?[0-9a]{0,9}\.?[a-c]{1,2}", fullmatch=True).filter(
            lambda name: not any(part.startswith("-") or part.endswith("-") for part in name.split("."))
        ),
        min_size=1,
        max_size=25,
        unique_by=str.lower,
    )
)
@settings(max_examples=60)
def test_labels_are_unique_and_fit_an_interface(names):
    made = run(network([name for name in names if not name.split(".")[-1].isdigit()] or ["a"])).ledger
    labels = [record.label for record in made.hosts.values()]
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= LABEL_LENGTH and label.strip("-") == label for label in labels)


def test_names_that_are_others_fallback_labels():
    hosts = ["a.x", "a.y", "a-2", "a-3", "a-4"]
    made = run(network(hosts)).ledger
    assert len({record.label for record in made.hosts.values()}) == len(hosts)


def test_ids_run_out_with_words():
    ledger = Ledger(PREFIX, 4_200_000_000, 0, {"last": Record(MAX_HOST_ID, "last", left=True)})
    with pytest.raises(CapacityError, match="loopbacks: the range is used up"):
        run(network(["fra"]), ledger)
