"""The table of the network, and every fault it can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.report import HANDSHAKE_MAX, MATRIX_MAX, SHOWN_MAX, Report, Seen, report, table

PREFIX = "fd12:3456:789a::/48"


def pieces(*names: str) -> dict[str, dict[str, Any]]:
    """Return slices of a full mesh of relays."""
    ids = {name: number for number, name in enumerate(names, 1)}
    return {
        name: {
            "name": name,
            "id": ids[name],
            "relay": True,
            "drained": False,
            "prefix": PREFIX,
            "loopback": f"fd12:3456:789a::{ids[name]:x}",
            "asn": 4200000000 + ids[name],
            "subnet": f"fd12:3456:789a:{ids[name]:x}::/64",
            "pending": [],
            "tunnels": [
                {"neighbour": other, "generation": 0, "interface": f"an0-{other}", "pending": False}
                for other in names
                if other != name
            ],
            "bgp": [{"protocol": f"an0_{other}", "neighbour": other} for other in names if other != name],
        }
        for name in names
    }


def sight(slices: Mapping[str, Mapping[str, Any]]) -> dict[str, Seen]:
    """Return what hosts see of a network in which all is well."""
    return {
        name: Seen(
            reach={other: {"milliseconds": 1.25, "hops": 0} for other in slices if other != name},
            tunnels={tunnel["interface"]: {"age": 7, "kernel": True} for tunnel in piece["tunnels"]},
            sessions={session["protocol"]: "Established" for session in piece["bgp"]},
        )
        for name, piece in slices.items()
    }


def changed(seen: Seen, **changes: Any) -> Seen:
    return Seen(**{**{key: dict(getattr(seen, key)) for key in ("reach", "tunnels", "sessions")}, **changes})


@pytest.fixture
def three() -> dict[str, dict[str, Any]]:
    return pieces("fra", "nyc", "sin")


def test_a_network_that_is_well(three: dict[str, dict[str, Any]]) -> None:
    told = report(three, sight(three))
    assert told.faults == ()
    assert "\n".join(told.lines) == (
        "Network fd12:3456:789a::/48: 3 hosts, 3 of them relays, 3 tunnels\n"
        "\n"
        "HOST  ROLE   ID  LOOPBACK           ASN         SUBNET                 TUNNELS  BGP  HANDSHAKE  REACHES\n"
        "fra   relay  1   fd12:3456:789a::1  4200000001  fd12:3456:789a:1::/64  2/2      2/2  7 s        2/2\n"
        "nyc   relay  2   fd12:3456:789a::2  4200000002  fd12:3456:789a:2::/64  2/2      2/2  7 s        2/2\n"
        "sin   relay  3   fd12:3456:789a::3  4200000003  fd12:3456:789a:3::/64  2/2      2/2  7 s        2/2\n"
        "\n"
        "ms (hops)  fra      nyc      sin\n"
        "fra        -        1.2 (0)  1.2 (0)\n"
        "nyc        1.2 (0)  -        1.2 (0)\n"
        "sin        1.2 (0)  1.2 (0)  -\n"
        "\n"
        "6 of 6 ordered pairs of hosts reach each other, all of them."
    )


def test_hosts_come_by_id(three: dict[str, dict[str, Any]]) -> None:
    three["fra"]["id"] = 9
    assert [line.split()[0] for line in report(three, sight(three)).lines[3:6]] == ["nyc", "sin", "fra"]


def with_fra(three: dict[str, dict[str, Any]], **changes: Any) -> Report:
    seen = sight(three)
    seen["fra"] = changed(seen["fra"], **changes)
    return report(three, seen)


@pytest.mark.parametrize(
    ("changes", "faults", "row"),
    [
        (
            {"reach": {"nyc": None, "sin": {"milliseconds": 3.0, "hops": 1}}},
            ["fra does not reach nyc"],
            "2/2 2/2 7 s 1/2",
        ),
        (
            {"tunnels": {"an0-nyc": {"age": None, "kernel": True}, "an0-sin": {"age": 3, "kernel": True}}},
            ["fra has no handshake on an0-nyc"],
            "1/2 2/2 3 s 2/2",
        ),
        (
            {"tunnels": {"an0-sin": {"age": HANDSHAKE_MAX, "kernel": True}}},
            ["fra has no handshake on an0-nyc"],
            "1/2 2/2 180 s 2/2",
        ),
        (
            {"tunnels": {n: {"age": HANDSHAKE_MAX + 1, "kernel": True} for n in ("an0-nyc", "an0-sin")}},
            ["fra has had no handshake on an0-nyc for 181 s", "fra has had no handshake on an0-sin for 181 s"],
            "0/2 2/2 - 2/2",
        ),
        (
            {"sessions": {"an0_nyc": "Active"}},
            [
                "fra has no BGP session with nyc: an0_nyc is Active",
                "fra has no BGP session with sin: an0_sin is missing",
            ],
            "2/2 0/2 7 s 2/2",
        ),
        (
            {"reach": {"nyc": None, "sin": None}, "problem": "cannot ask from fd12::1: Cannot assign address"},
            ["fra cannot ask from fd12::1: Cannot assign address"],
            "2/2 2/2 7 s 0/2",
        ),
    ],
)
def test_a_fault(three: dict[str, dict[str, Any]], changes: Any, faults: list[str], row: str) -> None:
    told = with_fra(three, **changes)
    assert list(told.faults) == faults
    assert " ".join(told.lines[3].split()[-len(row.split()) :]) == row


def test_a_lost_pair_is_in_the_matrix(three: dict[str, dict[str, Any]]) -> None:
    told = with_fra(three, reach={"nyc": None, "sin": {"milliseconds": 12.345, "hops": 2}})
    assert "fra        -        LOST     12.3 (2)" in told.lines
    assert told.lines[-1] == "5 of 6 ordered pairs of hosts reach each other."


def test_a_host_that_cannot_be_asked(three: dict[str, dict[str, Any]]) -> None:
    seen = sight(three)
    del seen["sin"]
    seen["fra"] = changed(seen["fra"], reach={"nyc": {"milliseconds": 1, "hops": 0}, "sin": None})
    told = report(three, seen)
    assert told.faults == ("sin cannot be asked: the control node does not reach it", "fra does not reach sin")
    assert told.lines[5].split()[-4:] == ["?"] * 4
    assert any(line.split() == ["sin", "?", "?", "-"] for line in told.lines)
    assert told.lines[-1] == "3 of 4 ordered pairs of hosts reach each other."
    told = report(three, seen, {"sin": "Missing sudo password"})
    assert told.faults[0] == "sin cannot be asked: Missing sudo password"


def test_a_host_that_waits_for_keys(three: dict[str, dict[str, Any]]) -> None:
    three["fra"]["pending"] = ["nyc"]
    three["fra"]["tunnels"][0]["pending"] = True
    three["fra"]["bgp"] = three["fra"]["bgp"][1:]
    told = with_fra(three, tunnels={"an0-sin": {"age": 0, "kernel": True}})
    assert told.faults == ("fra waits for the keys of nyc: run site.yml there too",)
    assert told.lines[3].split()[-5:-1] == ["1/2", "1/1", "0", "s"]


def test_a_drained_host_and_one_that_is_no_relay(three: dict[str, dict[str, Any]]) -> None:
    three["fra"]["drained"] = True
    three["sin"] |= {"relay": False, "subnet": None}
    told = report(three, sight(three))
    assert told.faults == ()
    assert told.lines[0].endswith(": 3 hosts, 2 of them relays, 3 tunnels")
    assert told.lines[3].split()[1:3] == ["relay,", "drained"]
    assert told.lines[5].split()[1] == "host"
    assert told.lines[5].split()[5] == "-"


def test_a_host_that_is_shut_out_is_a_row_and_no_fault() -> None:
    slices = pieces("fra", "nyc")
    shut = {"sin": {"id": 3, "loopback": "fd12:3456:789a::3", "asn": 4200000003}}
    told = report(slices, sight(slices), quarantined=shut)
    assert told.faults == ()
    (row,) = [line for line in told.lines if line.startswith("sin ")]
    assert row.split() == ["sin", "quarantined", "3", "fd12:3456:789a::3", "4200000003", *["-"] * 5]


def test_userspace(three: dict[str, dict[str, Any]]) -> None:
    told = with_fra(three, tunnels={n: {"age": 1, "kernel": False} for n in ("an0-nyc", "an0-sin")})
    assert told.faults == ()
    assert told.lines[-2].startswith("WireGuard runs in userspace on fra: ")


def test_one_host_of_many_counts_its_tunnels(three: dict[str, dict[str, Any]]) -> None:
    told = report({"fra": three["fra"]}, {"fra": sight(three)["fra"]})
    assert told.lines[0].endswith(": 1 hosts, 1 of them relays, 2 tunnels")
    assert told.lines[-1] == "2 of 2 ordered pairs of hosts reach each other, all of them."


def test_one_host_of_many_that_reaches_nobody(three: dict[str, dict[str, Any]]) -> None:
    """Whom it was asked about counts, though the run was limited to it alone."""
    told = report({"fra": three["fra"]}, {"fra": Seen(reach={"nyc": None, "sin": None})})
    assert told.lines[-1] == "0 of 2 ordered pairs of hosts reach each other."
    assert {"fra does not reach nyc", "fra does not reach sin"} <= set(told.faults)


def test_two_generations_are_two_tunnels(three: dict[str, dict[str, Any]]) -> None:
    for one, other in (("fra", "nyc"), ("nyc", "fra")):
        second = {"neighbour": other, "generation": 1, "interface": f"an1-{other}", "pending": False}
        three[one]["tunnels"].append(second)
    assert report(three, sight(three)).lines[0].endswith("4 tunnels")


def test_no_hosts() -> None:
    told = report({}, {})
    assert told.faults == ()
    assert told.lines[0] == "Network -: 0 hosts, 0 of them relays, 0 tunnels"


@pytest.mark.parametrize(("count", "printed"), [(MATRIX_MAX, True), (MATRIX_MAX + 1, False)])
def test_the_matrix_has_an_end(count: int, printed: bool) -> None:
    many = pieces(*(f"h{number}" for number in range(count)))
    assert any(line.startswith("ms (hops)") for line in report(many, sight(many)).lines) == printed


def test_lists_have_an_end() -> None:
    many = pieces(*(f"h{number}" for number in range(30)))
    seen = {name: Seen(reach={other: None for other in many if other != name}) for name in many}
    told = report(many, seen)
    assert len(told.faults) == 3 * (SHOWN_MAX + 1)
    assert [line for line in told.faults if line.startswith("and ")] == [
        "and 850 more tunnels without a handshake",
        "and 850 more BGP sessions that are down",
        "and 850 more pairs of hosts without a way",
    ]


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(st.text("ab é", max_size=6), min_size=width, max_size=width), min_size=1)
    )
)
def test_columns_are_aligned(rows: list[list[str]]) -> None:
    lines = table(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert line == line.rstrip()
        padded = line.ljust(sum(widths) + 2 * len(widths))
        start = 0
        for value, width in zip(row, widths, strict=True):
            assert padded[start : start + width] == value.ljust(width)
            start += width + 2
