"""ICMPv6 echoes: how they are read, and real ones on this machine's loopback."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.host import echo as module
from altnet.host.echo import ECHO_REPLY, HEADER, Reply, Round, echo, filter_bits, hop_limit


@given(st.integers(0, 255))
def test_the_filter_passes_one_type(passed: int) -> None:
    words = struct.unpack("@8I", filter_bits(passed))
    assert [kind for kind in range(256) if not words[kind >> 5] >> (kind & 31) & 1] == [passed]


class Wire:
    """A socket that keeps what is sent, and has no route to one address."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str]] = []

    def sendto(self, packet: bytes, address: tuple[str, int]) -> None:
        if address[0] == "fd00::bad":
            raise OSError(101, "Network is unreachable")
        self.sent.append((packet, address[0]))


@pytest.fixture
def asked() -> Round:
    wire = Wire()
    made = Round(wire, {"fra": "fd00::1", "nyc": "fd00::2", "bad": "fd00::bad"})  # type: ignore[arg-type]
    made.send()
    assert [address for _, address in wire.sent] == ["fd00::1", "fd00::2"]
    return made


def answer(asked: Round, index: int = 0, **changes: int) -> bytes:
    fields = {"kind": ECHO_REPLY, "code": 0, "sum": 0, "identifier": asked.identifier, "attempt": asked.attempt}
    return HEADER.pack(*{**fields, "index": index, **changes}.values())


def test_a_reply(asked: Round) -> None:
    start = asked.sent[asked.attempt, 1]
    asked.take(answer(asked, 1) + b"more", 61, start + 0.0125)
    assert asked.replies == {"fra": None, "nyc": Reply(12.5, 3), "bad": None}
    asked.take(answer(asked, 1), 64, start + 9)
    assert asked.replies["nyc"] == Reply(12.5, 3), "the first one counts"
    assert asked.silent == {0, 2}


@pytest.mark.parametrize("changes", [{"kind": 128}, {"identifier": 0}, {"attempt": 9}, {"index": 7}, {"index": 2}])
def test_what_is_no_reply_to_us(asked: Round, changes: dict[str, int]) -> None:
    if "identifier" in changes:
        changes["identifier"] = asked.identifier ^ 1
    asked.take(answer(asked, **changes), 64, time.monotonic())
    assert set(asked.replies.values()) == {None}


@given(st.binary(max_size=64))
def test_anything_may_arrive(packet: bytes) -> None:
    made = Round(Wire(), {"fra": "fd00::1"})  # type: ignore[arg-type]
    made.send()
    made.take(packet, 64, time.monotonic())


def test_a_late_answer_to_an_earlier_try_counts(asked: Round) -> None:
    first, start = answer(asked, 0), asked.sent[asked.attempt, 0]
    asked.send()
    asked.take(first, 64, start + 1.5)
    assert asked.replies["fra"] == Reply(1500.0, 0)


@pytest.mark.parametrize(
    ("ancillary", "limit"),
    [
        ([], 64),
        ([(socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, struct.pack("@i", 60))], 60),
        ([(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, struct.pack("@i", 0))], 64),
    ],
)
def test_the_hop_limit(ancillary: list[tuple[int, int, bytes]], limit: int) -> None:
    assert hop_limit(ancillary) == limit


def loopback_has_ipv6() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
            raw.bind(("::1", 0))
    except OSError:
        return False
    return True


real = pytest.mark.skipif(not loopback_has_ipv6(), reason="needs root and ::1; lab/unit-debian has it and runs this")


@real
def test_the_loopback_answers() -> None:
    start = time.monotonic()
    replies = echo("::1", {"me": "::1"}, wait=5)
    assert time.monotonic() - start < 1, "it returns with the last answer"
    assert replies["me"] is not None
    assert replies["me"].hops == 0
    assert 0 <= replies["me"].milliseconds < 1000


@real
def test_many_targets() -> None:
    targets = {f"host{number}": "::1" for number in range(1500)}
    start = time.monotonic()
    replies = echo("::1", targets, wait=10)
    assert all(replies.values())
    assert time.monotonic() - start < 5


@real
@pytest.mark.parametrize("silent", ["100::1", "ff02::1:2"])
def test_silence(silent: str) -> None:
    start = time.monotonic()
    replies = echo("::1", {"none": silent, "me": "::1"}, wait=0.6, interval=0.2)
    assert 0.5 < time.monotonic() - start < 1.5
    assert replies["none"] is None
    assert replies["me"] is not None


@real
def test_nobody_to_ask() -> None:
    assert echo("::1", {}, wait=5) == {}


@real
def test_a_source_that_is_not_ours() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        echo("100::1", {"me": "::1"}, wait=1)


@real
def test_who_starts_to_answer_late_is_asked_again() -> None:
    """In a namespace of its own, whose loopback gets the address only after the first try."""
    script = (
        "ip link set lo up; (sleep 0.5; ip -6 addr add fd00::2/128 dev lo nodad) & "
        f"exec {sys.executable} -c 'import sys; sys.path.insert(0, sys.argv[1]); "
        "from altnet.host.echo import echo; "
        'print(echo("::1", {"late": "fd00::2"}, 5, 0.2)["late"].hops)\' '
        f"{Path(module.__file__).parents[2]}"
    )
    done = subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip("no network namespaces; lab/unit-debian has it and runs this")
    assert done.stdout == "0\n", done.stderr
