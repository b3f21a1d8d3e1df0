"""The independent checkers themselves: they pass what PowerDNS signs as we set it up, and see one changed character."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from names_servers import MISSING, PowerDns, RealTime
from tests.acceptance import zonecheck

ABSENT = [*MISSING, *zonecheck.missing()]
pytestmark = [
    pytest.mark.xdist_group("names-real"),
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {ABSENT}; lab/unit-debian has it and runs this"),
]

TLD, CHILD, REVERSE = "alt.", "net.alt.", "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."
HOST = "fd12:3456:789a::1"
#: What in each zone is changed behind the signatures' back.
FORGED = {TLD: ("::2:54", "::2:55"), CHILD: (HOST, "fd12:3456:789a::9"), REVERSE: ("fra.net.alt.", "nyc.net.alt.")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    """A TLD, a child with its DS in it, and a reverse zone, as a network of ours has them."""
    one = PowerDns(tmp_path_factory.mktemp("names") / "primary", RealTime())
    try:
        one.start()
        one.make_zone(TLD, 10_800, {"ns": ("AAAA", "fd12:3456:789a::2:54")})
        one.make_zone(CHILD, 10_800, {"fra": ("AAAA", HOST), "ns": ("AAAA", HOST)}, ns=f"ns.{TLD}")
        pointer = f"1{'.0' * 19}"
        one.make_zone(REVERSE, 10_800, {pointer: ("PTR", f"fra.{CHILD}")}, ns=f"ns.{TLD}")
        one.change(TLD, CHILD, "NS", f"ns.{TLD}")
        one.change(TLD, CHILD, "DS", one.ds(CHILD))
        yield one
    finally:
        one.kill()


def transferred(server: PowerDns, zone: str) -> str:
    return server.dig("+noall", "+answer", "+onesoa", "AXFR", zone)


@pytest.mark.parametrize("zone", [TLD, CHILD, REVERSE])
def test_no_fault_in_a_zone_that_is_well(server: PowerDns, zone: str) -> None:
    assert zonecheck.faults(zone, transferred(server, zone)) == []


@pytest.mark.parametrize("zone", [TLD, CHILD, REVERSE])
def test_a_forged_record_is_seen(server: PowerDns, zone: str) -> None:
    text = transferred(server, zone)
    forged = text.replace(*FORGED[zone])
    assert forged != text
    found = "\n".join(zonecheck.faults(zone, forged))
    assert "ldns-verify-zone" in found
    assert "dnssec-verify" in found


def test_a_record_that_was_left_out_is_seen(server: PowerDns) -> None:
    text = transferred(server, CHILD)
    less = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"fra.{CHILD}"))
    assert less != text
    assert "ldns-verify-zone" in "\n".join(zonecheck.faults(CHILD, less))


def test_data_that_contradicts_itself_is_seen(server: PowerDns) -> None:
    double = f"{transferred(server, CHILD)}fra.{CHILD}\t3600\tIN\tCNAME\tns.{CHILD}\n"
    assert "named-checkzone" in "\n".join(zonecheck.faults(CHILD, double))


def test_the_checkers_judge_by_the_date(server: PowerDns, tmp_path: Path) -> None:
    """A checker that took no notice of dates would be no proof of signatures that are about to expire."""
    assert server.verified(TLD, int(time.time()), tmp_path) == ""
    assert "expired" in server.verified(TLD, int(time.time()) + 30 * 86_400, tmp_path)
