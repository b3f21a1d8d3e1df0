"""What an operator writes: good inventories are read, wrong ones are refused with words that help."""

from __future__ import annotations

import pytest

from altnet.errors import InventoryError
from altnet.inventory import Anycast, Host, Topology, parse


def at(number):
    """A relay that everybody can reach over IPv4."""
    return {"endpoints": [f"192.0.2.{number}"]}


RELAYS = {"fra": at(1), "nyc": at(2), "sin": at(3)}


def problems(network, hosts, relays):
    with pytest.raises(InventoryError) as caught:
        parse(network, hosts, relays)
    return [str(problem) for problem in caught.value.problems]


def test_what_is_left_out_has_the_documented_default():
    inventory = parse({}, {**RELAYS, "pi": {}}, RELAYS)
    assert inventory.topology == Topology("auto", 6, 8, (), (), 2)
    assert (inventory.prefix, inventory.allow_fc00, inventory.asn_base) == (None, False, 4_200_000_000)
    assert inventory.hosts["fra"] == Host(
        "fra", relay=True, endpoints=("192.0.2.1",), families=frozenset({"ipv4"}), nat=False
    )
    assert inventory.hosts["pi"] == Host("pi", nat=True, families=frozenset({"ipv4"}))


def test_everything_an_operator_can_say():
    network = {
        "altnet_prefix": "FD12:3456:789A::/48",
        "altnet_asn_base": 4_200_010_000,
        "altnet_allow_fc00": True,
        "altnet_topology": {"strategy": "hub", "hubs": ["nyc"], "degree": 4, "full_mesh_max": 3, "attach": 1},
        "altnet_anycast": [{"name": "dns", "address_index": 53, "origins": ["fra", "pi"]}],
        "altnet_master_secret": "is not read here",
    }
    hosts = {
        "fra": {"altnet_endpoints": ["2001:DB8:0::1", "192.0.2.1"], "altnet_region": "eu-1"},
        "nyc": {"altnet_endpoints": ["192.0.2.2"], "altnet_families": ["ipv6", "ipv4"]},
        "pi": {"altnet_nat": True, "altnet_attach": ["fra"], "altnet_families": ["ipv6"]},
    }
    inventory = parse(network, hosts, ["nyc", "fra"])
    assert inventory.prefix == "fd12:3456:789a::/48"
    assert inventory.topology == Topology("hub", 4, 3, ("nyc",), (), 1)
    assert inventory.anycast == (Anycast("dns", 53, ("fra", "pi")),)
    assert inventory.hosts["fra"].endpoints == ("192.0.2.1", "2001:db8::1")
    assert inventory.hosts["fra"].region == "eu-1"
    assert inventory.hosts["nyc"].reachable == {"ipv4"}
    assert inventory.hosts["pi"].attach == ("fra",)


HOST_PROBLEMS = [
    ({"endpoints": "192.0.2.9"}, "altnet_endpoints: is text ('192.0.2.9'), not a list"),
    ({"endpoints": [5]}, "altnet_endpoints[0]: is a number (5), not a text"),
    ({"endpoints": ["fra.example.net"]}, "altnet_endpoints[0]: 'fra.example.net' is not an IP address"),
    ({"endpoints": ["192.0.2.9:51820"]}, "without a port"),
    ({"endpoints": ["192.0.2.0/24"]}, "is not an IP address"),
    ({"endpoints": ["127.0.0.1"]}, "127.0.0.1 is a loopback address"),
    ({"endpoints": ["::1"]}, "::1 is a loopback address"),
    ({"endpoints": ["fe80::1"]}, "fe80::1 is a link-local address"),
    ({"endpoints": ["fe80::1%eth0"]}, "is an address with a zone"),
    ({"endpoints": ["169.254.3.4"]}, "is a link-local address"),
    ({"endpoints": ["0.0.0.0"]}, "is the unspecified address"),
    ({"endpoints": ["ff02::1"]}, "is a multicast address"),
    ({"endpoints": ["255.255.255.255"]}, "is a reserved address"),
    ({"endpoints": ["::ffff:192.0.2.9"]}, "an IPv4 address in IPv6's clothes"),
    ({"endpoints": ["192.0.2.9", "192.0.2.10"]}, "192.0.2.10 is the second IPv4 address beside 192.0.2.9"),
    ({"endpoints": ["192.0.2.9", "192.0.2.9"]}, "altnet_endpoints[1]: 192.0.2.9 is there twice"),
    ({"endpoints": ["192.0.2.1"]}, "192.0.2.1 is the endpoint of fra too"),
    ({"endpoints": ["192.0.2.9", "fd12:3456:789a::1"]}, "is in the network's own prefix fd12:3456:789a::/48"),
    ({"endpoints": ["192.0.2.9"], "nat": True}, "altnet_nat: is true, and the host has endpoints"),
    ({"nat": "yes"}, "altnet_nat: is text ('yes'), not true or false"),
    ({"nat": None}, "altnet_nat: is empty, not true or false"),
    ({"families": ["ipv5"]}, "altnet_families[0]: 'ipv5' is no address family. Remedy: use ipv4 and ipv6"),
    ({"families": []}, "altnet_families: is empty"),
    ({"families": "ipv4"}, "altnet_families: is text ('ipv4'), not a list"),
    ({"endpoints": ["192.0.2.9"], "families": ["ipv6"]}, "altnet_families: leaves out ipv4"),
    ({"families": ["ipv6"]}, "has ipv6, and no relay has an address family in common"),
    ({"region": 7}, "altnet_region: is a number (7), not a text"),
    ({"region": "a b"}, "altnet_region: is 'a b'"),
    ({"attach": ["fra", "fra"]}, "altnet_attach[1]: fra is there twice"),
    ({"attach": ["fre"]}, "altnet_attach[0]: fre is no host of the inventory. Remedy: did you mean fra"),
    ({"attach": ["x"]}, "altnet_attach[0]: x is no relay"),
    ({"endpoint": ["192.0.2.9"]}, "altnet_endpoint: is no variable of ours. Remedy: did you mean endpoints"),
]


@pytest.mark.parametrize(("variables", "words"), HOST_PROBLEMS)
def test_what_is_wrong_with_a_host(variables, words):
    found = problems({"prefix": "fd12:3456:789a::/48"}, {**RELAYS, "x": variables}, RELAYS)
    assert any(line.startswith("host x: ") and words in line for line in found), found
    assert len(found) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a_b", "is no host name as RFC 1123 defines it"),
        ("-a", "is no host name"),
        ("a..b", "is no host name"),
        ("ü", "is no host name"),
        ("a" * 64, "is no host name"),
        ("198.51.100.7", "looks like an address"),
        ("FRA", "differ in nothing but capitals"),
    ],
)
def test_names_that_are_none(name, words):
    assert any(words in line for line in problems({}, {**RELAYS, name: {}}, RELAYS))


NETWORK_PROBLEMS = [
    ({"prefix": 5}, "altnet_prefix: is a number (5), not a prefix"),
    ({"prefix": "2001:db8::/48"}, "altnet_prefix: '2001:db8::/48' is outside fd00::/8"),
    ({"prefix": "fc00::/48"}, "set altnet_allow_fc00 to true"),
    ({"allow_fc00": 1}, "altnet_allow_fc00: is a number (1), not true or false"),
    ({"asn_base": "64512"}, "altnet_asn_base: is text ('64512'), not a whole number"),
    ({"asn_base": 64512}, "altnet_asn_base: is 64512. Remedy: use a number from 4200000000 to 4294955911"),
    ({"topology": []}, "altnet_topology: is a list, not a mapping"),
    (
        {"topology": {"stratgy": "full"}},
        "altnet_topology.stratgy: is no setting of ours. Remedy: did you mean strategy",
    ),
    ({"topology": {"strategy": "mesh"}}, "is 'mesh'. Remedy: use one of: auto, full, bounded, hub, explicit"),
    ({"topology": {"degree": 1}}, "altnet_topology.degree: is 1. Remedy: use a number from 2 on"),
    ({"topology": {"degree": True}}, "altnet_topology.degree: is true or false (True), not a whole number"),
    ({"topology": {"attach": 0}}, "altnet_topology.attach: is 0"),
    ({"topology": {"strategy": "hub"}}, "altnet_topology.hubs: is empty, and the strategy is hub"),
    ({"topology": {"strategy": "hub", "hubs": ["pi"]}}, "altnet_topology.hubs: pi is no relay"),
    ({"topology": {"strategy": "hub", "hubs": ["frq"]}}, "frq is no host of the inventory. Remedy: did you mean fra"),
    ({"topology": {"hubs": ["fra"]}}, "is set, and the strategy auto does not read it"),
    ({"topology": {"links": [["fra", "nyc"]]}}, "altnet_topology.links: is set, and the strategy auto"),
    ({"anycast": {"name": "dns"}}, "altnet_anycast: is a mapping, not a list"),
    ({"anycast": ["dns"]}, "altnet_anycast[0]: is text ('dns'), not a mapping"),
    ({"anycast": [{"name": "DNS!", "address_index": 1, "origins": ["fra"]}]}, "altnet_anycast[0].name: is 'DNS!'"),
    ({"anycast": [{"name": "dns", "address_index": 0, "origins": ["fra"]}]}, "use a number from 1 to 65535"),
    ({"anycast": [{"name": "dns", "address_index": 1, "origins": []}]}, "names no host"),
    ({"anycast": [{"name": "dns", "address_index": 1, "origins": ["fry"]}]}, "did you mean fra"),
    (
        {"anycast": [{"name": "dns", "adress_index": 1, "address_index": 1, "origins": ["fra"]}]},
        "did you mean address_index",
    ),
    ({"topologie": {}}, "altnet_topologie: is no variable of ours. Remedy: did you mean topology"),
]


@pytest.mark.parametrize(("network", "words"), NETWORK_PROBLEMS)
def test_what_is_wrong_with_a_network(network, words):
    found = problems(network, {**RELAYS, "pi": {}}, RELAYS)
    assert any(words in line and line.startswith("the network: ") for line in found), found


def test_two_services_share_neither_name_nor_number():
    entry = {"name": "dns", "address_index": 1, "origins": ["fra"]}
    found = problems({"anycast": [entry, entry]}, RELAYS, RELAYS)
    assert sum("there more than once" in line for line in found) == 4


LINK_PROBLEMS = [
    ([["fra"]], "is not a pair of host names"),
    ([["fra", "fra"]], "links fra with itself"),
    ([["fra", "nyc"], ["nyc", "fra"]], "nyc and fra are there twice"),
    ([["fra", "x"]], "x is no host of the inventory"),
    ([["fra", "pi"]], "pi is no relay"),
    ([["nat1", "nat2"]], "nat1 and nat2 are both behind NAT"),
    ([["fra", "six"]], "fra has ipv4 and six has ipv6: no address family in common"),
    ([["fra", "nyc"]], "falls into 6 parts without a tunnel between them"),
]


@pytest.mark.parametrize(("links", "words"), LINK_PROBLEMS)
def test_what_is_wrong_with_explicit_links(links, words):
    relays = {
        **RELAYS,
        "nat1": {"nat": True},
        "nat2": {"nat": True},
        "six": {"endpoints": ["2001:db8::6"]},
        "both": {"endpoints": ["192.0.2.8", "2001:db8::8"]},
    }
    found = problems({"topology": {"strategy": "explicit", "links": links}}, {**relays, "pi": {}}, relays)
    assert any(words in line for line in found), found


def test_a_hub_that_not_every_relay_can_reach():
    relays = {**RELAYS, "six": {"endpoints": ["2001:db8::6"]}, "both": {"endpoints": ["192.0.2.8", "2001:db8::8"]}}
    found = problems({"topology": {"strategy": "hub", "hubs": ["fra"]}}, relays, relays)
    assert any("altnet_topology.hubs: falls into 2 parts" in line for line in found), found
    assert parse({"topology": {"strategy": "hub", "hubs": ["fra", "both"]}}, relays, relays)


def test_explicit_links_that_hang_together_are_taken():
    topology = {"strategy": "explicit", "links": [["fra", "nyc"], ["nyc", "sin"]]}
    assert parse({"topology": topology}, RELAYS, RELAYS).topology.links == (("fra", "nyc"), ("nyc", "sin"))


def test_groups_that_name_nobody():
    assert any("names no host, and without a relay" in line for line in problems({}, {"a": at(1)}, []))
    assert any("inventory: names no host" in line for line in problems({}, {}, []))
    assert any("is in the group but is no host" in line for line in problems({}, RELAYS, [*RELAYS, "gone"]))


def test_a_relay_must_be_reachable_or_say_that_it_is_not():
    found = problems({}, {**RELAYS, "x": {}}, [*RELAYS, "x"])
    assert found == [
        (
            "host x: altnet_endpoints: is empty, and the host is a relay, which others must be able to reach. "
            "Remedy: give its addresses on the internet, or set altnet_nat to true if it has none of its own."
        )
    ]
    assert parse({}, {**RELAYS, "x": {"nat": True}}, [*RELAYS, "x"]).hosts["x"].nat


def test_a_relay_does_not_attach():
    found = problems({}, {**RELAYS, "x": {**at(9), "attach": ["fra"]}}, [*RELAYS, "x"])
    assert "altnet_attach: is set on a relay" in found[0]


def test_a_host_whose_relays_are_all_behind_nat_as_it_is():
    hosts = {"a": {"nat": True, "families": ["ipv4"]}, "b": {"endpoints": ["2001:db8::1"]}, "pi": {}}
    hosts["c"] = {"endpoints": ["192.0.2.1", "2001:db8::2"]}
    assert parse({}, hosts, ["a", "b", "c"])
    del hosts["c"]
    found = problems({}, hosts, ["a", "b"])
    assert any("host pi: altnet_nat: the host is behind NAT, and so is every relay" in line for line in found)
    assert any("host a: altnet_families: a relay has ipv4, and no relay" in line for line in found)


def test_relays_that_are_all_behind_nat():
    found = problems({}, {"a": {"nat": True}, "b": {"nat": True}}, ["a", "b"])
    assert len([line for line in found if "nobody can begin" in line]) == 2


def test_a_family_without_an_endpoint_in_it_is_no_way_in():
    hosts = {"a": {**at(1), "families": ["ipv4", "ipv6"]}, "b": {"nat": True, "families": ["ipv6"]}, "c": at(3)}
    found = problems({}, hosts, ["a", "b", "c"])
    assert any("can reach no relay and no relay can reach it" in line for line in found), found


def test_relays_in_two_worlds():
    four = {"a": at(1), "b": at(2)}
    six = {"c": {"endpoints": ["2001:db8::3"]}, "d": {"endpoints": ["2001:db8::4"]}}
    found = problems({}, {**four, **six}, ["a", "b", "c", "d"])
    assert found == [
        (
            "the network: group relays: falls into 2 parts without a tunnel between them: a, b | c, d. "
            "Remedy: add a relay with endpoints of both families."
        )
    ]
    bridge = {"e": {"endpoints": ["192.0.2.5", "2001:db8::5"]}}
    assert parse({}, {**four, **six, **bridge}, ["a", "b", "c", "d", "e"])


def test_one_relay_alone_is_a_network():
    assert parse({}, {"a": at(1)}, ["a"])


def test_all_problems_are_found_at_once():
    hosts = {**RELAYS, **{f"x{number}": variables for number, (variables, _) in enumerate(HOST_PROBLEMS)}}
    found = problems({"asn_base": 1}, hosts, RELAYS)
    assert len({line.split(":")[0] for line in found}) >= len(HOST_PROBLEMS)
