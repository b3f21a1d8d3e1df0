"""What a host is asked while a key changes, with real keys and signatures but without a network."""

from __future__ import annotations

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from naming_world import DS_OF, MASTER

from altnet.naming import keys
from altnet.naming.served import LISTED_MAX, Place, Wanted, lacks

ADDRESS = "fd12:3456:789a::1"
PLACE = Place(ADDRESS)
SOA = "ns.alt. hostmaster.alt. 1 10800 3600 1209600 300"


def wanted(zone: str, *epochs: int, signer: int, anchored: bool = True) -> Wanted:
    ds = frozenset(DS_OF(zone, epoch) for epoch in epochs)
    return Wanted(f"{zone}.", ds, int(DS_OF(zone, signer).split()[0]), anchored)


class Host:
    """A name server and a resolver on one host."""

    def __init__(self, zone: str, *epochs: int, signer: int) -> None:
        self.zone, self.epochs, self.signer = zone, epochs, signer
        self.anchors = [f"{zone}. {' '.join(str(keys.key_tag(MASTER, zone, epoch)) for epoch in epochs)}", "neo. 7"]
        self.parent: list[str] = [DS_OF(zone, epoch) for epoch in epochs]
        self.rcode, self.validated = dns.rcode.NOERROR, True
        self.down: set[int] = set()

    def ask(self, query: dns.message.Message, address: str, port: int) -> dns.message.Message:
        assert address == ADDRESS
        if port in self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        answer = dns.message.make_response(query)
        (question,) = query.question
        if question.rdclass == dns.rdataclass.CH:
            answer.answer = [
                dns.rrset.from_text(question.name, 0, "CH", "TXT", *(f'"{text}"' for text in self.anchors))
            ]
        elif port == 53:
            assert query.flags & dns.flags.RD
            answer.set_rcode(self.rcode)
            answer.flags |= dns.flags.AD if self.validated else 0
        elif question.rdtype == dns.rdatatype.DS:
            answer.answer = [dns.rrset.from_text(question.name, 60, "IN", "DS", *self.parent)] if self.parent else []
        else:
            name = dns.name.from_text(self.zone)
            made = [keys.dnskey(MASTER, self.zone, epoch) for epoch in self.epochs]
            records = [SOA] if question.rdtype == dns.rdatatype.SOA else [key.to_text() for key in made]
            rrset = dns.rrset.from_text(name, 60, "IN", question.rdtype, *records)
            private = ec.derive_private_key(keys.scalar(MASTER, self.zone, self.signer), ec.SECP256R1())
            key = keys.dnskey(MASTER, self.zone, self.signer)
            rrsig = dns.dnssec.sign(rrset, private, name, key, lifetime=3600)
            answer.answer = [rrset, dns.rrset.from_rdata(name, 60, rrsig)]
        return answer


def test_a_host_that_has_everything() -> None:
    host = Host("alt", 0, 1, signer=0)
    assert lacks(wanted("alt", 0, 1, signer=0), PLACE, 0, host.ask) == []
    child = Host("shop.alt", 0, 1, signer=1)
    assert lacks(wanted("shop.alt", 0, 1, signer=1, anchored=False), PLACE, 0, child.ask) == []


TAGS = [keys.key_tag(MASTER, "alt", epoch) for epoch in range(2)]
BOTH = ", ".join(str(tag) for tag in sorted(TAGS))


@pytest.mark.parametrize(
    ("host", "lines"),
    [
        (
            Host("alt", 0, signer=0),
            [f"its server has the keys {TAGS[0]}, not {BOTH}", f"its resolver trusts the keys {TAGS[0]}, not {BOTH}"],
        ),
        (Host("alt", 0, 1, signer=1), [f"its server's answers are signed by {TAGS[1]}, not by {TAGS[0]}"]),
    ],
)
def test_a_host_that_is_behind(host: Host, lines: list[str]) -> None:
    assert lacks(wanted("alt", 0, 1, signer=0), PLACE, 0, host.ask) == lines


def test_a_resolver_that_does_not_know_or_believe() -> None:
    host = Host("alt", 0, signer=0)
    host.anchors = ["neo. 7"]
    host.validated = False
    assert lacks(wanted("alt", 0, signer=0), PLACE, 0, host.ask) == [
        f"its resolver trusts the keys none, not {TAGS[0]}",
        "its resolver's answer for alt. is not validated",
    ]
    # Unbound is silent about more: whether it validates is all that can be known.
    host.anchors, host.validated, host.rcode = [f"z{n}. 7" for n in range(LISTED_MAX)], True, dns.rcode.SERVFAIL
    assert lacks(wanted("alt", 0, signer=0), PLACE, 0, host.ask) == ["its resolver's answer for alt. is SERVFAIL"]


def test_a_parent_that_does_not_follow() -> None:
    host = Host("shop.alt", 0, 1, signer=0)
    tags = sorted(keys.key_tag(MASTER, "shop.alt", epoch) for epoch in range(2))
    host.parent = []
    (line,) = lacks(wanted("shop.alt", 0, 1, signer=0, anchored=False), PLACE, 0, host.ask)
    assert line == f"its server's parent zone has the DS none, not {tags[0]}, {tags[1]}"


def test_nobody_answers() -> None:
    host = Host("alt", 0, signer=0)
    host.down = {53, 5300}
    assert lacks(wanted("alt", 0, signer=0), PLACE, 0, host.ask) == [
        "its server does not answer at port 5300: [Errno 111] Connection refused",
        "its resolver does not answer at port 53: [Errno 111] Connection refused",
    ]
    only = Place(ADDRESS, resolver_port=None)
    assert len(lacks(wanted("alt", 0, signer=0), only, 0, host.ask)) == 1
    assert len(lacks(wanted("alt", 0, signer=0), PLACE, 0.6, host.ask)) == 2
