"""ICMPv6 echo to many addresses at once, from one source address.

One raw socket and one process, however many targets: a host asks every other host of the network in the time it
takes to ask the slowest (RFC 4443 §4; RFC 3542 §3.2 for the filter, §4 for the hop limit).
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

ECHO_REQUEST = 128
ECHO_REPLY = 129
ICMP6_FILTER = 1
#: Linux answers with this hop limit, so what is missing on arrival is the length of the way back.
DEFAULT_HOP_LIMIT = 64
#: Echoes sent before the replies so far are read, so that no socket buffer overflows.
BURST = 64
#: Type, code, checksum, identifier, sequence number; then, in the data, the target's number.
HEADER = struct.Struct("!BBHHHI")


@dataclass(frozen=True)
class Reply:
    """An answer: round trip in milliseconds, routers on the way back."""

    milliseconds: float
    hops: int


def filter_bits(passed: int) -> bytes:
    """Return the ICMP6_FILTER option that blocks every type except ``passed`` (a set bit blocks)."""
    words = [0xFFFFFFFF] * 8
    words[passed >> 5] &= ~(1 << (passed & 31)) & 0xFFFFFFFF
    return struct.pack("@8I", *words)


def echo(source: str, targets: Mapping[str, str], wait: float, interval: float = 1.0) -> dict[str, Reply | None]:
    """Ask every address of ``targets`` (name to address) until all have answered or ``wait`` seconds are over.

    Who has not answered is asked again every ``interval`` seconds. Returns the first reply of each, or None.
    Raises OSError where ``source`` is not an address of this host.
    """
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, filter_bits(ECHO_REPLY))
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        raw.settimeout(0)
        raw.bind((source, 0))
        asked = Round(raw, targets)
        deadline = time.monotonic() + wait
        while asked.silent and time.monotonic() < deadline:
            asked.send()
            until = min(deadline, time.monotonic() + interval)
            while asked.silent and (left := until - time.monotonic()) > 0:
                asked.receive(left)
    return asked.replies


class Round:
    """The targets, who of them has answered, and when each was asked."""

    def __init__(self, raw: socket.socket, targets: Mapping[str, str]) -> None:
        self.raw = raw
        self.names = list(targets)
        self.targets = targets
        self.replies: dict[str, Reply | None] = dict.fromkeys(targets)
        self.silent = set(range(len(self.names)))
        self.identifier = os.getpid() & 0xFFFF
        self.attempt = 0
        self.sent: dict[tuple[int, int], float] = {}

    def send(self) -> None:
        """Send an echo request to everybody who is silent, and read replies in between."""
        self.attempt = (self.attempt + 1) & 0xFFFF
        for count, index in enumerate(sorted(self.silent), 1):
            self.request(index)
            if count % BURST == 0:
                self.receive(0.01)

    def request(self, index: int) -> None:
        """Send one; an address without a route is simply silent. The kernel fills in the checksum."""
        packet = HEADER.pack(ECHO_REQUEST, 0, 0, self.identifier, self.attempt, index)
        self.sent[self.attempt, index] = time.monotonic()
        try:
            self.raw.sendto(packet, (self.targets[self.names[index]], 0))
        except OSError:
            del self.sent[self.attempt, index]

    def receive(self, wait: float) -> None:
        """Take in every reply that is there within ``wait`` seconds of the first look."""
        if not select.select([self.raw], [], [], wait)[0]:
            return
        while True:
            try:
                packet, ancillary, _, _ = self.raw.recvmsg(2048, socket.CMSG_SPACE(4))
            except BlockingIOError:
                return
            self.take(packet, hop_limit(ancillary), time.monotonic())

    def take(self, packet: bytes, limit: int, now: float) -> None:
        """Note a packet that answers one of ours; the first answer counts."""
        if len(packet) < HEADER.size:
            return
        kind, _, _, identifier, attempt, index = HEADER.unpack_from(packet)
        start = self.sent.get((attempt, index))
        if kind != ECHO_REPLY or identifier != self.identifier or start is None or index not in self.silent:
            return
        self.silent.discard(index)
        hops = max(0, DEFAULT_HOP_LIMIT - limit)
        self.replies[self.names[index]] = Reply(round((now - start) * 1000, 2), hops)


def hop_limit(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the hop limit that a packet arrived with, from what the kernel says beside it."""
    limits = (struct.unpack("@i", data)[0] for _, what, data in ancillary if what == socket.IPV6_HOPLIMIT)
    return int(next(limits, DEFAULT_HOP_LIMIT))
