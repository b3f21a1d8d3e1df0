"""As much of DNS (RFC 1035, 4034, 5936) as it takes to ask many questions at once and to read a whole zone.

The standard library's getaddrinfo does not say whether an answer was validated, and hosts that only ask have nothing
else installed: a question with the AD bit (RFC 6840 §5.7) is answered with one where the resolver has validated.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

TYPES = {"NS": 2, "SOA": 6, "PTR": 12, "AAAA": 28, "DS": 43, "RRSIG": 46, "DNSKEY": 48, "AXFR": 252}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED", 9: "NOTAUTH"}
QR, TC, RD, AD = 0x8000, 0x0200, 0x0100, 0x0020
HEADER = struct.Struct("!6H")
FIXED = struct.Struct("!HHIH")
SIGNATURE = struct.Struct("!HBBIIIH")
#: Questions on their way at a time: what a socket's buffer holds of answers.
BURST = 64
#: Seconds until a question is asked again: packets get lost.
AGAIN = 1.0
ZONE_KEY = 0x0100
SHA256 = 2


@dataclass(frozen=True)
class Record:
    """A resource record: ``value`` is the address, the name or the serial that it holds, empty for other types."""

    name: str
    kind: int
    value: str
    data: bytes


@dataclass(frozen=True)
class Answer:
    """What came of a question."""

    rcode: str
    validated: bool
    records: tuple[Record, ...] = ()


def encode(name: str) -> bytes:
    """Return a name in wire form."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode(packet: bytes, offset: int) -> tuple[str, int]:
    """Return the name at ``offset``, lower case with a final dot, and where it ends. Raises ValueError."""
    labels, end, start = [], 0, offset
    while True:
        length = packet[offset]
        if length >= 0xC0:
            end = end or offset + 2
            offset = (length & 0x3F) << 8 | packet[offset + 1]
            # A pointer leads to what was before it, so it never leads around.
            if offset >= start:
                raise ValueError("a name points ahead")
            start = offset
        elif length:
            labels.append(packet[offset + 1 : offset + 1 + length].decode("latin-1").lower())
            offset += 1 + length
        else:
            return ".".join(labels) + ".", end or offset + 1


def question(name: str, kind: str, ident: int) -> bytes:
    """Return a query that asks for recursion, and whether the answer is validated."""
    return HEADER.pack(ident, RD | AD, 1, 0, 0, 0) + encode(name) + struct.pack("!2H", TYPES[kind], 1)


def records(packet: bytes) -> Iterator[Record]:
    """Yield the records of a message's answer section. Raises ValueError, IndexError or struct.error for a bad one."""
    _, _, questions, answers, _, _ = HEADER.unpack_from(packet)
    offset = HEADER.size
    for _ in range(questions):
        offset = decode(packet, offset)[1] + 4
    for _ in range(answers):
        name, offset = decode(packet, offset)
        kind, _, _, length = FIXED.unpack_from(packet, offset)
        offset += FIXED.size
        yield Record(name, kind, _value(packet, kind, offset, length), packet[offset : offset + length])
        offset += length


def _value(packet: bytes, kind: int, offset: int, length: int) -> str:
    if kind == TYPES["AAAA"]:
        return socket.inet_ntop(socket.AF_INET6, packet[offset : offset + length])
    if kind in {TYPES["PTR"], TYPES["NS"]}:
        return decode(packet, offset)[0]
    if kind == TYPES["SOA"]:
        rest = decode(packet, decode(packet, offset)[1])[1]
        return str(struct.unpack_from("!I", packet, rest)[0])
    return ""


def answer(packet: bytes) -> Answer:
    """Return what a packet answers. Raises ValueError, IndexError or struct.error for one that is no message."""
    flags = HEADER.unpack_from(packet)[1]
    rcode = RCODES.get(flags & 0xF, f"rcode {flags & 0xF}")
    if flags & TC:
        return Answer("truncated", validated=False)
    return Answer(rcode, bool(flags & AD), tuple(records(packet)))


def ask(
    source: str, server: str, port: int, questions: Iterable[tuple[str, str]], wait: float
) -> dict[tuple[str, str], Answer | None]:
    """Ask ``server`` all questions (name and type) from the address ``source``; who is silent is asked again.

    Returns each answer, None where none came within ``wait`` seconds. Raises OSError where there is no such source.
    """
    found: dict[tuple[str, str], Answer | None] = dict.fromkeys(questions)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as place:
        place.bind((source, 0))
        place.connect((server, port))
        deadline = time.monotonic() + wait
        while (silent := [key for key, value in found.items() if value is None]) and time.monotonic() < deadline:
            for start in range(0, len(silent), BURST):
                _round(place, silent[start : start + BURST], found, min(deadline, time.monotonic() + AGAIN))
                if time.monotonic() >= deadline:
                    break
    return found


def _round(
    place: socket.socket,
    keys: list[tuple[str, str]],
    found: dict[tuple[str, str], Answer | None],
    until: float,
) -> None:
    first = int.from_bytes(os.urandom(2), "big")
    waiting: dict[bytes, tuple[str, str]] = {}
    for number, key in enumerate(keys):
        packet = question(*key, (first + number) & 0xFFFF)
        waiting[packet[:2] + packet[HEADER.size :].lower()] = key
        try:
            place.send(packet)
        except OSError:
            continue  # nobody listens there yet
    while waiting and (left := until - time.monotonic()) > 0:
        place.settimeout(left)
        try:
            packet = place.recv(4096)
            end = decode(packet, HEADER.size)[1] + 4
            key = waiting.pop(packet[:2] + packet[HEADER.size : end].lower(), ("", ""))
            if key in found:
                found[key] = answer(packet)
        except TimeoutError:
            return
        except ConnectionRefusedError:
            time.sleep(min(AGAIN, max(0.0, until - time.monotonic())) / 2)
            return
        except (ValueError, IndexError, struct.error):
            continue  # somebody's noise


def transfer(server: str, port: int, zone: str, wait: float) -> list[Record]:
    """Return a whole zone by AXFR, without the SOA that ends it.

    Raises OSError where the server does not answer, ValueError where it hands over nothing or nonsense.
    """
    found: list[Record] = []
    with socket.create_connection((server, port), timeout=wait) as place:
        query = question(zone, "AXFR", int.from_bytes(os.urandom(2), "big"))
        place.sendall(struct.pack("!H", len(query)) + query)
        with place.makefile("rb") as stream:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    raise ValueError(f"the transfer of {zone} ends in its middle")
                packet = stream.read(int.from_bytes(head, "big"))
                try:
                    rcode = HEADER.unpack_from(packet)[1] & 0xF
                    found += records(packet)
                except (IndexError, struct.error) as error:
                    raise ValueError(f"the transfer of {zone} is no DNS: {error}") from None
                if rcode or not found:
                    raise ValueError(f"{zone} is not handed over: {RCODES.get(rcode, rcode)}")
                if len(found) > 1 and found[-1].kind == TYPES["SOA"]:
                    return found[:-1]


def ds(zone: str, key: bytes) -> str:
    """Return the DS record (RFC 4034 §5, SHA-256) of a DNSKEY's data, in presentation form."""
    total = sum(byte << 8 if index % 2 == 0 else byte for index, byte in enumerate(key))
    tag = (total + (total >> 16 & 0xFFFF)) & 0xFFFF
    return f"{tag} {key[3]} {SHA256} {hashlib.sha256(encode(zone.lower()) + key).hexdigest().upper()}"


def ds_text(data: bytes) -> str:
    """Return a DS record's data in presentation form."""
    tag, algorithm, digest = struct.unpack_from("!HBB", data)
    return f"{tag} {algorithm} {digest} {data[4:].hex().upper()}"


def secure_keys(zone: str, found: Iterable[Record]) -> Mapping[str, bool]:
    """Return the DS of every zone key in a zone, and whether it has signed the keys."""
    own = [record for record in found if record.name == zone]
    keys = [record.data for record in own if record.kind == TYPES["DNSKEY"]]
    signatures = [SIGNATURE.unpack_from(record.data) for record in own if record.kind == TYPES["RRSIG"]]
    signers = {fields[6] for fields in signatures if fields[0] == TYPES["DNSKEY"]}
    digests = [ds(zone, key) for key in keys if int.from_bytes(key[:2], "big") & ZONE_KEY]
    return {text: int(text.split()[0]) in signers for text in digests}
