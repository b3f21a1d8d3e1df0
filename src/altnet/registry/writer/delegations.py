"""Asks a holder's own servers whether they answer for a zone, before the network sends everybody to them.

Whoever may register a name can have us ask. So only addresses of private networks like ours are asked (fd00::/8), by
TCP, few of them, for a few seconds in all, and for few people at a time: nobody is made to flood anybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from ...delegation.judge import RefusedError, Said, Signed, holds
from ...naming.names import is_within
from ..domain.errors import Fault, refuse

if TYPE_CHECKING:
    from ..domain.model import RRset
    from ..domain.policy import Policy

PRIVATE: Final = IPv6Network("fd00::/8")
PORT: Final = 53
#: Addresses asked for one zone, seconds for one answer and for all, and for how many people at a time.
ADDRESSES_MAX: Final = 8
ANSWER: Final = 2.0
PATIENCE: Final = 8.0
AT_ONCE: Final = 4
_WAIT: Final = 5.0

#: Asks an address at a port within some seconds; raises OSError, EOFError or DNSException.
Ask = Callable[[dns.message.Message, str, int, float], dns.message.Message]
#: Returns a host's IPv6 addresses.
Resolve = Callable[[str, float], list[str]]


def ask(query: dns.message.Message, address: str, port: int, seconds: float) -> dns.message.Message:
    """Ask by TCP, which nobody can answer who is not asked."""
    return dns.query.tcp(query, address, timeout=seconds, port=port)


def resolve(host: str, seconds: float) -> list[str]:
    """Ask this host's own resolver for a host's addresses."""
    answer = dns.resolver.resolve(host, "AAAA", lifetime=seconds, search=False)
    return [record.to_text() for record in answer]


class Asking:
    """The check of delegations, with the real network behind it unless a test gives another one."""

    def __init__(self, policy: Policy, port: int = PORT, ask: Ask = ask, resolve: Resolve = resolve) -> None:
        self._own = {str(ip_address(one)) for one in policy.nameserver_addresses}
        self._servers = {policy.nameserver, *(f"ns.{tld}." for tld in policy.tlds)}
        self._port, self._ask, self._resolve = port, ask, resolve
        self._line = BoundedSemaphore(AT_ONCE)

    def faults(self, zone: str, rrsets: tuple[RRset, ...]) -> tuple[Fault, ...]:
        """Ask the servers in NS (glue with them) for the zone, and hold DS against its DNSKEY.

        Raises RegistryError("too-many") where others are being asked for, for longer than one waits.
        """
        if not self._line.acquire(timeout=_WAIT):
            raise refuse("too-many", "Other delegations are being checked", "try again in a moment")
        try:
            return tuple(self._faults(zone, rrsets, time.monotonic() + PATIENCE))
        finally:
            self._line.release()

    def _faults(self, zone: str, rrsets: Iterable[RRset], deadline: float) -> Iterable[Fault]:
        sets = {(one.name, one.type): one.records for one in rrsets}
        ds = frozenset(
            dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DS, text) for text in sets.get((zone, "DS"), ())
        )
        faults: list[Fault] = []
        places: list[tuple[str, str]] = []
        for host in sets.get((zone, "NS"), ()):
            addresses, fault = self._addresses(zone, host, sets, deadline)
            faults += [fault] if fault else []
            places += [(host, address) for address in addresses]
        if len(places) > ADDRESSES_MAX:
            what = f"Its servers have {len(places)} addresses, and at most {ADDRESSES_MAX} are asked"
            return [Fault("nameservers", "count", what, "name fewer servers")]
        for host, address in places if not faults else ():
            fault = self._server(zone, f"{host} ({address})", address, ds, deadline)
            faults += [fault] if fault else []
        return faults

    def _addresses(
        self, zone: str, host: str, sets: Mapping[tuple[str, str], tuple[str, ...]], deadline: float
    ) -> tuple[list[str], Fault | None]:
        if host in self._servers:
            what = f"{host} is the network's own server, which would send everybody in a circle"
            return [], Fault("nameservers", "loop", what, "name a server of your own")
        known = list(sets.get((host, "AAAA"), ()))
        if not known and not is_within(host, zone):
            with suppress(OSError, dns.exception.DNSException):
                known = self._resolve(host, max(0.1, min(ANSWER, deadline - time.monotonic())))
        if not known:
            what = f"{host} has no IPv6 address that the network finds"
            return [], Fault("nameservers", "address", what, "give its address as glue, or name another server")
        if self._own & {str(ip_address(one)) for one in known}:
            what = f"{host} has the address of the network's own server, which would send everybody in a circle"
            return [], Fault("nameservers", "loop", what, "name a server of your own")
        private = [one for one in known if _private(one)]
        if not private:
            what = f"{host} has no address in {PRIVATE}, so it is none of this network's"
            return [], Fault("nameservers", "outside", what, "name a server that is on the network")
        return private, None

    def _server(
        self, zone: str, shown: str, address: str, ds: frozenset[dns.rdata.Rdata], deadline: float
    ) -> Fault | None:
        try:
            return self._judged(zone, shown, address, ds, deadline)
        except RefusedError as error:
            return Fault("ds", "ds", f"{shown}: {error}", "give the DS of the key that signs the zone's DNSKEY")
        except TimeoutError as error:
            return Fault("nameservers", "slow", f"{error} ({shown})", "name servers that answer at once")
        except (OSError, EOFError, dns.exception.DNSException) as error:
            what = f"{shown} does not answer by TCP ({error or type(error).__name__})"
            return Fault("nameservers", "silent", what, "let it answer on port 53, by UDP and TCP")

    def _judged(
        self, zone: str, shown: str, address: str, ds: frozenset[dns.rdata.Rdata], deadline: float
    ) -> Fault | None:
        name = dns.name.from_text(zone)
        if self._heard(name, dns.rdatatype.SOA, address, deadline) is None:
            what = f"{shown} does not answer for {zone} with authority"
            return Fault("nameservers", "lame", what, "set the zone up on that server first")
        if not ds:
            return None
        keys = self._heard(name, dns.rdatatype.DNSKEY, address, deadline)
        if keys is None:
            what = f"{shown} has no DNSKEY for {zone}, and a DS says that it is signed"
            return Fault("ds", "unsigned", what, "sign the zone first, or leave the DS out")
        holds(name, ds, Said(shown, dnskey=keys), time.time())
        return None

    def _heard(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType, address: str, deadline: float
    ) -> Signed | None:
        """Return a server's own records of the zone's apex, None where it has none."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"Asking its servers takes longer than {PATIENCE:.0f} s")
        query = dns.message.make_query(name, kind, want_dnssec=True, flags=0)
        answer = self._ask(query, address, self._port, min(ANSWER, left))
        if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
            return None
        records = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, kind)
        signatures = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.RRSIG, kind)
        return Signed(records, signatures) if records else None


def _private(text: str) -> bool:
    address = ip_address(text)
    return isinstance(address, IPv6Address) and address in PRIVATE
