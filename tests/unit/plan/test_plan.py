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
from altnet.inventory import parse, without
from altnet.ledger import Epoch
from altnet.plan import MemberPrefix, compute
from altnet.quarantine import quarantine

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


def build(hosts, relays, ledger=None, members=(), groups=(), **network):
    inventory = parse({"prefix": PREFIX, **network}, hosts, relays, **dict(groups))
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


NAMES = {"authoritative": ["pi", "tau"], "resolvers": ["r1", "r3"]}


def named(groups=None, **changes):
    hosts = {f"r{number}": variables(number, ("ipv4",)) for number in (1, 2, 3)} | {"pi": {}, "tau": {}, "phi": {}}
    hosts["phi"] = {"attach": ["r2", "r3"]}
    return build(hosts, ["r1", "r2", "r3"], groups=NAMES if groups is None else groups, **changes)


def test_what_hosts_have_to_know_of_names():
    plan, ledger = named(tlds=["alt", "neo"])
    found = {name: slice_["dns"] for name, slice_ in slices(plan).items()}
    address = {name: plan.slice(name)["loopback"] for name in plan.names}
    assert {name: (part["role"], part["resolver"]) for name, part in found.items()} == {
        "r1": ("secondary", True), "r2": (None, False), "r3": ("secondary", True),
        "pi": ("primary", False), "tau": ("secondary", False), "phi": (None, False),
    }  # fmt: skip
    assert found["pi"]["secondaries"] == [{"name": name, "address": address[name]} for name in ("r1", "r3", "tau")]
    assert all(part["secondaries"] == [] for name, part in found.items() if name != "pi")
    assert {part["primary"] for part in found.values()} == {address["pi"]}
    assert found["phi"]["near"] == [address["r3"], address["r1"]], "a neighbour before others"
    assert found["r1"]["near"] == [address["r3"]], "itself it need not ask"
    assert found["phi"]["time_servers"] == [address["r2"], address["r3"]]
    assert found["r1"]["time_servers"] == [address["r2"], address["r3"]]
    reverse = "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"
    for part in found.values():
        assert (part["tlds"], part["reverse"]) == (["alt", "neo"], reverse)
        assert part["zones_anchored"] == ["alt", "neo", reverse]
        assert part["resolver_anycast"] == "fd12:3456:789a::2:53"
        assert part["nameserver_anycast"] == "fd12:3456:789a::2:54"
        assert part["anchors"] == {}, "none is on record without the master secret"
    assert ledger.dns_primary == "pi"
    services = {entry["name"]: entry for entry in plan.slice("r1")["anycast"]}
    assert services["resolver"]["origins"] == services["nameserver"]["origins"] == [4200000001, 4200000003]
    assert json.loads(json.dumps(found)) == found


def test_anchors_are_what_the_ledger_has():
    plan, ledger = named()
    ds = [f"{number} 13 2 {'ab' * 32}" for number in (1, 2)]
    keys = {0: Epoch("retired", ds[0]), 1: Epoch("active", ds[1], 5)}
    plan = compute(plan._inventory, replace(ledger, dnssec={"alt": keys, "gone": {0: Epoch("active", ds[0])}}))
    assert plan.slice("phi")["dns"]["anchors"] == {"alt": ds}


def test_no_names_layer():
    plan, ledger = named({})
    part = plan.slice("r1")["dns"]
    assert (part["role"], part["resolver"], part["primary"], part["near"], part["anchors"]) == (
        None,
        False,
        None,
        [],
        {},
    )
    assert (part["resolver_anycast"], part["nameserver_anycast"], part["zones_anchored"]) == (None, None, [])
    assert part["tlds"] == ["alt"]
    assert plan.slice("r1")["anycast"] == []
    assert ledger.dns_primary is None


@pytest.mark.parametrize("out", ["quarantined", "left"])
def test_who_is_out_serves_no_names(out):
    plan, ledger = named()
    inventory = plan._inventory
    for name in ("pi", "r1"):
        ledger = quarantine(ledger, name) if out == "quarantined" else leave(ledger, name)
    assert ledger.dns_primary == (None if out == "left" else "pi")
    if out == "left":
        inventory = without(inventory, ["pi", "r1"])
    plan = compute(inventory, ledger)
    assert plan.slice("tau")["dns"]["role"] == "primary"
    assert [entry["name"] for entry in plan.slice("tau")["dns"]["secondaries"]] == ["r3"]
    assert plan.slice("r2")["dns"]["near"] == ["fd12:3456:789a::3"]
    assert {tuple(entry["origins"]) for entry in plan.slice("r2")["anycast"]} == {(4200000003,)}
    # The next run writes down that it moved, and a host that comes back does not take it back.
    after = allocate(inventory, ledger, new_prefix=lambda: PREFIX)
    assert after.ledger.dns_primary == "tau"
    assert "host tau: is the primary of the zones" in after.changes


def test_without_any_primary_the_others_go_on():
    plan, ledger = named()
    before = plan.slice("r1")["dns"]
    shut = quarantine(quarantine(ledger, "pi"), "tau")
    after = compute(plan._inventory, shut).slice("r1")["dns"]
    assert after == {**before, "primary": None, "primary_name": None}
    assert (after["role"], after["resolver"]) == ("secondary", True)


def test_the_primary_stays_where_it_is():
    plan, ledger = named()
    moved = replace(ledger, dns_primary="tau")
    assert compute(plan._inventory, moved).slice("tau")["dns"]["role"] == "primary"
    assert named({**NAMES, "authoritative": ["tau", "pi"]}, ledger=ledger)[1].dns_primary == "pi"
    assert named({**NAMES, "authoritative": ["tau"]}, ledger=ledger)[1].dns_primary == "tau"


def test_a_primary_that_resolves_too():
    part = named({"authoritative": ["r1"], "resolvers": ["r1", "r2"]})[0].slice("r1")["dns"]
    assert (part["role"], part["resolver"]) == ("primary", True)
    assert [entry["name"] for entry in part["secondaries"]] == ["r2"]


def test_the_primary_knows_the_children_that_decide_on_their_ds():
    records = [{"name": "lab", "type": "NS", "values": ["ns.neo."], "cds": True}]
    plan, _ = named(zones=[{"name": "shop.alt", "records": records}])
    assert plan.slice("pi")["dns"]["children"] == [{"name": "lab.shop.alt.", "zone": "shop.alt."}]
    assert plan.slice("tau")["dns"]["children"] == []
