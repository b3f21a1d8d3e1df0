"""Questions to name servers, and reading what comes back."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.host import dns

LABELS = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), min_size=1, max_size=5)
POINTER = b"\xc0\x0c"


def reply(query: bytes, *records: tuple[str, bytes], flags: int = dns.QR | dns.AD) -> bytes:
    """Return a reply with records of the name that was asked for."""
    ident = dns.HEADER.unpack_from(query)[0]
    head = dns.HEADER.pack(ident, flags, 1, len(records), 0, 0) + query[dns.HEADER.size :]
    return head + b"".join(
        POINTER + dns.FIXED.pack(dns.TYPES[kind], 1, 3600, len(data)) + data for kind, data in records
    )


AAAA = socket.inet_pton(socket.AF_INET6, "fd00::1")
FRA = ("fra.net.alt.", "AAAA")


@given(LABELS)
def test_a_name_is_read_as_it_was_written(labels: list[str]) -> None:
    name = ".".join(labels) + "."
    wire = dns.encode(name)
    assert dns.decode(b"xx" + wire + b"rest", 2) == (name, 2 + len(wire))


def test_a_compressed_name_ends_where_its_pointer_does() -> None:
    packet = dns.encode("net.alt.") + b"\x03fra\xc0\x00" + b"rest"
    assert dns.decode(packet, 9) == ("fra.net.alt.", 15)


@pytest.mark.parametrize("packet", [b"\xc0\x00", b"\xc0\x02\xc0\x00", b"\x03fra\xc0\x00"])
def test_a_name_that_leads_around_is_refused(packet: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        dns.decode(packet, 0)


@given(st.binary(max_size=80))
def test_noise_is_never_more_than_an_error(packet: bytes) -> None:
    try:
        dns.answer(packet)
    except (ValueError, IndexError, struct.error):
        return


def test_the_values_of_an_answer() -> None:
    query = dns.question("alt.", "SOA", 7)
    soa = dns.encode("ns.alt.") + b"\x0ahostmaster" + POINTER + struct.pack("!5I", 1_797_120_000, 1, 2, 3, 4)
    one = dns.answer(reply(query, ("SOA", soa), ("AAAA", AAAA), ("PTR", b"\x03fra" + POINTER)))
    assert [record.value for record in one.records] == ["1797120000", "fd00::1", "fra.alt."]
    assert {record.name for record in one.records} == {"alt."}
    assert one.rcode == "NOERROR"
    assert one.validated


def test_the_ds_of_rfc_4509() -> None:
    key = base64.b64decode(
        "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBa"
        "MbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
    )
    data = bytes([1, 0, 3, 5]) + key
    text = "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"
    assert dns.ds("dskey.example.com.", data) == text
    assert dns.ds("DSKEY.example.com", data) == text
    tag, algorithm, kind, digest = text.split()
    wire = struct.pack("!HBB", int(tag), int(algorithm), int(kind)) + bytes.fromhex(digest)
    assert dns.ds_text(wire) == text


@contextmanager
def server(react: Callable[[bytes, int], list[bytes]]) -> Iterator[int]:
    """Yield the port of a server that answers each packet with what ``react`` makes of it and of its number."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as place:
        place.bind(("::1", 0))
        place.settimeout(10)

        def serve() -> None:
            number = 0
            while True:
                try:
                    packet, sender = place.recvfrom(4096)
                except OSError:
                    return
                for one in react(packet, number):
                    place.sendto(one, sender)
                number += 1

        threading.Thread(target=serve, daemon=True).start()
        yield place.getsockname()[1]


def test_many_questions_at_once() -> None:
    questions = [(f"h{number}.net.alt.", "AAAA") for number in range(300)]
    with server(lambda packet, _: [reply(packet, ("AAAA", AAAA))]) as port:
        found = dns.ask("::1", "::1", port, questions, 10)
    assert list(found) == questions
    assert all(one is not None and one.records[0].value == "fd00::1" for one in found.values())


def test_a_lost_question_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "AGAIN", 0.1)
    with server(lambda packet, number: [reply(packet, ("AAAA", AAAA))] if number >= 2 else []) as port:
        found = dns.ask("::1", "::1", port, [FRA], 10)
    assert found[FRA] is not None


def test_who_is_silent_has_no_answer() -> None:
    with server(lambda *_: []) as port:
        assert dns.ask("::1", "::1", port, [FRA], 0.3) == {FRA: None}


def test_where_nobody_listens_there_is_no_answer() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as place:
        place.bind(("::1", 0))
        port = place.getsockname()[1]
    assert dns.ask("::1", "::1", port, [FRA], 0.3) == {FRA: None}


def test_answers_to_other_questions_and_noise_are_passed_over() -> None:
    def react(packet: bytes, _: int) -> list[bytes]:
        other = dns.question("other.alt.", "AAAA", dns.HEADER.unpack_from(packet)[0])
        return [b"noise", b"", reply(other, ("AAAA", AAAA)), reply(packet, ("AAAA", AAAA), flags=dns.QR)]

    with server(react) as port:
        found = dns.ask("::1", "::1", port, [FRA], 5)
    assert found[FRA] is not None
    assert not found[FRA].validated


def test_a_source_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match=r"."):
        dns.ask("fd99::1", "::1", 53, [FRA], 0.1)
