"""What counts as a secondary's word, against servers that say whatever they are told to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from altnet.powerdns import witnesses
from altnet.powerdns.lost import Word
from altnet.powerdns.witnesses import DnsWitnesses

CATALOG = "catalog.invalid."
SOA = "invalid. invalid. 1 60 30 1209600 60"
RECORDS = {
    CATALOG: [(CATALOG, "SOA", SOA), (CATALOG, "NS", "invalid."), (f"a.zones.{CATALOG}", "PTR", "alt.")],
    "alt.": [
        ("alt.", "SOA", SOA), ("alt.", "NS", "ns.alt."), ("alt.", "DNSKEY", "257 3 13 b3Vycw=="),
        ("Shop.alt.", "NS", "ns.alt."),
    ],
}  # fmt: skip
HELD = {"alt.": frozenset({("alt.", "NS"), ("shop.alt.", "NS")})}


class Stub:
    """Answers each name and type with an rcode, or hands the zone over; it hangs up on what it was not told."""

    def __init__(self, **rcodes: str) -> None:
        self.rcodes = rcodes
        self.socket = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.socket.accept()
                with link, contextlib.suppress(OSError, struct.error):
                    (length,) = struct.unpack("!H", link.recv(2))
                    answer = self.answer(dns.message.from_wire(link.recv(length)))
                    if answer:
                        link.sendall(struct.pack("!H", len(answer)) + answer)

    def answer(self, question: dns.message.Message) -> bytes | None:
        asked = question.question[0]
        name, kind = asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)
        said = self.rcodes.get(f"{name.partition('.')[0]}_{kind.lower()}")
        if said is None:
            return None
        answer = dns.message.make_response(question)
        answer.set_rcode(dns.rcode.from_text(said))
        if said == "NOERROR":
            records = RECORDS[name]
            for owner, what, text in [*records, records[0]]:
                answer.answer.append(dns.rrset.from_text(owner, 60, "IN", what, text))
        return answer.to_wire()


@pytest.fixture
def stubs() -> Iterator[list[Stub]]:
    made: list[Stub] = []
    yield made
    for one in made:
        one.socket.close()


@pytest.mark.parametrize(
    ("rcodes", "held"),
    [
        ({"catalog_axfr": "NOERROR", "alt_axfr": "NOERROR"}, HELD),
        ({"catalog_axfr": "NOTAUTH", "catalog_soa": "REFUSED"}, {}),
        ({"catalog_axfr": "NOTAUTH", "catalog_soa": "NOERROR"}, None),
        ({"catalog_axfr": "NOTAUTH", "catalog_soa": "SERVFAIL"}, None),
        ({"catalog_axfr": "NOTAUTH"}, None),
        ({"catalog_axfr": "SERVFAIL", "catalog_soa": "SERVFAIL"}, None),
        ({"catalog_axfr": "REFUSED", "catalog_soa": "NOERROR"}, None),
        ({}, None),
        ({"catalog_axfr": "NOERROR", "alt_axfr": "NOTAUTH", "alt_soa": "REFUSED"}, None),
        ({"catalog_axfr": "NOERROR", "alt_axfr": "SERVFAIL"}, None),
        ({"catalog_axfr": "NOERROR"}, None),
    ],
    # Of what was asked alone: a set has another order in each of xdist's processes.
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if value and value is not HELD else "",
)
def test_only_a_clear_word_counts(stubs, rcodes, held) -> None:
    stubs.append(Stub(**rcodes))
    assert list(DnsWitnesses({"fra": "::1"}, stubs[0].port, patience=0).ask(CATALOG)) == [Word("fra", held)]


def test_one_that_is_not_there_yet_is_waited_for(stubs, monkeypatch) -> None:
    monkeypatch.setattr(witnesses, "_PAUSE", 0.1)
    stubs.append(Stub())
    threading.Timer(0.3, stubs[0].rcodes.update, [{"catalog_axfr": "NOERROR", "alt_axfr": "NOERROR"}]).start()
    assert list(DnsWitnesses({"fra": "::1"}, stubs[0].port, patience=20).ask(CATALOG)) == [Word("fra", HELD)]


def test_nobody_is_waited_for_where_there_is_nobody() -> None:
    began = time.monotonic()
    assert list(DnsWitnesses({}, 1).ask(CATALOG)) == []
    assert time.monotonic() - began < 1


def test_who_has_most_is_asked_for_zones_first(stubs) -> None:
    stubs.append(Stub(catalog_axfr="NOERROR", alt_axfr="NOERROR"))
    # Nobody listens at the other address.
    words = DnsWitnesses({"absent": "::ffff:127.0.0.2", "fra": "::1"}, stubs[0].port, patience=0).ask(CATALOG)
    assert [one.name for one in words] == ["fra", "absent"]


def test_what_this_host_held_is_without_what_a_primary_makes_and_what_was_never_fetched(monkeypatch) -> None:
    rrsets = [
        {"name": name, "type": kind, "ttl": 60, "records": [{"content": text}]} for name, kind, text in RECORDS["alt."]
    ]
    monkeypatch.setattr(
        witnesses.former, "zones", lambda: [{"name": "alt.", "rrsets": rrsets}, {"name": "shop.alt.", "rrsets": []}]
    )
    word = DnsWitnesses({}, 1, host="core3").own()
    assert (word.name, word.held) == ("core3", {"alt.": frozenset({("alt.", "NS"), ("shop.alt.", "NS")})})
