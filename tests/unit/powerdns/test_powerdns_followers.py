"""Secondaries are told of a change at once, and again while they do not follow."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.opcode
import dns.rdatatype
import pytest

from altnet.powerdns import followers
from altnet.powerdns.followers import DnsFollowers
from altnet.resolver import wire


@pytest.fixture
def secondary() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
        made.bind(("::1", 0))
        made.settimeout(5)
        yield made


def follow(secondary: socket.socket) -> DnsFollowers:
    return DnsFollowers({"two": "::1"}, secondary.getsockname()[1], "::1")


def test_a_notify_is_one(secondary: socket.socket) -> None:
    follow(secondary).tell("net.alt.")
    packet = secondary.recv(4096)
    heard = wire.notified(packet)
    assert heard is not None
    assert heard[0] == "net.alt."
    told = dns.message.from_wire(packet)
    assert told.opcode() == dns.opcode.NOTIFY
    assert told.flags & (dns.flags.AA | dns.flags.RD) == dns.flags.AA


def test_nobody_there_is_no_fault(secondary: socket.socket) -> None:
    nobody = follow(secondary)
    secondary.close()
    nobody.tell("net.alt.")
    DnsFollowers({"two": "fd00::1"}, 5300, "fd00::2").tell("net.alt.")


def test_who_is_behind_is_told_again(secondary: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of a mass of zones: those are PowerDNS's own to get through."""
    monkeypatch.setattr(followers, "_TELL_AGAIN", 0.2)
    monkeypatch.setattr(followers, "_TOLD", 2)
    monkeypatch.setattr(DnsFollowers, "_ask", lambda *_: iter([("two", "a.alt.", 7)]))
    lag = follow(secondary).wait({"a.alt.": 8, "b.alt.": 8, "c.alt.": 8}, 0.5)
    assert lag.behind == {"two": {"a.alt.": 7, "b.alt.": None, "c.alt.": None}}
    told = []
    secondary.settimeout(0.1)
    while True:
        try:
            told.append(wire.notified(secondary.recv(4096)))
        except TimeoutError:
            break
    names = {heard[0] for heard in told if heard}
    assert names == {"a.alt.", "b.alt."}
