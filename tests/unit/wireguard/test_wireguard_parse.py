"""Readers, on recorded output."""

from __future__ import annotations

import pytest
from wireguard_fakes import key

from altnet.wireguard import parse
from altnet.wireguard.model import Device, Link, Peer, Unit

# wireguard-tools 1.0.20210914; the keys are made up.
DUMP = (
    f"an0-fra\t{key('a')}\t{key('A')}\t10004\toff\n"
    f"an0-fra\t{key('B')}\t{key('psk')}\t[2001:db8::2]:10002\tfd00::/8,fe80::/64\t1763707000\t10\t20\toff\n"
    f"an0-fra\t{key('C')}\t(none)\t(none)\t(none)\t0\t0\t0\t25\n"
    "wg9\t(none)\t(none)\t51820\t0xca6c\n"
)
# iproute2 6.1, shortened: loopback, a wireguard-go device, the empty object some versions print.
ADDRESSES = """[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,
"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},{},
{"ifindex":7,"ifname":"an0-fra","flags":["POINTOPOINT","MULTICAST","NOARP","UP","LOWER_UP"],"mtu":1420,
"link_type":"none","linkinfo":{"info_kind":"tun","info_data":{"type":"tun","pi":false}},
"addr_info":[{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"},
{"family":"inet6","local":"fe80::bd2a:3f3e:a0b4:7b2","prefixlen":64,"scope":"link","stable-privacy":true}]}]"""
UNITS = """Id=wg-quick@an0-fra.service
ActiveState=active
UnitFileState=enabled

Id=wg-quick@an0-nyc.service
ActiveState=failed
UnitFileState=disabled

Id=wg-quick@an1-sfo.service
ActiveState=inactive
UnitFileState=masked-runtime

Id=wg-quick@wg0.service
ActiveState=active
UnitFileState=enabled
"""


def test_wg_dump() -> None:
    assert parse.wg_dump(DUMP) == {
        "an0-fra": Device(
            key("a"),
            10004,
            0,
            (
                Peer(key("B"), key("psk"), "[2001:db8::2]:10002", ("fd00::/8", "fe80::/64"), 1763707000, 0),
                Peer(key("C"), None, None, (), 0, 25),
            ),
        ),
        "wg9": Device(None, 51820, 0xCA6C),
    }
    assert parse.wg_dump("") == {}


def test_a_damaged_dump_is_an_error_that_quotes_nothing() -> None:
    with pytest.raises(ValueError, match="line 2 has 2 fields") as caught:
        parse.wg_dump(DUMP.splitlines()[0] + f"\nx\t{key('a')}\n")
    assert key("a") not in str(caught.value)


def test_representations_hold_no_secret() -> None:
    text = repr(parse.wg_dump(DUMP))
    assert key("a") not in text
    assert key("psk") not in text


def test_ip_addresses() -> None:
    links = parse.ip_addresses(ADDRESSES)
    assert links["an0-fra"] == Link(
        mtu=1420, up=True, kind="tun", addresses=("fe80::1/64", "fe80::bd2a:3f3e:a0b4:7b2/64")
    )
    assert links["lo"] == Link(mtu=65536, up=True, kind="", addresses=("127.0.0.1/8",))
    assert parse.ip_addresses("") == {}


def test_systemctl_show() -> None:
    assert parse.systemctl_show(UNITS) == {
        "an0-fra": Unit(active=True, enabled=True),
        "an0-nyc": Unit(failed=True),
        "an1-sfo": Unit(masked=True),
    }
    assert parse.systemctl_show("\n") == {}


def test_udp_ports() -> None:
    text = "  sl  local_address rem_address\n  1: 0100007F:0035 00000000:0000 07\n"
    assert parse.udp_ports(text) == {53}
    assert parse.udp_ports("") == set()
