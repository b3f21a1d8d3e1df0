"""As much of DNS on the wire (RFC 1035 §4) as a question, the head of its answer, and a NOTIFY take."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct("!6H")
TYPES = {"A": 1, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "DNSKEY": 48}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}
IN = 1
QR, AA, TC, RD, AD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0020
OPCODE_MASK, NOTIFY = 0x7800, 4 << 11
LONGEST_LABEL = 63


@dataclass(frozen=True)
class Answer:
    """The head of an answer: what came of the question, and by whose word."""

    rcode: str
    answers: int
    authenticated: bool
    authoritative: bool


def encode(name: str) -> bytes:
    """Return a name in wire form. Raises ValueError for one that is none."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".") if name.rstrip(".")]
    if any(not label or len(label) > LONGEST_LABEL for label in labels):
        raise ValueError(name)
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode(packet: bytes, offset: int) -> tuple[str, int]:
    """Return the name that starts at ``offset``, lower case with a final dot, and where it ends.

    A name in a question is never compressed. Raises ValueError for anything else.
    """
    labels: list[str] = []
    while True:
        if offset >= len(packet) or packet[offset] > LONGEST_LABEL:
            raise ValueError(packet[:offset])
        length = packet[offset]
        label = packet[offset + 1 : offset + 1 + length]
        offset += 1 + length
        if not length:
            return ".".join(labels) + ".", offset
        labels.append(label.decode("ascii").lower())


def question(name: str, kind: str, ident: int) -> bytes:
    """Return a query that asks for recursion, and (RFC 6840 §5.7) to be told whether the answer is validated."""
    return HEADER.pack(ident, RD | AD, 1, 0, 0, 0) + encode(name) + struct.pack("!2H", TYPES[kind], IN)


def answer(packet: bytes, query: bytes) -> Answer | None:
    """Return what ``packet`` answers to ``query``, None where it is no answer to it."""
    if len(packet) < len(query) or packet[HEADER.size : len(query)].lower() != query[HEADER.size :].lower():
        return None
    ident, flags, _, answers, _, _ = HEADER.unpack_from(packet)
    if ident != HEADER.unpack_from(query)[0] or not flags & QR:
        return None
    rcode = flags & 0xF
    return Answer(RCODES.get(rcode, f"rcode {rcode}"), answers, bool(flags & AD), bool(flags & AA))


def notified(packet: bytes) -> tuple[str, bytes] | None:
    """Return the zone that a NOTIFY (RFC 1996) is about and the reply it waits for, None for any other packet."""
    if len(packet) < HEADER.size:
        return None
    ident, flags, questions, _, _, _ = HEADER.unpack_from(packet)
    if flags & QR or flags & OPCODE_MASK != NOTIFY or questions != 1:
        return None
    try:
        zone, end = decode(packet, HEADER.size)
    except ValueError:
        return None
    if packet[end : end + 4] != struct.pack("!2H", TYPES["SOA"], IN):
        return None
    return zone, HEADER.pack(ident, QR | NOTIFY | AA, 1, 0, 0, 0) + packet[HEADER.size : end + 4]
