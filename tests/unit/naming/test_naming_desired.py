"""Every zone of the network: complete, delegated, and of nobody who is out."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import replace

import dns.rdata
import dns.reversename
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming_world import HOSTS, MASTER, PREFIX, REVERSE, inventory, ledger_of, lines, zones_of

from altnet.addressing import loopback, parse_prefix
from altnet.allocate import allocate, leave
from altnet.ledger import Epoch, Ledger
from altnet.naming import Zone, keys
from altnet.naming.desired import desired, keys_of
from altnet.quarantine import quarantine

SHOP = [{"name": "shop.alt", "records": [{"name": "www", "type": "AAAA", "values": ["fd12::80"]}]}]
PRINTS = {"fra": {4: "ab" * 32, 1: "cd" * 32}}


def address(number: int) -> str:
    return f"fd12:3456:789a::{number:x}"


def test_the_zones_of_a_small_network() -> None:
    found = inventory(SHOP)
    zones = zones_of(found, ledger_of(found, host_keys=PRINTS))
    assert list(zones) == ["alt.", "neo.", "net.alt.", "net.neo.", "shop.alt.", f"{REVERSE}."]
    assert {name: zone.parent for name, zone in zones.items() if zone.parent} == {
        "net.alt.": "alt.", "net.neo.": "neo.", "shop.alt.": "alt.",
    }  # fmt: skip
    assert lines(zones["net.alt."]) == [
        "core.example.net.alt. 3600 AAAA fd12:3456:789a::3",
        "fra.net.alt. 3600 AAAA fd12:3456:789a::1",
        f"fra.net.alt. 3600 SSHFP 1 2 {'cd' * 32}",
        f"fra.net.alt. 3600 SSHFP 4 2 {'ab' * 32}",
        "laptop.net.alt. 3600 AAAA fd12:3456:789a::4",
        "net.alt. 3600 NS ns.alt.",
        f'net.alt. 3600 TXT "prefix={PREFIX}"',
        'net.alt. 3600 TXT "asn-base=4200000000"',
        "ns.net.alt. 3600 AAAA fd12:3456:789a::2:54",
        "nyc.net.alt. 3600 AAAA fd12:3456:789a::2",
        "resolver.net.alt. 3600 AAAA fd12:3456:789a::2:53",
        "time.net.alt. 3600 AAAA fd12:3456:789a::1",
        "time.net.alt. 3600 AAAA fd12:3456:789a::2",
    ]
    assert lines(zones["alt."]) == [
        "alt. 3600 NS ns.alt.",
        f"net.alt. 3600 DS {keys.ds(MASTER, 'net.alt', 0)}",
        "net.alt. 3600 NS ns.alt.",
        "ns.alt. 3600 AAAA fd12:3456:789a::2:54",
        f"shop.alt. 3600 DS {keys.ds(MASTER, 'shop.alt', 0)}",
        "shop.alt. 3600 NS ns.alt.",
    ]
    assert lines(zones["shop.alt."]) == ["shop.alt. 3600 NS ns.alt.", "www.shop.alt. 3600 AAAA fd12::80"]


def test_both_directions_agree() -> None:
    zones = zones_of(inventory(anycast=[{"name": "www", "address_index": 80, "origins": ["fra"]}]))
    forward = {
        value: entry.name
        for entry in zones["net.alt."].rrsets
        if entry.type == "AAAA" and entry.name != "time.net.alt."
        for value in entry.records
    }
    assert forward["fd12:3456:789a::2:50"] == "www.net.alt."
    back = {entry.name: entry.records for entry in zones[f"{REVERSE}."].rrsets if entry.type == "PTR"}
    assert back == {dns.reversename.from_address(ip).to_text(): (name,) for ip, name in forward.items()}
    assert all(ipaddress.IPv6Address(ip) in ipaddress.IPv6Network(PREFIX) for ip in forward)


def names_in(zones: Iterable[Zone]) -> set[str]:
    return {entry.name for zone in zones for entry in zone.rrsets}


@pytest.mark.parametrize("how", ["quarantined", "left"])
def test_who_is_out_is_in_no_zone(how: str) -> None:
    found = inventory()
    ledger = ledger_of(found, host_keys=PRINTS)
    if how == "quarantined":
        ledger = quarantine(ledger, "fra")
    elif how == "left":
        ledger = leave(ledger, "fra")
    hosts = {name: host for name, host in found.hosts.items() if name != "fra"} if how != "quarantined" else found.hosts
    found = replace(found, hosts=hosts, resolvers=("nyc",) if how != "quarantined" else found.resolvers)
    zones = zones_of(found, ledger).values()
    text = json.dumps([zone.plain()["rrsets"] for zone in zones])
    assert "fra.net" not in text
    assert f'"{address(1)}"' not in text
    assert "nyc.net.alt." in names_in(zones)


def test_who_is_missing_from_the_inventory_keeps_its_name() -> None:
    found = inventory()
    ledger = ledger_of(found, host_keys=PRINTS)
    hosts = {name: host for name, host in found.hosts.items() if name != "fra"}
    assert "fra.net.alt." in names_in(zones_of(replace(found, hosts=hosts, resolvers=("nyc",)), ledger).values())


def test_with_every_resolver_shut_out_the_servers_have_their_own_addresses() -> None:
    found = inventory(hosts={"fra": HOSTS["fra"], "nyc": HOSTS["nyc"], "Core.example": {}}, resolvers=("fra",))
    zones = zones_of(found, quarantine(ledger_of(found), "fra"))
    assert "ns.alt. 3600 AAAA fd12:3456:789a::3" in lines(zones["alt."])
    assert "resolver.net.alt." not in names_in(zones.values())


def test_no_servers_no_zones() -> None:
    found = inventory(SHOP, authoritative=(), resolvers=())
    ledger = allocate(found, None, new_prefix=lambda: PREFIX, host_keys=PRINTS).ledger
    assert desired(found, ledger, keys_of(ledger, MASTER)) == []
    assert (ledger.dns_primary, ledger.dnssec, ledger.hosts["fra"].sshfp) == (None, {}, {})


def test_a_zone_below_a_zone_is_delegated_by_it() -> None:
    deep = [
        {"name": "a.b.shop.alt"},
        *SHOP,
        {"name": "alt", "records": [{"name": "@", "type": "TXT", "values": ["hi"]}]},
    ]
    zones = zones_of(inventory(deep))
    assert zones["a.b.shop.alt."].parent == "shop.alt."
    assert f"a.b.shop.alt. 3600 DS {keys.ds(MASTER, 'a.b.shop.alt', 0)}" in lines(zones["shop.alt."])
    assert 'alt. 3600 TXT "hi"' in lines(zones["alt."])
    assert list(zones).index("shop.alt.") < list(zones).index("a.b.shop.alt.")


def test_the_keys_of_a_roll() -> None:
    found = inventory(SHOP)
    ledger = ledger_of(found)
    two = {
        0: Epoch("retired", keys.ds(MASTER, "shop.alt", 0), 5),
        1: Epoch("active", keys.ds(MASTER, "shop.alt", 1), 5),
    }
    zones = zones_of(found, replace(ledger, dnssec={**ledger.dnssec, "shop.alt": two}))
    assert [(key.active, key.published) for key in zones["shop.alt."].keys] == [(True, True), (False, True)]
    assert [key.private for key in zones["shop.alt."].keys] == [
        keys.private_text(MASTER, "shop.alt", n) for n in (1, 0)
    ]
    assert [line.partition(" DS ")[2] for line in lines(zones["alt."]) if line.startswith("shop.alt. 3600 DS")] == [
        two[0].ds, two[1].ds,
    ]  # fmt: skip


def test_as_data() -> None:
    (zone, *_) = zones_of(inventory()).values()
    plain = zone.plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["name"] == "alt."
    assert plain["parent"] is None
    assert plain["rrsets"][0] == {"name": "alt.", "type": "NS", "ttl": 3600, "records": ["ns.alt."]}
    (key,) = plain["keys"]
    assert key | {"private": "x"} == {"flags": 257, "algorithm": 13, "private": "x", "active": True, "published": True}
    assert key["private"] not in repr(zone)


LABEL = st.from_regex(r"[a-z]{1,3}", fullmatch=True).filter(lambda label: label not in {"ns", "net"})


@given(
    st.sets(st.lists(LABEL, min_size=1, max_size=3).map(".".join), max_size=8),
    st.sets(st.sampled_from(["fra", "laptop", "Core.example"])),
    st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_any_network_is_whole(names: set[str], out: set[str], tlds: int) -> None:
    declared = [{"name": f"{name}.alt", "records": [{"name": "@", "type": "TXT", "values": ["x"]}]} for name in names]
    found = inventory(declared, tlds=["alt", "neo", "pop"][:tlds])
    ledger = ledger_of(found)
    for name in out:
        ledger = quarantine(ledger, name, force=True)
    zones = zones_of(found, ledger)
    assert bool(zones) == ("Core.example" not in out)
    for number, (name, zone) in enumerate(zones.items()):
        rrsets = {(entry.name, entry.type): entry for entry in zone.rrsets}
        assert len(rrsets) == len(zone.rrsets)
        assert all(entry.name == name or entry.name.endswith(f".{name}") for entry in zone.rrsets)
        assert all(entry.records and len(set(entry.records)) == len(entry.records) for entry in zone.rrsets)
        for entry in zone.rrsets:
            for value in entry.records:
                assert dns.rdata.from_text("IN", entry.type, value).to_text() == value
        assert rrsets[name, "NS"].records[0] in {f"ns.{tld}." for tld in found.tlds}
        assert rrsets[name, "NS"].records[0] in names_in(zones.values())
        if zone.parent is None:
            continue
        assert list(zones).index(zone.parent) < number
        above = {(entry.name, entry.type): entry for entry in zones[zone.parent].rrsets}
        assert above[name, "NS"].records == rrsets[name, "NS"].records
        assert above[name, "DS"].records == (keys.ds(MASTER, name, 0),)
        assert not any(owner != name and owner.endswith(f".{name}") for owner, _ in above)
    present = {name for name in found.hosts if name not in out}
    for name in present if zones else ():
        own = loopback(parse_prefix(PREFIX), ledger.hosts[name].id)
        assert f"{name.lower()}.net.alt. 3600 AAAA {own}" in lines(zones["net.alt."])


def test_the_ledger_stays_as_it_is() -> None:
    found = inventory(SHOP)
    ledger = ledger_of(found, host_keys=PRINTS)
    again = allocate(found, ledger, new_prefix=lambda: PREFIX, host_keys=PRINTS)
    assert again.ledger == ledger
    assert again.changes == ()
    assert isinstance(again.ledger, Ledger)
