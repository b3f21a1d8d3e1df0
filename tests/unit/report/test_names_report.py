"""The report's part on names."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from altnet.names_report import DAY, SIGNED_MIN, names_part, wanted_of
from altnet.report import Seen, report

DNS: dict[str, Any] = {
    "tlds": ["alt", "neo"],
    "reverse": "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa",
    "role": None,
    "resolver": False,
    "primary": "fd12:3456:789a::1",
    "resolver_anycast": "fd12:3456:789a::2:53",
    "anchors": {"alt": ["1 13 2 AB"]},
}
ROLES = {"core2": "primary", "fra": "secondary", "laptop1": None}
ZONE = {"serial": 1_797_120_000, "left": 11 * DAY, "records": 40}


def piece(name: str) -> dict[str, Any]:
    number = list(ROLES).index(name) + 1
    return {
        "name": name, "id": number, "relay": False, "drained": False, "prefix": "fd12:3456:789a::/48",
        "loopback": f"fd12:3456:789a::{number:x}", "asn": 4_200_000_000 + number, "subnet": None, "pending": [],
        "tunnels": [], "bgp": [], "dns": {**DNS, "role": ROLES[name], "resolver": name == "fra"},
    }  # fmt: skip


SLICES = {name: piece(name) for name in ROLES}


@pytest.fixture
def well() -> dict[str, dict[str, Any]]:
    """What three hosts see of names that are well."""
    zones = {"alt.": ZONE, "net.alt.": {**ZONE, "left": 9.5 * DAY}}
    sight = {"asked": 9, "wrong": [], "zones": {}, "broken": []}
    return copy.deepcopy({name: {**sight, "zones": zones if role else {}} for name, role in ROLES.items()})


def test_names_that_are_well(well: dict[str, dict[str, Any]]) -> None:
    part = names_part(SLICES, list(SLICES), well)
    assert part.rows == [
        ["NAMES", "SERVER", "ZONES", "SIGNED FOR", "VALIDATED"],
        ["core2", "primary", "2/2", "9.5 d", "9/9"],
        ["fra", "secondary", "2/2", "9.5 d", "9/9"],
        ["laptop1", "-", "-", "-", "9/9"],
    ]
    assert part.line == (
        "2 zones are the same on 2 servers, signed for 9.5 d at least, and trusted from the anchors. 27 of 27 "
        "questions for hosts' names and addresses were answered rightly and validated, all of them."
    )
    assert part.zones == part.answers == []


def test_the_report_has_the_part_and_its_faults(well: dict[str, dict[str, Any]]) -> None:
    well["laptop1"]["wrong"] = ["fra.net.alt. AAAA is not answered"]
    told = report(SLICES, {name: Seen(names=sight) for name, sight in well.items()})
    assert "fra      secondary  2/2    9.5 d       9/9" in told.lines
    assert told.lines[-1].endswith(
        "26 of 27 questions for hosts' names and addresses were answered rightly and validated."
    )
    assert told.faults == ("laptop1: fra.net.alt. AAAA is not answered",)


def test_a_network_without_names_prints_nothing_of_them() -> None:
    told = "\n".join(report(SLICES, {name: Seen() for name in SLICES}).lines)
    assert "NAMES" not in told
    assert "zones" not in told


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"alt.": {**ZONE, "serial": 5}}, "fra has serial 5 of alt., and 1797120000 is right"),
        ({"alt.": None}, "fra does not serve alt."),
        ({"old.": ZONE}, "fra serves old., which the primary does not"),
        ({"alt.": {**ZONE, "left": None}}, "fra: alt. is not signed"),
        (
            {"alt.": {**ZONE, "left": SIGNED_MIN - 8640}},
            "fra: a signature of alt. is valid for 4.9 d more, and 5 days are the least",
        ),
    ],
)
def test_every_fault_of_a_zone(well: dict[str, dict[str, Any]], changes: dict[str, Any], fault: str) -> None:
    zones = {**well["fra"]["zones"], **changes}
    well["fra"]["zones"] = {name: known for name, known in zones.items() if known}
    part = names_part(SLICES, list(SLICES), well)
    assert part.zones == [fault]
    assert "are the same" not in part.line


def test_without_the_primary_the_highest_serial_is_right(well: dict[str, dict[str, Any]]) -> None:
    slices = {**SLICES, "laptop1": {**SLICES["laptop1"], "dns": {**DNS, "role": "secondary"}}}
    well["laptop1"]["zones"] = {**well["fra"]["zones"], "alt.": {**ZONE, "serial": 7}}
    del well["core2"]
    assert names_part(slices, list(slices), well).zones == ["laptop1 has serial 7 of alt., and 1797120000 is right"]


def test_what_a_host_said_of_a_chain_is_a_fault(well: dict[str, dict[str, Any]]) -> None:
    well["fra"]["broken"] = ["alt. has no key that the anchor names"]
    assert names_part(SLICES, list(SLICES), well).zones == ["fra: alt. has no key that the anchor names"]


def test_what_is_asked_is_both_directions_in_every_tld() -> None:
    wanted = wanted_of(SLICES["fra"]["dns"], {"Fra": "fd12:3456:789a::2"})
    assert wanted is not None
    digits = ".".join(reversed("fd123456789a00000000000000000002"))
    assert wanted["questions"] == [
        ["fra.net.alt.", "AAAA", "fd12:3456:789a::2"],
        ["fra.net.neo.", "AAAA", "fd12:3456:789a::2"],
        [f"{digits}.ip6.arpa.", "PTR", "fra.net.alt."],
    ]
    assert wanted["resolver"] == "fd12:3456:789a::2:53"
    assert wanted["server"]
    assert wanted["resolves"]
    assert wanted["primary"] == "fd12:3456:789a::1"


@pytest.mark.parametrize("dns", [None, {}, {**DNS, "resolver_anycast": None}])
def test_without_a_names_layer_nothing_is_asked(dns: dict[str, Any] | None) -> None:
    assert wanted_of(dns, {"fra": "fd12:3456:789a::2"}) is None


def test_a_primary_follows_nobody() -> None:
    wanted = wanted_of(SLICES["core2"]["dns"], {})
    assert wanted is not None
    assert wanted["primary"] is None
