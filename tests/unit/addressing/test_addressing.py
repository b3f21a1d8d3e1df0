"""Addresses, ports, numbers and zones are arithmetic: their edges, their round trips, their published vectors."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet import addressing
from altnet.addressing import MAX_HOST_ID, RANGES, parse_prefix
from altnet.errors import AltnetError, CapacityError

PREFIX = parse_prefix("fd12:3456:789a::/48")
KEY = base64.b64encode(bytes(range(32))).decode()
ids = st.integers(1, MAX_HOST_ID)


@given(st.integers(0, 2**128 - 1))
def test_addresses_are_written_as_rfc_5952_says(value):
    written = addressing.format_address(value)
    assert int(ipaddress.IPv6Address(written)) == value
    if value >> 32 not in (0, 0xFFFF):  # those may end in dots
        assert written == str(ipaddress.IPv6Address(value))


@pytest.mark.parametrize(
    ("text", "allow", "canonical"),
    [
        ("fd12:3456:789a::/48", False, "fd12:3456:789a::/48"),
        ("FD12:3456:789A:0:0:0:0:0/48", False, "fd12:3456:789a::/48"),
        ("fd00::/48", False, "fd00::/48"),
        ("fc12:3456:789a::/48", True, "fc12:3456:789a::/48"),
    ],
)
def test_a_prefix_is_read_and_written_canonically(text, allow, canonical):
    prefix = parse_prefix(text, allow_fc00=allow)
    assert str(prefix) == canonical
    assert parse_prefix(canonical, allow_fc00=allow) == prefix


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not an IPv6 prefix"),
        ("fd12", "is not an IPv6 prefix"),
        ("10.0.0.0/8", "is not an IPv6 prefix"),
        ("fd12:3456:789a::/129", "is not an IPv6 prefix"),
        ("fd12:3456:789a::", "is not a /48"),
        ("fd12:3456:789a::/64", "is not a /48"),
        ("fd00::/8", "is not a /48"),
        ("fe80::1%eth0/48", "is not a /48"),
        ("fd12:3456:789a::1/48", "write fd12:3456:789a::/48"),
        ("fc12:3456:789a::/48", "altnet_allow_fc00"),
        ("2001:db8::/48", "is outside fd00::/8"),
        ("fe80::/48", "is outside fd00::/8"),
    ],
)
def test_a_wrong_prefix_is_refused_with_its_reason(text, words):
    with pytest.raises(AltnetError) as caught:
        parse_prefix(text)
    assert words in str(caught.value)
    assert caught.value.problems[0].variable == "altnet_prefix"


def test_no_bit_of_the_48_is_without_an_owner():
    subnets = [entry for entry in RANGES if entry.space == "subnet"]
    assert subnets[0].first == 0
    assert subnets[-1].last == 0xFFFF
    for before, after in pairwise(subnets):
        assert after.first == before.last + 1
    assert (addressing.MEMBER_PREFIXES.last + 1 - addressing.MEMBER_PREFIXES.first) // 256 == 191
    interfaces = [entry for entry in RANGES if entry.space == "interface"]
    for before, after in pairwise(interfaces):
        assert after.first > before.last


def test_the_layout_of_a_network():
    assert addressing.loopback(PREFIX, 1) == "fd12:3456:789a::1"
    assert addressing.loopback(PREFIX, MAX_HOST_ID) == "fd12:3456:789a::2c77"
    assert addressing.relay_subnet(PREFIX, 1) == "fd12:3456:789a:1::/64"
    assert addressing.relay_subnet(PREFIX, MAX_HOST_ID) == "fd12:3456:789a:2c77::/64"
    assert addressing.service_address(PREFIX, 1) == "fd12:3456:789a::1:1"
    assert addressing.service_address(PREFIX, 65535) == "fd12:3456:789a::1:ffff"
    assert addressing.anycast_address(PREFIX, 1) == "fd12:3456:789a::2:1"
    assert addressing.device_subnet(PREFIX) == "fd12:3456:789a:4000::/64"
    assert addressing.member_prefix(PREFIX, 0) == "fd12:3456:789a:4100::/56"
    assert addressing.member_prefix(PREFIX, 190) == "fd12:3456:789a:ff00::/56"
    assert addressing.link_local(11) == "fe80::b"
    assert addressing.router_id(MAX_HOST_ID) == "0.0.44.119"
    assert addressing.asn(4_200_000_000, 7) == 4_200_000_007
    assert [addressing.listen_port(1, g) for g in (0, 1, 2)] == [10002, 10003, 10002]
    assert addressing.listen_port(MAX_HOST_ID, 1) == 32767


@given(ids, ids)
def test_two_hosts_share_nothing(one, other):
    def things(host):
        ports = {addressing.listen_port(host, 0), addressing.listen_port(host, 1)}
        names = {
            addressing.loopback(PREFIX, host),
            addressing.relay_subnet(PREFIX, host),
            addressing.link_local(host),
            addressing.router_id(host),
            addressing.asn(addressing.DEFAULT_ASN_BASE, host),
        }
        return ports | names

    assert (one == other) or not things(one) & things(other)


@given(ids)
def test_each_address_lies_in_its_network(host):
    network = ipaddress.IPv6Network(str(PREFIX))
    assert ipaddress.IPv6Address(addressing.loopback(PREFIX, host)) in network
    subnet = ipaddress.IPv6Network(addressing.relay_subnet(PREFIX, host))
    assert subnet.subnet_of(network)
    assert ipaddress.IPv6Address(addressing.loopback(PREFIX, host)) not in subnet


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: addressing.loopback(PREFIX, MAX_HOST_ID + 1), "loopbacks: the range is used up"),
        (lambda: addressing.relay_subnet(PREFIX, MAX_HOST_ID + 1), "relay subnets: the range is used up"),
        (lambda: addressing.listen_port(MAX_HOST_ID + 1, 0), "build a second network"),
        (lambda: addressing.service_address(PREFIX, 65536), "services: the range is used up"),
        (lambda: addressing.anycast_address(PREFIX, 65536), "anycast: the range is used up"),
        (lambda: addressing.member_prefix(PREFIX, 191), "a /48 of their own"),
        (lambda: addressing.asn(4_294_967_000, 500), "RFC 6996"),
    ],
)
def test_a_range_that_is_used_up_names_itself_and_the_remedy(function, words):
    with pytest.raises(CapacityError, match=words):
        function()


@pytest.mark.parametrize(
    "function",
    [
        lambda: addressing.loopback(PREFIX, 0),
        lambda: addressing.anycast_address(PREFIX, 0),
        lambda: addressing.member_prefix(PREFIX, -1),
    ],
)
def test_numbers_that_nobody_gives_out_are_errors_of_the_caller(function):
    with pytest.raises(ValueError, match="or more"):
        function()


def test_the_prefix_algorithm_of_rfc_4193():
    eui64 = addressing.eui64_from_mac(0x00_00_5E_00_53_01)
    assert eui64 == 0x00_00_5E_FF_FE_00_53_01
    moment = addressing.ntp_time(0)
    assert moment == 2_208_988_800 << 32
    digest = hashlib.sha1(moment.to_bytes(8, "big") + eui64.to_bytes(8, "big")).hexdigest()
    prefix = addressing.prefix_from(moment, eui64)
    assert f"{prefix.network:032x}" == "fd" + digest[-10:] + "0" * 20


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_whatever_is_generated_is_a_valid_prefix(moment, eui64):
    prefix = addressing.prefix_from(moment, eui64)
    assert parse_prefix(str(prefix)) == prefix


def test_a_new_prefix_is_valid_and_new(monkeypatch):
    assert parse_prefix(addressing.generate_prefix())
    monkeypatch.setattr(addressing.uuid, "getnode", lambda: 1 << 40)  # no MAC address found
    assert addressing.generate_prefix() != addressing.generate_prefix()


def test_ntp_time_counts_fractions_and_wraps():
    assert addressing.ntp_time(500_000_000) & 0xFFFFFFFF == 0x80000000
    assert addressing.ntp_time(2_085_978_496 * 10**9) == 0


@pytest.mark.parametrize(
    ("network", "zone"),
    [
        ("fd12:3456:789a::/48", "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"),
        ("fd00::/8", "d.f.ip6.arpa"),
        ("::/0", "ip6.arpa"),
    ],
)
def test_reverse_zones(network, zone):
    assert addressing.reverse_zone(network) == zone


@given(st.integers(0, 2**128 - 1))
def test_the_reverse_name_of_an_address(value):
    address = ipaddress.IPv6Address(value)
    assert addressing.reverse_zone(str(address)) == address.reverse_pointer


@pytest.mark.parametrize(
    ("network", "words"),
    [("fd12::/47", "nibble"), ("fd12::1/48", "host bits"), ("x", "is not an IPv6 network")],
)
def test_networks_without_a_reverse_zone(network, words):
    with pytest.raises(AltnetError, match=words):
        addressing.reverse_zone(network)


def test_the_address_of_a_key_is_its_hash():
    digest = hashlib.sha256(bytes(range(32))).digest()
    address = addressing.key_address(KEY, addressing.device_subnet(PREFIX))
    assert int(ipaddress.IPv6Address(address)) & (2**64 - 1) == int.from_bytes(digest[:8], "big")
    assert address.startswith("fd12:3456:789a:4000:")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "it has 0 bytes"),
        ("!" * 44, "not base64"),
        (base64.b64encode(bytes(31)).decode(), "31 bytes"),
        ("A" * 42 + "B=", "second spelling"),
        (KEY + "\n", "not base64"),
    ],
)
def test_what_is_no_key_has_no_address(key, words):
    with pytest.raises(AltnetError, match=words):
        addressing.key_address(key, "fd00::/64")


def test_a_key_has_an_address_only_in_a_64():
    with pytest.raises(AltnetError, match="not a /64"):
        addressing.key_address(KEY, "fd00::/48")
    with pytest.raises(AltnetError, match="not an IPv6 network"):
        addressing.key_address(KEY, "x")


def test_a_key_whose_address_is_reserved_is_refused(monkeypatch):
    monkeypatch.setattr(addressing, "is_reserved_identifier", lambda _: True)
    with pytest.raises(AltnetError, match="make a new key"):
        addressing.key_address(KEY, "fd00::/64")


@pytest.mark.parametrize(
    ("identifier", "reserved"),
    [
        (0, True),
        (1, False),
        (0xFDFF_FFFF_FFFF_FF80, True),
        (0xFDFF_FFFF_FFFF_FF7F, False),
        (0x0200_5EFF_FE00_5213, True),
    ],
)
def test_the_identifiers_that_rfc_5453_reserves(identifier, reserved):
    assert addressing.is_reserved_identifier(identifier) is reserved


@pytest.mark.parametrize(
    ("count", "chance"), [(2, 1.81e-12), (10, 4.54e-11), (100, 4.54e-9), (1000, 4.54e-7), (10000, 4.54e-5)]
)
def test_the_table_of_rfc_4193(count, chance):
    assert math.isclose(addressing.collision_probability(count, 40), chance, rel_tol=0.01)


def test_devices_do_not_meet():
    assert addressing.collision_probability(1_000_000) < 1e-7
