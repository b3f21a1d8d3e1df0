"""DNS on the wire, as far as the watchers speak it."""

from __future__ import annotations

import pytest

from altnet.resolver import wire

QUERY = wire.question("resolver.net.alt", "AAAA", 7)


def reply(flags: int, *, answers: int = 1, ident: int = 7, query: bytes = QUERY) -> bytes:
    return wire.HEADER.pack(ident, wire.QR | flags, 1, answers, 0, 0) + query[12:]


def test_a_question_asks_for_recursion_and_validation() -> None:
    head, name = QUERY[:12], QUERY[12:]
    assert head.hex(" ", 2) == "0007 0120 0001 0000 0000 0000"
    assert name == b"\x08resolver\x03net\x03alt\x00\x00\x1c\x00\x01"


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".alt"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.encode(name)


@pytest.mark.parametrize("name", ["alt", "alt.", "a.b.alt."])
def test_encode_then_decode(name: str) -> None:
    packet = wire.encode(name)
    assert wire.decode(packet, 0) == (name.rstrip(".") + ".", len(packet))


def test_the_root() -> None:
    assert wire.encode(".") == b"\0"


@pytest.mark.parametrize(
    ("flags", "answers", "wanted"),
    [
        (wire.AD, 1, wire.Answer("NOERROR", 1, authenticated=True, authoritative=False)),
        (wire.AA, 2, wire.Answer("NOERROR", 2, authenticated=False, authoritative=True)),
        (3, 0, wire.Answer("NXDOMAIN", 0, authenticated=False, authoritative=False)),
        (15, 0, wire.Answer("rcode 15", 0, authenticated=False, authoritative=False)),
    ],
)
def test_answer(flags: int, answers: int, wanted: wire.Answer) -> None:
    assert wire.answer(reply(flags, answers=answers), QUERY) == wanted


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        QUERY,
        reply(0, ident=8),
        reply(0, query=wire.question("resolver.net.neo", "AAAA", 7)),
        reply(0, query=wire.question("resolver.net.alt", "A", 7)),
    ],
    ids=["nothing", "a query", "another's", "another name", "another type"],
)
def test_no_answer(packet: bytes) -> None:
    assert wire.answer(packet, QUERY) is None


def notify(flags: int = wire.NOTIFY | wire.AA, name: str = "Example.ALT", tail: bytes = b"\x00\x06\x00\x01") -> bytes:
    return wire.HEADER.pack(9, flags, 1, 0, 0, 0) + wire.encode(name) + tail


def test_a_notify_is_answered_in_kind() -> None:
    heard = wire.notified(notify() + b"the SOA that some servers add")
    assert heard is not None
    assert heard[0] == "example.alt."
    assert heard[1] == notify(wire.NOTIFY | wire.AA | wire.QR)


@pytest.mark.parametrize(
    "packet",
    [
        b"short",
        notify(wire.NOTIFY | wire.QR),
        notify(wire.AA),
        notify(tail=b"\x00\x01\x00\x01"),
        wire.HEADER.pack(9, wire.NOTIFY, 1, 0, 0, 0) + b"\xc0\x0c\x00\x06\x00\x01",
        wire.HEADER.pack(9, wire.NOTIFY, 1, 0, 0, 0) + b"\x03al",
        wire.HEADER.pack(9, wire.NOTIFY, 1, 0, 0, 0) + b"\x02\xff\xff\x00\x00\x06\x00\x01",
    ],
    ids=["short", "an answer", "a query", "not SOA", "compressed", "cut off", "not ASCII"],
)
def test_no_notify(packet: bytes) -> None:
    assert wire.notified(packet) is None
