"""What a host serves of a zone's keys, and what its resolver trusts: asked of the host itself, while a key changes.

dnspython comes with the role that runs the servers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.rdatatype import RdataType

#: Unbound lists that many anchors, and is silent about more.
LISTED_MAX = 16
_ANSWER = 2.0
_PAUSE = 0.5

Ask = Callable[[dns.message.Message, str, int], dns.message.Message]


@dataclass(frozen=True)
class Wanted:
    """What the ledger says of a zone: the DS of all its keys, and the tag of the one that signs.

    ``anchored`` is a zone that no parent vouches for.
    """

    zone: str
    ds: frozenset[str]
    signer: int
    anchored: bool

    @property
    def tags(self) -> frozenset[int]:
        """The keys' tags."""
        return frozenset(int(entry.split()[0]) for entry in self.ds)


@dataclass(frozen=True)
class Place:
    """Where a host's server answers, and its resolver if it has one."""

    address: str
    server_port: int = 5300
    resolver_port: int | None = 53


def ask(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """Ask by TCP: no answer is cut short, and none is refused for its rate."""
    return dns.query.tcp(query, address, timeout=_ANSWER, port=port)


def lacks(wanted: Wanted, place: Place, seconds: float, ask: Ask = ask) -> list[str]:
    """Return what is missing on the host, in sentences without their period; nothing once all is as wanted.

    Looks again until then, for at most ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = list(_look(wanted, place, ask))
        if not found or time.monotonic() >= deadline:
            return found
        time.sleep(_PAUSE)


def _look(wanted: Wanted, place: Place, ask: Ask) -> Iterator[str]:
    try:
        yield from _served(wanted, place, ask)
    except (OSError, dns.exception.DNSException) as error:
        yield f"its server does not answer at port {place.server_port}: {error or type(error).__name__}"
    if place.resolver_port is None:
        return
    try:
        yield from _trusted(wanted, place.address, place.resolver_port, ask)
    except (OSError, dns.exception.DNSException) as error:
        yield f"its resolver does not answer at port {place.resolver_port}: {error or type(error).__name__}"


def _served(wanted: Wanted, place: Place, ask: Ask) -> Iterator[str]:
    zone = dns.name.from_text(wanted.zone)
    keys = ask(_query(zone, dns.rdatatype.DNSKEY), place.address, place.server_port)
    found = {
        str(dns.dnssec.make_ds(zone, key, "SHA256").to_text())
        for rrset in keys.answer
        if rrset.rdtype == dns.rdatatype.DNSKEY
        for key in rrset
    }
    if found != wanted.ds:
        yield f"its server has the keys {_tags(found)}, not {_tags(wanted.ds)}"
    soa = ask(_query(zone, dns.rdatatype.SOA), place.address, place.server_port)
    for answer in (keys, soa):
        signers = {
            int(rdata.key_tag) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.RRSIG for rdata in rrset
        }
        if signers != {wanted.signer}:
            yield f"its server's answers are signed by {_list(signers)}, not by {wanted.signer}"
            break
    if not wanted.anchored:
        parent = ask(_query(zone, dns.rdatatype.DS), place.address, place.server_port)
        there = {rdata.to_text() for rrset in parent.answer if rrset.rdtype == dns.rdatatype.DS for rdata in rrset}
        if there != wanted.ds:
            yield f"its server's parent zone has the DS {_tags(there)}, not {_tags(wanted.ds)}"


def _trusted(wanted: Wanted, address: str, port: int, ask: Ask) -> Iterator[str]:
    zone = dns.name.from_text(wanted.zone)
    if wanted.anchored:
        query = dns.message.make_query("trustanchor.unbound.", dns.rdatatype.TXT, dns.rdataclass.CH)
        texts = [
            b"".join(rdata.strings).decode().split()
            for rrset in ask(query, address, port).answer
            for rdata in rrset
            if rrset.rdtype == dns.rdatatype.TXT
        ]
        found = {int(tag) for words in texts if dns.name.from_text(words[0]) == zone for tag in words[1:]}
        if found != wanted.tags and (found or len(texts) < LISTED_MAX):
            yield f"its resolver trusts the keys {_list(found)}, not {_list(wanted.tags)}"
    answer = ask(_query(zone, dns.rdatatype.SOA, recurse=True), address, port)
    if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AD:
        words = dns.rcode.to_text(answer.rcode()) if answer.rcode() else "not validated"
        yield f"its resolver's answer for {wanted.zone} is {words}"


def _query(name: dns.name.Name, kind: RdataType, *, recurse: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=True)
    if not recurse:
        query.flags &= ~dns.flags.RD
    return query


def _tags(found: Iterable[str]) -> str:
    return _list({int(entry.split()[0]) for entry in found})


def _list(tags: Iterable[int]) -> str:
    return ", ".join(str(tag) for tag in sorted(tags)) or "none"
