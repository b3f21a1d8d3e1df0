"""A child's servers, each asked by itself what the child wants; the resolver, what stands under the servers' names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdatatype import RdataType

from .judge import Rdatas, RefusedError, Said, Signal, Signed

PORT = 53
_ANSWER = 5.0
#: Addresses that are asked for one child: a delegation must not make us ask half the network.
SERVERS_MAX = 16
#: Seconds after which nothing more is asked for a child: one whose servers take their time is not the only one.
PATIENCE = 60.0
_AGAIN = 1.0
_WISHES = (dns.rdatatype.CDS, dns.rdatatype.CDNSKEY)

#: Asks an address at a port; raises OSError or DNSException.
Ask = Callable[[dns.message.Message, str, int], dns.message.Message]


@dataclass(frozen=True)
class Delegation:
    """A child as its parent has it: names of its servers, DS, and the addresses that the parent has of servers."""

    child: dns.name.Name
    servers: tuple[dns.name.Name, ...]
    ds: Rdatas
    ttl: int
    glue: Mapping[dns.name.Name, tuple[str, ...]]


def ask(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """Ask by TCP, which nobody can answer who is not asked; twice, for a server may be busy."""
    try:
        return dns.query.tcp(query, address, timeout=_ANSWER, port=port)
    except (OSError, EOFError, dns.exception.DNSException):
        time.sleep(_AGAIN)
        return dns.query.tcp(query, address, timeout=_ANSWER, port=port)


def delegation(child: str, rrsets: Iterable[Mapping[str, Any]]) -> Delegation | None:
    """Return a child's delegation from the parent's RRsets, as PowerDNS's API has them; None where there is none."""
    name = dns.name.from_text(child)
    texts: dict[tuple[str, str], tuple[list[str], int]] = {
        (str(one["name"]).lower(), str(one["type"])): (
            [entry["content"] for entry in one["records"] if not entry.get("disabled")], int(one["ttl"])
        )
        for one in rrsets
    }  # fmt: skip
    servers, ns_ttl = texts.get((child, "NS"), ([], 0))
    if not servers:
        return None
    ds, ttl = texts.get((child, "DS"), ([], ns_ttl))
    glue: dict[dns.name.Name, tuple[str, ...]] = {}
    for server in map(dns.name.from_text, servers):
        known = [texts.get((server.to_text().lower(), kind), ([], 0))[0] for kind in ("AAAA", "A")]
        if any(known):
            glue[server] = tuple(address for addresses in known for address in addresses)
    found = frozenset(dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DS, text) for text in ds)
    return Delegation(name, tuple(sorted(map(dns.name.from_text, servers))), found, ttl, glue)


class Asker:
    """Asks for one child after the other; ``resolver`` is the address and the port of one that validates."""

    def __init__(
        self,
        resolver: tuple[str, int],
        port: int = PORT,
        ask: Ask = ask,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver, self._port, self._ask, self._clock = resolver, port, ask, clock
        self._deadline = float("inf")

    def said(self, one: Delegation) -> list[Said]:
        """Return what every server of the child says; RefusedError where one of them cannot be heard in time."""
        self._deadline = self._clock() + PATIENCE
        addresses = {address: server for server in one.servers for address in self._addresses(server, one.glue)}
        if len(addresses) > SERVERS_MAX:
            raise RefusedError(f"its servers have {len(addresses)} addresses, more than {SERVERS_MAX}")
        return [self._server(one.child, f"{server} ({address})", address) for address, server in addresses.items()]

    def signals(self, one: Delegation) -> list[Signal]:
        """Return what stands under the name of each server that is not below the child itself; in the same time."""
        return [self._signal(one.child, server) for server in one.servers if not server.is_subdomain(one.child)]

    def _addresses(self, server: dns.name.Name, glue: Mapping[dns.name.Name, tuple[str, ...]]) -> list[str]:
        if server in glue:
            return list(glue[server])
        found: list[str] = []
        for kind in (dns.rdatatype.AAAA, dns.rdatatype.A):
            answer = self._resolved(server, kind)
            found += [entry.to_text() for rrset in answer.answer if rrset.rdtype == kind for entry in rrset]
        if not found:
            raise RefusedError(f"its server {server} has no address")
        return found

    def _server(self, child: dns.name.Name, shown: str, address: str) -> Said:
        cds, cdnskey, dnskey = (
            self._records(child, kind, shown, address) for kind in (*_WISHES, dns.rdatatype.DNSKEY)
        )  # fmt: skip
        return Said(shown, cds, cdnskey, dnskey)

    def _records(self, child: dns.name.Name, kind: RdataType, shown: str, address: str) -> Signed | None:
        query = dns.message.make_query(child, kind, want_dnssec=True, flags=0)
        answer = self._heard(query, address, self._port, shown)
        if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
            raise RefusedError(f"its server {shown} does not serve it ({dns.rcode.to_text(answer.rcode())})")
        records = answer.get_rrset(answer.answer, child, dns.rdataclass.IN, kind)
        signatures = answer.get_rrset(answer.answer, child, dns.rdataclass.IN, dns.rdatatype.RRSIG, kind)
        return Signed(records, signatures) if records else None

    def _signal(self, child: dns.name.Name, server: dns.name.Name) -> Signal:
        try:
            name = dns.name.from_text("_dsboot", None) + child.relativize(dns.name.root) + dns.name.Name(["_signal"])
            name += server
        except dns.name.NameTooLong:
            raise RefusedError(f"the name that would vouch for it below {server} is too long") from None
        found: list[Rdatas] = []
        validated = True
        for kind in _WISHES:
            answer = self._resolved(name, kind)
            rrset = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, kind)
            found.append(frozenset(rrset or ()))
            validated &= bool(answer.flags & dns.flags.AD)
        return Signal(name.to_text(), found[0], found[1], validated)

    def _resolved(self, name: dns.name.Name, kind: RdataType) -> dns.message.Message:
        query = dns.message.make_query(name, kind, flags=dns.flags.RD | dns.flags.AD)
        answer = self._heard(query, *self._resolver, "the resolver")
        if answer.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise RefusedError(
                f"{name} {dns.rdatatype.to_text(kind)} is answered with {dns.rcode.to_text(answer.rcode())}"
            )
        return answer

    def _heard(self, query: dns.message.Message, address: str, port: int, shown: str) -> dns.message.Message:
        if self._clock() >= self._deadline:
            raise RefusedError(f"asking its servers takes longer than {PATIENCE:.0f} s")
        try:
            return self._ask(query, address, port)
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise RefusedError(f"{shown} does not answer: {error or type(error).__name__}") from None
