"""The plan: both ends agree, nobody shares anything, and who joins changes its neighbours alone."""

from __future__ import annotations

import base64
import ipaddress
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet.allocate import allocate, leave
from altnet.errors import InventoryError
from altnet.inventory import parse
from altnet.plan import MemberPrefix, compute

PREFIX = "fd12:3456:789a::/48"
ADDRESSES = {"ipv4": "192.0.2.{}", "ipv6": "2001:db8::{:x}"}
ENDPOINTS = [("ipv4", "ipv6"), ("ipv4", "ipv6"), ("ipv4",), ()]


def variables(number, reachable, region="default"):
    found = {"region": region, "families": ["ipv4", "ipv6"] if "ipv6" in reachable else ["ipv4"]}
    if reachable:
        return found | {"endpoints": [ADDRESSES[family].format(number) for family in reachable]}
    return found | {"nat": True}


def key(name, generation=0):
    return base64.b64encode(f"{name}/{generation}".encode().ljust(32, b"\0")[:32]).decode()


def build(hosts, relays, ledger=None, members=(), **network):
    inventory = parse({"prefix": PREFIX, **network}, hosts, relays)
    ledger = allocate(inventory, ledger, new_prefix=lambda: PREFIX).ledger
    keys = {name: {0: key(name)} for name in hosts}
    ledger = allocate(inventory, ledger, keys=keys, new_prefix=lambda: PREFIX).ledger
    return compute(inventory, ledger, members), ledger


@st.composite
def networks(draw, max_relays=14, max_others=6):
    hosts = {}
    count = draw(st.integers(2, max_relays))
    for number in range(1, count + 1):
        reachable = draw(st.sampled_from(ENDPOINTS)) if number > 2 else ENDPOINTS[0]
        hosts[f"r{number}.example"] = variables(number, reachable, draw(st.sampled_from(["eu", "as"])))
    relays = list(hosts)
    for number in range(101, 101 + draw(st.integers(0, max_others))):
        hosts[f"h{number}"] = variables(number, draw(st.sampled_from(ENDPOINTS)))
    anycast = [
        {"name": "dns", "address_index": 1, "origins": sorted(draw(st.sets(st.sampled_from(list(hosts)), min_size=1)))}
    ]
    topology = {
        "strategy": draw(st.sampled_from(["auto", "full", "bounded"])),
        "degree": draw(st.integers(2, 6)),
        "full_mesh_max": draw(st.integers(1, 8)),
    }
    return hosts, relays, {"anycast": anycast, "topology": topology}


def slices(plan):
    return {name: plan.slice(name) for name in plan.names}


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def address_of(endpoint):
    return endpoint.rsplit(":", 1)[0].strip("[]")


@given(networks())
@settings(max_examples=60, deadline=None)
def test_no_two_hosts_share_anything(network):
    hosts, relays, rest = network
    found = slices(build(hosts, relays, **rest)[0])
    assert set(found) == set(hosts)
    for thing in ("id", "label", "loopback", "asn", "router_id"):
        assert len({slice_[thing] for slice_ in found.values()}) == len(hosts)
    subnets = [slice_["subnet"] for slice_ in found.values() if slice_["subnet"]]
    assert len(set(subnets)) == len(subnets) == len(relays)
    for slice_ in found.values():
        for thing in ("interface", "listen_port", "remote"):
            assert len({tunnel[thing] for tunnel in slice_["tunnels"]}) == len(slice_["tunnels"])
        assert len(set(slice_["ports"])) == len(slice_["ports"])
        assert {tunnel["listen_port"] for tunnel in slice_["tunnels"]} <= set(slice_["ports"])
        assert all(len(tunnel["interface"]) <= 15 for tunnel in slice_["tunnels"])
        assert len({session["protocol"] for session in slice_["bgp"]}) == len(slice_["bgp"])
        assert json.loads(json.dumps(slice_)) == slice_


@given(networks(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_both_ends_of_a_tunnel_agree(network, rotating):
    hosts, relays, rest = network
    plan, ledger = build(hosts, relays, **rest)
    if rotating:
        plan = rotate(hosts, relays, ledger, rest)
    found = slices(plan)
    for name, slice_ in found.items():
        for tunnel in slice_["tunnels"]:
            other = found[tunnel["neighbour"]]
            (back,) = [
                entry
                for entry in other["tunnels"]
                if (entry["neighbour"], entry["generation"]) == (name, tunnel["generation"])
            ]
            assert slice_["relay"] or other["relay"]
            assert (tunnel["local"], tunnel["remote"]) == (back["remote"], back["local"])
            assert (tunnel["psk_label"], tunnel["psk_epoch"]) == (back["psk_label"], back["psk_epoch"])
            assert tunnel["public_key"] == key(tunnel["neighbour"], tunnel["generation"])
            assert not tunnel["pending"]
            assert tunnel["endpoint"] or back["endpoint"]
            ends = [end for end in (tunnel["endpoint"], back["endpoint"]) if end]
            assert len({":" in address_of(end) for end in ends}) == 1
            if tunnel["endpoint"]:
                assert port_of(tunnel["endpoint"]) == back["listen_port"]
                assert address_of(tunnel["endpoint"]) in hosts[tunnel["neighbour"]]["endpoints"]
            assert tunnel["keepalive"] == (0 if hosts[name].get("endpoints") else 25)
            assert tunnel["interface"] == f"an{tunnel['generation'] % 2}-{other['label']}"
            # What one end sends is what the other takes: its own addresses at the least.
            allowed = [ipaddress.IPv6Network(entry) for entry in tunnel["allowed_ips"]]
            for address in (other["loopback"], back["local"]):
                assert any(ipaddress.IPv6Address(address) in entry for entry in allowed)
            assert tunnel["allowed_ips"] == sorted(tunnel["allowed_ips"])


def rotate(hosts, relays, ledger, rest):
    """Let every tunnel have the next generation beside the one it has."""
    records = {
        name: replace(
            record,
            keys={0: key(name), 1: key(name, 1)},
            tunnels=dict.fromkeys(record.tunnels, (0, 1)),
        )
        for name, record in ledger.hosts.items()
    }
    return compute(parse({"prefix": PREFIX, **rest}, hosts, relays), replace(ledger, generation=1, hosts=records))


def test_two_generations_are_two_tunnels():
    hosts = {f"r{number}": variables(number, ("ipv4",)) for number in (1, 2)}
    _, ledger = build(hosts, list(hosts))
    slice_ = rotate(hosts, list(hosts), ledger, {}).slice("r1")
    assert [tunnel["interface"] for tunnel in slice_["tunnels"]] == ["an0-r2", "an1-r2"]
    assert [tunnel["listen_port"] for tunnel in slice_["tunnels"]] == [10004, 10005]
    assert [tunnel["endpoint"] for tunnel in slice_["tunnels"]] == ["192.0.2.2:10002", "192.0.2.2:10003"]
    assert [tunnel["public_key"] for tunnel in slice_["tunnels"]] == [key("r2"), key("r2", 1)]
    old, new = slice_["bgp"]
    assert (old["protocol"], new["protocol"]) == ("an0_r2", "an1_r2")
    assert old["rank"] == new["rank"] + 1
    assert slice_["ports"] == [10004, 10005]
    assert slice_["generations"] == [0, 1]


@given(networks(), st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_who_joins_or_leaves_changes_its_neighbours_alone(network, endpoints, relay):
    hosts, relays, rest = network
    rest["topology"]["strategy"] = "auto"
    rest["anycast"] = []
    plan, ledger = build(hosts, relays, **rest)
    before = slices(plan)
    more = {**hosts, "a-new-one": variables(99, ENDPOINTS[endpoints])}
    plan, after = build(more, [*relays, "a-new-one"] if relay else relays, ledger, **rest)
    now = slices(plan)
    neighbours = {tunnel["neighbour"] for tunnel in now["a-new-one"]["tunnels"]}
    assert neighbours
    # The first relay of a region takes in the region's hosts, and each of them leaves another relay for it.
    given_up = {
        other for name in set(hosts) - set(relays) for other in tunnels_of(before[name]) - tunnels_of(now[name])
    }
    assert relay or not given_up
    assert {name for name in before if before[name] != now[name]} == neighbours | given_up

    plan, _ = build(hosts, relays, leave(after, "a-new-one"), **rest)
    again = slices(plan)
    mended = {name for name in again if tunnels_of(again[name]) - tunnels_of(now[name])}
    assert {name for name in again if again[name] != now[name]} == neighbours | mended


def tunnels_of(slice_):
    return {tunnel["neighbour"] for tunnel in slice_["tunnels"]}


@given(networks(), st.data())
@settings(max_examples=40, deadline=None)
def test_absence_keeps_tunnels(network, data):
    hosts, relays, rest = network
    rest["anycast"] = []
    plan, ledger = build(hosts, relays, **rest)
    before = slices(plan)
    gone = data.draw(st.sampled_from(sorted(set(hosts) - set(relays[:2])) or [None]))
    if gone is None:
        return
    fewer = {name: values for name, values in hosts.items() if name != gone}
    plan, after = build(fewer, [name for name in relays if name != gone], ledger, **rest)
    assert after == ledger
    for name, slice_ in slices(plan).items():
        tunnels = {tunnel["neighbour"]: tunnel for tunnel in slice_["tunnels"]}
        assert set(tunnels) == {tunnel["neighbour"] for tunnel in before[name]["tunnels"]}
        assert slice_["absent"] == ([gone] if gone in tunnels else [])
        if gone in tunnels:
            assert tunnels[gone]["endpoint"] is None
            assert tunnels[gone]["public_key"] == key(gone)


def three():
    hosts = {f"r{number}": variables(number, ("ipv4", "ipv6")) for number in (1, 2)}
    return {**hosts, "pi": {}}, ["r1", "r2"]


def test_a_tunnel_waits_for_both_keys():
    hosts, relays = three()
    inventory = parse({"prefix": PREFIX}, hosts, relays)
    ledger = allocate(inventory, None, keys={"r1": {0: key("r1")}}, new_prefix=lambda: PREFIX).ledger
    plan = compute(inventory, ledger)
    one, other, pi = (plan.slice(name) for name in ("r1", "r2", "pi"))
    assert (one["pending"], other["pending"], pi["pending"]) == (["pi", "r2"], ["pi", "r1"], ["r1", "r2"])
    assert one["bgp"] == other["bgp"] == []
    assert other["tunnels"][0]["public_key"] == key("r1")
    assert one["tunnels"][0]["public_key"] is None


def test_the_three_kinds_of_sessions_and_what_each_may_send():
    hosts, relays = three()
    anycast = [{"name": "dns", "address_index": 53, "origins": ["pi", "r1"]}]
    plan, _ = build(hosts, relays, anycast=anycast)
    relay, pi = plan.slice("r1"), plan.slice("pi")
    assert {session["neighbour"]: session["kind"] for session in relay["bgp"]} == {"r2": "relay", "pi": "leaf"}
    assert {session["kind"] for session in pi["bgp"]} == {"uplink"}
    assert relay["bgp"][0]["remote_asn"] == 4_200_000_002
    allowed = {tunnel["neighbour"]: tunnel["allowed_ips"] for tunnel in relay["tunnels"]}
    assert allowed["r2"] == ["fd00::/8", "fe80::/64"]
    assert allowed["pi"] == ["fd12:3456:789a::2:35/128", "fd12:3456:789a::3/128", "fe80::3/128"]
    assert pi["tunnels"][0]["allowed_ips"] == ["fd00::/8", "fe80::/64"]
    assert pi["prefixes"]["originated"] == ["fd12:3456:789a::3/128"]
    assert relay["prefixes"]["originated"] == ["fd12:3456:789a::1/128", "fd12:3456:789a:1::/64"]
    assert relay["anycast"] == [
        {"name": "dns", "address": "fd12:3456:789a::2:35", "origins": [4200000001, 4200000003], "here": True}
    ]
    assert not plan.slice("r2")["anycast"][0]["here"]


def test_endpoints_are_of_one_family_and_six_goes_first():
    hosts = {
        "both": variables(1, ("ipv4", "ipv6")),
        "four": variables(2, ("ipv4",)),
        "half": {"endpoints": ["192.0.2.3"], "families": ["ipv4", "ipv6"]},
    }
    plan, _ = build({**hosts, "two": variables(4, ("ipv4", "ipv6"))}, [*hosts, "two"])
    to = {tunnel["neighbour"]: tunnel["endpoint"] for tunnel in plan.slice("both")["tunnels"]}
    assert to == {"four": "192.0.2.2:10002", "half": "192.0.2.3:10002", "two": "[2001:db8::4]:10002"}
    assert plan.slice("half")["tunnels"][0]["endpoint"] == "192.0.2.1:10006"


def test_fc00_widens_what_relays_take():
    hosts, relays = three()
    plan, _ = build(hosts, relays, allow_fc00=True)
    assert plan.slice("r1")["tunnels"][0]["allowed_ips"] == ["fc00::/7", "fe80::/64"]


def test_members_prefixes_are_their_hosts_alone():
    hosts, relays = three()
    members = [MemberPrefix("fd12:3456:789a:4100::/56", 4_200_020_000, "r1"), MemberPrefix("fd99::/48", 1, "r1")]
    plan, _ = build(hosts, relays, members=members)
    assert plan.slice("r1")["prefixes"]["members"] == [
        {"prefix": "fd12:3456:789a:4100::/56", "origin_asn": 4_200_020_000},
        {"prefix": "fd99::/48", "origin_asn": 1},
    ]
    assert plan.slice("r2")["prefixes"]["members"] == []


def test_hosts_that_the_ledger_does_not_know_are_not_in_the_plan():
    hosts, relays = three()
    _, ledger = build(hosts, relays)
    more = {**hosts, "new": variables(9, ("ipv4",))}
    plan = compute(parse({"prefix": PREFIX}, more, relays), leave(ledger, "pi"))
    assert plan.names == ("r1", "r2")
    for name in ("new", "pi", "stranger"):
        with pytest.raises(InventoryError, match="has no slice"):
            plan.slice(name)


def test_a_drained_host_says_so_and_keeps_its_tunnels():
    hosts, relays = three()
    plan, ledger = build(hosts, relays)
    records = {**ledger.hosts, "r1": replace(ledger.hosts["r1"], drained=True)}
    drained = compute(parse({"prefix": PREFIX}, hosts, relays), replace(ledger, hosts=records))
    assert drained.slice("r1") == {**plan.slice("r1"), "drained": True}
    assert drained.slice("r2") == plan.slice("r2")
