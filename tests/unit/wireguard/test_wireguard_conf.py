"""Desired tunnels, their configurations, endpoints and addresses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wireguard_fakes import entry, key

from altnet.wireguard import check, conf, endpoint
from altnet.wireguard.errors import WireguardError
from altnet.wireguard.keyfile import clamp, is_key
from altnet.wireguard.model import Paths, Tunnel

ADDRESSES = st.ip_addresses()


def tunnel(**changed: Any) -> Tunnel:
    return check.tunnels([entry(**changed)], 1420)[0]


def test_the_configuration_of_a_tunnel() -> None:
    text = conf.render(tunnel(keepalive=25), 1412, Paths())
    assert text.splitlines()[1:] == [
        "[Interface]",
        "Address = fe80::1/64",
        "ListenPort = 10004",
        "MTU = 1412",
        "Table = off",
        "PostUp = wg set %i private-key /etc/altnet/wireguard/0.key",
        "",
        "[Peer]",
        f"PublicKey = {key('public fra')}",
        f"PresharedKey = {key('pair fra')}",
        "AllowedIPs = fd00::/8, fe80::/64",
        "Endpoint = 192.0.2.2:10002",
        "PersistentKeepalive = 25",
    ]


@given(address=st.none() | ADDRESSES, port=st.integers(1, 65535), keepalive=st.integers(0, 65535))
def test_round_trip(address: Any, port: int, keepalive: int) -> None:
    where = None
    if address is not None:
        where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    made = tunnel(endpoint=where, keepalive=keepalive)
    text = conf.render(made, 1420, Paths())
    assert conf.recorded_endpoint(text) == made.endpoint == where
    found = {(section, word): value for section, word, value in conf.settings(text)}
    assert int(found.get(("peer", "persistentkeepalive"), "0")) == keepalive
    assert conf.differing(text, text) == "comments"


def test_differing_names_settings_and_no_values() -> None:
    one, other = (conf.render(tunnel(preshared_key=key(psk)), 1420, Paths()) for psk in "ab")
    assert conf.differing(one, other) == "presharedkey"
    assert conf.differing("garbage", one).startswith("address, allowedips, endpoint")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.0.2.2:1", "192.0.2.2:1"),
        ("[2001:DB8:0::2]:10002", "[2001:db8::2]:10002"),
        ("[fe80::1%eth0]:7", "[fe80::1%eth0]:7"),
    ],
)
def test_endpoint(given: str, expected: str) -> None:
    assert endpoint.endpoint(given) == expected


@pytest.mark.parametrize("given", ["", "host:1", "192.0.2.2", "192.0.2.2:0", "192.0.2.2:65536", "2001:db8::1:5"])
def test_no_endpoint(given: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message will do: the caller names the variable
        endpoint.endpoint(given)


@pytest.mark.parametrize(
    ("address", "automatic"),
    [
        ("fe80::1/64", False),
        ("fe80::2c77/64", False),
        ("fe80::bd2a:3f3e:a0b4:7b2/64", True),
        ("fd00::bd2a:3f3e:a0b4:7b2/64", False),
        ("169.254.9.9/16", False),
    ],
)
def test_addresses_that_the_kernel_made(address: str, automatic: bool) -> None:
    assert endpoint.is_automatic(address) is automatic


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"interface": "wg0"}, "wireguard_tunnels[0].interface: 'wg0' is not"),
        ({"interface": "an0-much-too-long-a-name"}, "wireguard_tunnels[0].interface"),
        ({"neighbour": "a\nPostUp = x"}, "wireguard_tunnels[0].neighbour"),
        ({"listen_port": 0}, "wireguard_tunnels[0].listen_port"),
        ({"keepalive": 65536}, "wireguard_tunnels[0].keepalive"),
        ({"generation": -1}, "wireguard_tunnels[0].generation"),
        ({"public_key": "(to be made on fra)"}, "wireguard_tunnels[0].public_key"),
        ({"preshared_key": "secret"}, "wireguard_tunnels[0].preshared_key: it is not"),
        ({"local": "fd00::1"}, "wireguard_tunnels[0].local"),
        ({"local": "x"}, "wireguard_tunnels[0].local"),
        ({"endpoint": "fra.example:1"}, "wireguard_tunnels[0].endpoint"),
        ({"allowed_ips": ["fd00::/8", "all"]}, "wireguard_tunnels[0].allowed_ips[1]"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(WireguardError) as caught:
        tunnel(**changed)
    assert expected in str(caught.value)
    assert "secret" not in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(WireguardError) as caught:
        check.tunnels([entry(listen_port=0, local=""), entry(), entry()], 1500000)
    variables = [problem.variable for problem in caught.value.problems]
    assert variables == [
        "wireguard_mtu",
        "wireguard_tunnels[0].listen_port",
        "wireguard_tunnels[0].local",
        "wireguard_tunnels: an0-fra",
    ]


@pytest.mark.parametrize(("mtu", "good"), [(1279, False), (1280, True), (8920, True), (8921, False)])
def test_mtu(mtu: int, good: bool) -> None:
    assert (not check.check_mtu(mtu)) is good


@given(st.binary(min_size=32, max_size=32))
def test_clamped_keys_are_keys(raw: bytes) -> None:
    assert is_key(clamp(raw))


@pytest.mark.parametrize("text", ["", "x", "A" * 43 + "=", key("a")[:-2] + "B=", key("a") + "\n", "é"])
def test_no_key(text: str) -> None:
    assert not is_key(text)
