"""What birdc answered in a mesh of 2.0.12 and 2.17.5, and what we make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from altnet.bird.protocols import Protocol, Routes, parse_protocols

ANSWERS = Path(__file__).parent / "answers"
TABLE = (ANSWERS / "show-protocols-2.17.txt").read_text()
DETAILS = (ANSWERS / "show-protocols-all-2.0.12.txt").read_text()


def test_table_gives_every_protocol_in_order() -> None:
    assert [protocol.name for protocol in parse_protocols(TABLE)] == [
        "device1", "own", "kernel1", "an0_l5", "an0_r2", "an0_x", "an0_frankfurt_main",
    ]  # fmt: skip


def test_table_without_all_has_no_details() -> None:
    session = parse_protocols(TABLE)[3]
    assert session == Protocol("an0_l5", "BGP", "---", "up", "2026-11-21T06:52:53+0000", "Established")
    assert session.established


@pytest.mark.parametrize(
    ("name", "state", "info", "message"),
    [
        ("kernel1", "up", "", ""),
        ("an0_r2", "start", "Active", "Socket: Connection refused"),
        ("an0_x", "start", "Idle", "Automatic shutdown: Route limit exceeded"),
        ("an0_frankfurt_main", "down", "", ""),
    ],
)
def test_state_and_reason(name: str, state: str, info: str, message: str) -> None:
    (one,) = [protocol for protocol in parse_protocols(TABLE) if protocol.name == name]
    assert (one.state, one.info, one.message, one.established) == (state, info, message, False)


def test_details() -> None:
    ends, up, idle = parse_protocols(DETAILS)
    assert ends.routes == Routes(imported=2, exported=0, preferred=2)
    assert (up.neighbour, up.interface, up.neighbour_asn) == ("fe80::1", "an0-r1", 4200000001)
    assert (up.description, up.routes) == ("relay r1", Routes(6, 1, 7, 4))
    assert up.last_error is None
    assert idle.last_error == "Automatic shutdown: Route limit exceeded"
    assert idle.routes is None


@pytest.mark.parametrize("since", ["06:53:39.752", "2026-11-20", "2026-11-21 06:53:39", "2026-11-21 06:53:39.752"])
def test_other_time_formats(since: str) -> None:
    (session,) = parse_protocols(f"an0_nyc    BGP        ---        up     {since}  Established   \n")
    assert (session.since, session.info) == (since, "Established")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "BIRD 2.17.5 ready.\n",
        "Unable to connect to server control socket (/run/bird.ctl): refused\n",
    ],
)
def test_no_table_gives_nothing(text: str) -> None:
    assert parse_protocols(text) == ()
