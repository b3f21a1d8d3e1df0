"""A holder's own servers: who is asked, what is said where they are not ready, and that nobody outside is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from altnet.naming import keys
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import RRset
from altnet.registry.domain.policy import Policy
from altnet.registry.writer import delegations
from altnet.registry.writer.delegations import Asking

ZONE = "garden.alt."
HOLDER, OTHER = "h" * 40, "o" * 40
OWN = "fd12:3456:789a::2:54"
POLICY = Policy(prefix="fd12:3456:789a::/48", nameserver_addresses=(OWN,))
Answer = Callable[[dns.message.Message, str], dns.message.Message]


class Servers:
    """Holders' servers: who is asked what is remembered."""

    def __init__(self, secret: str = HOLDER, *, signed: bool = True, authority: bool = True) -> None:
        self.secret, self.signed, self.authority = secret, signed, authority
        self.asked: list[str] = []
        self.error: Exception | None = None

    def __call__(self, query: dns.message.Message, address: str, port: int, seconds: float) -> dns.message.Message:
        assert 0 < seconds <= delegations.ANSWER
        self.asked.append(address)
        if self.error:
            raise self.error
        answer = dns.message.make_response(query)
        if not self.authority:
            answer.set_rcode(dns.rcode.REFUSED)
            return answer
        answer.flags |= dns.flags.AA
        question = query.question[0]
        if question.rdtype == dns.rdatatype.SOA:
            text = "ns.garden.alt. hostmaster.garden.alt. 1 300 60 1209600 300"
            answer.answer.append(dns.rrset.from_text(question.name, 300, "IN", "SOA", text))
        elif self.signed:
            key = keys.dnskey(self.secret, ZONE, 0)
            records = dns.rrset.from_rdata(question.name, 300, key)
            private = ec.derive_private_key(keys.scalar(self.secret, ZONE, 0), ec.SECP256R1())
            signature = dns.dnssec.sign(records, private, question.name, key, lifetime=3600)
            answer.answer += [records, dns.rrset.from_rdata(question.name, 300, signature)]
        # As it travels.
        return dns.message.from_wire(answer.to_wire())


def sets(*addresses: str, ds: str | None = None, host: str = "ns.garden.alt.") -> tuple[RRset, ...]:
    found = [RRset(ZONE, "NS", 3600, (host,))]
    if addresses:
        found.append(RRset(host, "AAAA", 3600, addresses))
    if ds:
        found.append(RRset(ZONE, "DS", 3600, (ds,)))
    return tuple(found)


def codes(servers: Servers, given: tuple[RRset, ...], resolve: dict[str, list[str]] | None = None) -> list[str]:
    def found(host: str, seconds: float) -> list[str]:
        if host not in (resolve or {}):
            raise dns.exception.Timeout
        return (resolve or {})[host]

    return [fault.code for fault in Asking(POLICY, ask=servers, resolve=found).faults(ZONE, given)]


def test_one_that_answers_and_is_signed() -> None:
    servers = Servers()
    assert codes(servers, sets("fd00:1::53", ds=keys.ds(HOLDER, ZONE, 0))) == []
    assert codes(servers, sets("fd00:1::53")) == [], "unsigned is the holder's to decide"


def test_a_ds_that_is_another_keys() -> None:
    assert codes(Servers(), sets("fd00:1::53", ds=keys.ds(OTHER, ZONE, 0))) == ["ds"]


def test_a_ds_and_no_key() -> None:
    assert codes(Servers(signed=False), sets("fd00:1::53", ds=keys.ds(HOLDER, ZONE, 0))) == ["unsigned"]


def test_one_that_is_lame() -> None:
    assert codes(Servers(authority=False), sets("fd00:1::53")) == ["lame"]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), EOFError(), dns.exception.Timeout()])
def test_one_that_does_not_answer(error: Exception) -> None:
    servers = Servers()
    servers.error = error
    assert codes(servers, sets("fd00:1::53")) == ["silent"]


def test_every_address_is_asked() -> None:
    servers = Servers()
    codes(servers, sets("fd00:1::53", "fd00:2::53"))
    assert servers.asked == ["fd00:1::53", "fd00:2::53"]


def test_the_networks_own_server_is_a_circle() -> None:
    servers = Servers()
    assert codes(servers, sets("fd12:3456:789a:0::2:54")) == ["loop"]
    assert codes(servers, sets(host="ns.alt.")) == ["loop"]
    assert codes(servers, sets(host="ns.evil.alt."), {"ns.evil.alt.": [OWN]}) == ["loop"]
    assert servers.asked == []


@pytest.mark.parametrize("address", ["2001:db8::1", "fc00::1", "fe80::1", "::1", "::ffff:10.0.0.1", "fec0::1"])
def test_nobody_outside_is_asked(address: str) -> None:
    servers = Servers()
    assert codes(servers, sets(address)) == ["outside"]
    assert codes(servers, sets(host="ns.evil.org."), {"ns.evil.org.": [address]}) == ["outside"]
    assert servers.asked == []


def test_a_name_elsewhere_is_resolved_and_one_in_the_zone_needs_glue() -> None:
    servers = Servers()
    assert codes(servers, sets(host="ns.shop.alt."), {"ns.shop.alt.": ["fd00:3::53"]}) == []
    assert servers.asked == ["fd00:3::53"]
    assert codes(servers, sets(), {"ns.garden.alt.": ["fd00:3::53"]}) == ["address"]


def test_so_many_are_too_many() -> None:
    servers = Servers()
    assert codes(servers, sets(*(f"fd00::{number}" for number in range(1, 12)))) == ["count"]
    assert servers.asked == []


def test_slow_ones_do_not_hold_us_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegations, "PATIENCE", 0.05)

    def slow(query: dns.message.Message, address: str, port: int, seconds: float) -> dns.message.Message:
        time.sleep(0.06)
        raise dns.exception.Timeout

    asking = Asking(POLICY, ask=slow)
    found = asking.faults(ZONE, sets(*(f"fd00::{number}" for number in range(1, 8))))
    assert [fault.code for fault in found] == ["silent", *["slow"] * 6]


def test_only_so_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegations, "_WAIT", 0.05)
    inside, leave = threading.Semaphore(0), threading.Event()

    def held(query: dns.message.Message, address: str, port: int, seconds: float) -> dns.message.Message:
        inside.release()
        leave.wait(5)
        raise dns.exception.Timeout

    asking = Asking(POLICY, ask=held)
    threads = [threading.Thread(target=asking.faults, args=(ZONE, sets("fd00::1"))) for _ in range(delegations.AT_ONCE)]
    for one in threads:
        one.start()
    for _ in threads:
        assert inside.acquire(timeout=5)
    with pytest.raises(RegistryError, match="Other delegations"):
        asking.faults(ZONE, sets("fd00::1"))
    leave.set()
    for one in threads:
        one.join()


@given(st.ip_addresses(v=6), st.booleans())
def test_whatever_the_address_none_but_a_private_one_is_asked(address: object, signed: bool) -> None:
    servers = Servers(signed=signed)
    codes(servers, sets(str(address)))
    assert all(one.startswith("fd") for one in servers.asked)
