"""The filters check types, say whose value is wrong, and agree with the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from altnet import addressing, secrets

PLUGINS = Path(__file__).parents[3] / "filter_plugins"
MASTER = "m" * 40
KEY = "A" * 43 + "="


@pytest.fixture(scope="module")
def filters():
    spec = importlib.util.spec_from_file_location("altnet_filters", PLUGINS / "altnet.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FilterModule().filters()


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("altnet_derive", (MASTER, "a", 1), secrets.derive_base64(MASTER, "a", 1)),
        ("altnet_derive", (MASTER, "a"), secrets.derive_base64(MASTER, "a", 0)),
        ("altnet_psk", (MASTER, "wireguard/psk/1-2", 0), secrets.wireguard_psk(MASTER, "wireguard/psk/1-2", 0)),
        ("altnet_reverse_zone", ("fd00::/16",), "0.0.d.f.ip6.arpa"),
        ("altnet_link_local", (16,), "fe80::10"),
        ("altnet_loopback", (16, "fd12:3456:789a::/48"), "fd12:3456:789a::10"),
        ("altnet_key_address", (KEY, "fd00::/64"), addressing.key_address(KEY, "fd00::/64")),
    ],
)
def test_a_filter_gives_what_the_package_gives(filters, name, arguments, expected):
    assert filters[name](*arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("altnet_derive", (None, "a", 1), "the master secret must be text, got NoneType"),
        ("altnet_derive", (MASTER, 3, 1), "label must be text, got int"),
        ("altnet_derive", (MASTER, "a", "1"), "epoch must be a whole number, got str"),
        ("altnet_derive", (MASTER, "a", True), "epoch must be a whole number, got bool"),
        ("altnet_derive", (MASTER, "a", 0, 9999), "altnet_derive: HKDF-SHA256 gives 1 to 8160 bytes"),
        ("altnet_derive", ("short", "a", 0), "altnet_derive: the network: altnet_master_secret"),
        ("altnet_psk", (MASTER, "a", None), "epoch must be a whole number, got NoneType"),
        ("altnet_reverse_zone", (["fd00::/16"],), "the network must be text, got list"),
        ("altnet_reverse_zone", ("fd00::/17",), "nibble"),
        ("altnet_link_local", ("16",), "the id must be a whole number, got str"),
        ("altnet_link_local", (99999,), "used up"),
        ("altnet_loopback", (0, "fd12:3456:789a::/48"), "a host id is 1 or more"),
        ("altnet_loopback", (1, "2001:db8::/48"), "outside fd00::/8"),
        ("altnet_key_address", (KEY, 64), "subnet must be text, got int"),
        ("altnet_key_address", ("AAAA", "fd00::/64"), "is no key"),
    ],
)
def test_a_filter_says_what_is_wrong(filters, name, arguments, words):
    with pytest.raises(AnsibleFilterError) as caught:
        filters[name](*arguments)
    assert str(caught.value).startswith(f"{name}: ")
    assert words in str(caught.value)


def test_every_filter_is_documented(filters):
    for name in filters:
        text = yaml.safe_load((PLUGINS / f"{name}.yml").read_text())
        assert text["DOCUMENTATION"]["name"] == name
        assert name in text["EXAMPLES"]
