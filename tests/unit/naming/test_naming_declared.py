"""The operator's zones: what is taken, and what is refused with the record that offends."""

from __future__ import annotations

from typing import Any

import pytest
from naming_world import inventory

from altnet.errors import InventoryError
from altnet.naming import RRSet


def record(name: str, kind: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "values": list(values), **more}


def shop(*records: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "shop.alt", "records": list(records), **more}]


def refused(zones: Any, **network: Any) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        inventory(zones, **network)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (record("www", "AAAA", "FD12:3456:789A:0::1"), ("www.shop.alt.", "AAAA", "fd12:3456:789a::1")),
        (record("WWW", "aaaa", "fd12::1"), ("www.shop.alt.", "AAAA", "fd12::1")),
        (record("@", "MX", "10 Mail.Shop.alt."), ("shop.alt.", "MX", "10 mail.shop.alt.")),
        (record("@", "MX", "0 ."), ("shop.alt.", "MX", "0 .")),
        (record("*", "A", "192.0.2.1"), ("*.shop.alt.", "A", "192.0.2.1")),
        (record("a.b", "CNAME", "shop.alt."), ("a.b.shop.alt.", "CNAME", "shop.alt.")),
        (record("www.shop.alt.", "A", "192.0.2.1"), ("www.shop.alt.", "A", "192.0.2.1")),
        (
            record("_sip._tcp", "SRV", "0 5 5060 sip.shop.alt."),
            ("_sip._tcp.shop.alt.", "SRV", "0 5 5060 sip.shop.alt."),
        ),
        (record("@", "TXT", "v=spf1 -all"), ("shop.alt.", "TXT", '"v=spf1 -all"')),
        (record("@", "TXT", 'say "hé"'), ("shop.alt.", "TXT", r'"say \"h\195\169\""')),
        (record("@", "TXT", '"two" "parts"'), ("shop.alt.", "TXT", '"two" "parts"')),
        (record("@", "TXT", "x" * 300), ("shop.alt.", "TXT", f'"{"x" * 255}" "{"x" * 45}"')),
        (
            record("@", "HTTPS", '1 . alpn="h2,h3" ipv6hint=FD12::1 port=8443'),
            ("shop.alt.", "HTTPS", "1 . alpn=h2,h3 port=8443 ipv6hint=fd12::1"),
        ),
        (record("@", "CAA", '0 issue "ca.alt"'), ("shop.alt.", "CAA", '0 issue "ca.alt"')),
        (
            record("_443._tcp.www", "TLSA", f"3 1 1 {'AB' * 32}"),
            ("_443._tcp.www.shop.alt.", "TLSA", f"3 1 1 {'ab' * 32}"),
        ),
        (record("xn--mnchen-3ya", "A", "192.0.2.1"), ("xn--mnchen-3ya.shop.alt.", "A", "192.0.2.1")),
    ],
)
def test_a_record(given: dict[str, Any], taken: tuple[str, str, str]) -> None:
    (zone,) = inventory(shop(given)).zones
    assert zone.name == "shop.alt."
    assert zone.rrsets == (RRSet(taken[0], taken[1], 3600, (taken[2],)),)


def test_ttls_and_values_that_belong_together() -> None:
    records = [
        record("a", "A", "192.0.2.2"),
        record("a", "A", "192.0.2.1", "192.0.2.2"),
        record("b", "A", "192.0.2.1", ttl=5),
    ]
    (zone,) = inventory(shop(*records, ttl=60)).zones
    assert zone.rrsets == (
        RRSet("a.shop.alt.", "A", 60, ("192.0.2.2", "192.0.2.1")),
        RRSet("b.shop.alt.", "A", 5, ("192.0.2.1",)),
    )


def test_a_delegation_elsewhere() -> None:
    records = [
        record("far", "NS", "ns.far.shop.alt."),
        record("far", "DS", f"12345 13 2 {'AB' * 32}"),
        record("ns.far", "AAAA", "fd12::1"),
    ]
    (zone,) = inventory(shop(*records)).zones
    assert [(entry.name, entry.type) for entry in zone.rrsets] == [
        ("far.shop.alt.", "DS"), ("far.shop.alt.", "NS"), ("ns.far.shop.alt.", "AAAA"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            record("www", "AAAA", "fd12::zz"),
            (
                "the network: altnet_zones[0].records[0].values[0]: www.shop.alt. AAAA 'fd12::zz' is no AAAA record's "
                "value (Text input is malformed.). Remedy: write it like 'fd12:3456:789a::1'."
            ),
        ),
        (record("www", "AAAA", "::ffff:192.0.2.1"), "AAAA '::ffff:192.0.2.1' is an IPv4 address in IPv6's clothes"),
        (record("www", "A", "192.0.2.256"), "values[0]: www.shop.alt. A '192.0.2.256' is no A record's value"),
        (record("www", "MX", "mail.alt."), "values[0]: www.shop.alt. MX 'mail.alt.' is no MX record's value"),
        (record("www", "SSHFP", "4 2 xy"), "values[0]: www.shop.alt. SSHFP '4 2 xy' is no SSHFP record's value"),
        (
            record("www", "CNAME", "shop"),
            "CNAME 'shop' names a host without a dot at the end. Remedy: write the whole name with a dot at its end",
        ),
        (record("www", "MX", "10 a_b.alt."), "MX '10 a_b.alt.' points at a_b.alt., which has the label 'a_b'"),
        (record("a_b", "AAAA", "fd12::1"), "records[0].name: a_b.shop.alt. AAAA has the label 'a_b', and a host"),
        (record("_a", "MX", "10 b.alt."), "records[0].name: _a.shop.alt. MX has the label '_a', and a host's"),
        (record("-a", "A", "192.0.2.1"), "records[0].name: -a.shop.alt. A has the label '-a'. Remedy: use letters, "),
        (record("a..b", "A", "192.0.2.1"), "records[0].name: a..b.shop.alt. A has an empty label"),
        (record("bücher", "A", "192.0.2.1"), "which is not ASCII. Remedy: write it in its xn-- form"),
        (record("ab--c", "A", "192.0.2.1"), "which looks like an xn-- form and is none"),
        (record("a" * 64, "A", "192.0.2.1"), "has a label of 64 characters. Remedy: use at most 63"),
        (record(".".join(["a" * 60] * 5), "A", "192.0.2.1"), "has 313 characters. Remedy: use at most 253"),
        (record("a.*", "A", "192.0.2.1"), "has the label '*'"),
        (record("*", "NS", "ns.b.alt."), "has the label '*'"),
        (
            record("www.shop.alt", "A", "192.0.2.1"),
            (
                "records[0].name: www.shop.alt is below shop.alt. already, and without a dot at its end would become "
                "www.shop.alt.shop.alt. Remedy: write www.shop.alt. or, for the name within the zone, leave"
            ),
        ),
        (record("www.alt.", "A", "192.0.2.1"), "records[0].name: www.alt. is not within the zone shop.alt."),
        (
            record("a", "AAA", "192.0.2.1"),
            "records[0].type: is 'AAA', which cannot be declared. Remedy: did you mean AAAA",
        ),
        (record("a", "SOA", "x"), "records[0].type: is 'SOA', which cannot be declared"),
        (record("a", "DNSKEY", "x"), "records[0].type: is 'DNSKEY', which cannot be declared"),
        (record("a", "A"), "records[0].values: of a.shop.alt. A is empty"),
        (record("a", "A", "192.0.2.1", ttl=0), "records[0].ttl: is 0. Remedy: use a number from 1 to 2147483647."),
        (record("a", "A", "192.0.2.1", tll=1), "records[0].tll: is no setting of ours. Remedy: did you mean ttl."),
        ({"type": "A", "values": ["192.0.2.1"]}, "records[0].name: is empty, not a text"),
        ({"name": "a", "values": ["192.0.2.1"]}, "records[0].type: is not given"),
        ({"name": "a", "type": "A", "values": "192.0.2.1"}, "records[0].values: is text ('192.0.2.1'), not a list"),
        (record("@", "CNAME", "b.alt."), "shop.alt. CNAME is beside other data of that name (NS, SOA)"),
        (record("@", "NS", "ns.alt."), "shop.alt. NS is at the top of the zone, where Altnet puts its own"),
        (record("@", "DS", f"1 13 2 {'ab' * 32}"), "shop.alt. DS is at the top of the zone, where Altnet puts its own"),
        (record("a", "DS", f"1 13 2 {'ab' * 32}"), "a.shop.alt. DS is at no delegation: there is no NS of that name"),
        (record("a", "CNAME", "b.alt.", "c.alt."), "a.shop.alt. CNAME has 2 values, and a CNAME has one"),
    ],
)
def test_a_record_that_is_refused(given: dict[str, Any], line: str) -> None:
    found = refused(shop(given))
    assert any(line in problem for problem in found), found
    assert len(found) == 1, "said once"


@pytest.mark.parametrize(
    ("records", "line"),
    [
        (
            [record("a", "A", "192.0.2.1", ttl=60), record("a", "A", "192.0.2.2")],
            (
                "the network: altnet_zones[0].records[1].ttl: a.shop.alt. A has the TTL 3600 here and 60 at "
                "altnet_zones[0].records[0]: an RRset has one. Remedy: give both the same TTL, or put all values into "
                "one record."
            ),
        ),
        (
            [record("a", "CNAME", "b.alt."), record("a", "TXT", "x")],
            (
                "the network: altnet_zones[0].records[0]: a.shop.alt. CNAME is beside other data of that name (TXT), "
                "and a CNAME stands alone. Remedy: remove it, or put what is beside it under the name it points at."
            ),
        ),
        (
            [record("d", "NS", "ns.b.alt."), record("d", "A", "192.0.2.1")],
            "altnet_zones[0].records[1]: d.shop.alt. A is not seen by anybody: d.shop.alt. is delegated to other",
        ),
        (
            [record("d", "NS", "ns.b.alt."), record("x.d", "TXT", "x")],
            "altnet_zones[0].records[1]: x.d.shop.alt. TXT is not seen by anybody: d.shop.alt. is delegated to other",
        ),
    ],
)
def test_records_that_contradict_each_other(records: list[dict[str, Any]], line: str) -> None:
    (found,) = refused(shop(*records))
    assert line in found


@pytest.mark.parametrize(
    ("zones", "line"),
    [
        (
            [{"name": "shop.org"}],
            (
                "the network: altnet_zones[0].name: shop.org. is outside the network's top-level domains (alt, neo). "
                "Remedy: name a zone below one of them, or add org to altnet_tlds."
            ),
        ),
        ([{"name": "net.alt"}], "net.alt. cannot be declared: net.alt is the zone of the network's own hosts"),
        ([{"name": "lab.net.alt"}], "lab.net.alt. cannot be declared: net.alt is the zone of the network's own hosts"),
        ([{"name": "ns.neo"}], "ns.neo. cannot be declared: ns.neo is the name of the network's own servers"),
        ([{"name": "a_b.alt"}], "altnet_zones[0].name: a_b.alt has the label 'a_b'"),
        (
            [{"name": "shop.alt"}, {"name": "SHOP.alt."}],
            "altnet_zones[1].name: shop.alt. is there already, at altnet_zones[0]",
        ),
        ([{"records": []}], "altnet_zones[0].name: is empty, not a text"),
        (
            [{"name": "shop.alt", "record": []}],
            "altnet_zones[0].record: is no setting of ours. Remedy: did you mean records",
        ),
        ({"name": "shop.alt"}, "altnet_zones: is a mapping, not a list"),
        (
            [{"name": "alt", "records": [record("ns", "A", "192.0.2.1")]}],
            "ns.alt. A cannot be declared: ns.alt. is the name",
        ),
        (
            [{"name": "alt", "records": [record("a.net", "A", "192.0.2.1")]}],
            "a.net.alt. A cannot be declared: net.alt. is the",
        ),
        (
            [{"name": "alt", "records": [record("www.shop", "A", "192.0.2.1")]}, {"name": "shop.alt"}],
            "altnet_zones[0].records[0]: www.shop.alt. A is in alt., and shop.alt. is a zone of its own (altnet_zones",
        ),
    ],
)
def test_a_zone_that_is_refused(zones: Any, line: str) -> None:
    found = refused(zones)
    assert any(line in problem for problem in found), found


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (
            {"tlds": ["com"]},
            (
                "the network: altnet_tlds[0]: com exists in the public root (IANA's list of 2026-10-29), so every name "
                "under it would hide one of the internet's. Remedy: choose another name, such as alt, or list it in "
                "altnet_tlds_forced too if you mean to hide them."
            ),
        ),
        ({"tlds": ["xn--p1ai"]}, "altnet_tlds[0]: xn--p1ai exists in the public root"),
        ({"tlds": ["local"], "tlds_forced": ["local"]}, "altnet_tlds[0]: local belongs to multicast DNS"),
        ({"tlds": ["arpa"], "tlds_forced": ["arpa"]}, "altnet_tlds[0]: arpa is the infrastructure's own"),
        ({"tlds": ["Alt"]}, "altnet_tlds[0]: 'Alt' has capitals"),
        ({"tlds": ["corp.alt"]}, "altnet_tlds[0]: 'corp.alt' has more than one label"),
        ({"tlds": ["a_b"]}, "altnet_tlds[0]: 'a_b' has the label 'a_b'"),
        ({"tlds": ["42"]}, "altnet_tlds[0]: '42' looks like a part of an address"),
        ({"tlds": ["alt", "alt"]}, "altnet_tlds[1]: alt is there twice"),
        ({"tlds": []}, "altnet_tlds: is empty"),
        ({"tlds_forced": ["com"]}, "altnet_tlds_forced[0]: com is not in altnet_tlds, so nothing is forced"),
    ],
)
def test_a_top_level_domain_that_is_refused(network: dict[str, Any], line: str) -> None:
    found = refused((), **network)
    assert any(line in problem for problem in found), found


def test_a_public_top_level_domain_by_force() -> None:
    assert inventory(tlds=["alt", "dev"], tlds_forced=["dev"]).tlds == ("alt", "dev")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"resolvers": ()}, "group resolvers: names no host, and the group authoritative does"),
        ({"authoritative": ()}, "group authoritative: names no host, and the group resolvers does"),
        ({"resolvers": ("fra", "gone")}, "host gone: group resolvers: is in the group but is no host"),
        (
            {"anycast": [{"name": "resolver", "address_index": 1, "origins": ["fra"]}]},
            "altnet_anycast[0].name: is resolver, which the names layer has for itself",
        ),
        (
            {"anycast": [{"name": "www", "address_index": 0x53, "origins": ["fra"]}]},
            "altnet_anycast[0].address_index: is 83, which the names layer has for itself",
        ),
        (
            {"hosts": {"fra": {"endpoints": ["192.0.2.1"]}, "time": {}, "Core.example": {}}, "resolvers": ("fra",)},
            "host time: inventory name: is time, and time.net.alt is the name of a service",
        ),
    ],
)
def test_groups_and_services_that_are_refused(changes: dict[str, Any], line: str) -> None:
    found = refused((), **changes)
    assert any(line in problem for problem in found), found


def test_without_the_groups_nothing_is_reserved() -> None:
    anycast = [{"name": "resolver", "address_index": 83, "origins": ["fra"]}]
    found = inventory(authoritative=(), resolvers=(), anycast=anycast)
    assert [entry.name for entry in found.services] == ["resolver"]


def test_a_delegation_that_decides_on_its_ds() -> None:
    ns, ds = record("lab", "NS", "ns.lab.shop.alt.", cds=True), record("lab", "DS", f"1 13 2 {'ab' * 32}")
    (zone,) = inventory(shop(ns, ds, record("old", "NS", "ns.neo."))).zones
    assert zone.children == ("lab.shop.alt.",)
    assert inventory(shop({**ns, "cds": False}, ds)).zones[0].children == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (record("lab", "A", "192.0.2.1", cds=True), "cds: is set at lab.shop.alt. A, and only a delegation has a DS"),
        (record("lab", "NS", "ns.neo.", cds="yes"), "cds: is text ('yes'), not true or false without quotes"),
    ],
)
def test_cds_in_the_wrong_place(given: dict[str, Any], message: str) -> None:
    (problem,) = refused(shop(given))
    assert f"altnet_zones[0].records[0].{message}" in problem
