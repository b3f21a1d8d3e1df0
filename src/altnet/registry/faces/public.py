"""What anybody on the network may know of the registry: what RDAP and whois answer, and no more."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..acts import accounts, domains, prefixes
from ..domain.errors import RegistryError
from ..domain.labels import Refused, absolute
from ..domain.model import SYSTEM, Account, Asn, Domain, Page, Prefix, RRset, Zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..acts.desk import Desk

T = TypeVar("T")
#: Reads all; what is shown of it is decided by those who show it.
READER = replace(SYSTEM, via="rdap")
#: Kinds of refusal that mean there is no such thing, to one who only reads.
_NOTHING = frozenset(("missing", "invalid", "expired"))
SIZES = (56, 48)


def _found(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except RegistryError as error:
        if error.kind in _NOTHING:
            return None
        raise


def domain(desk: Desk, name: str) -> Zone | None:
    """Return a domain as it was asked for, in letters of any language; None for one that is not registered."""
    try:
        name = absolute(name, desk.policy)
    except Refused:
        return None
    return _found(lambda: domains.get(desk, READER, name))


def domains_like(desk: Desk, part: str, most: int) -> Page[Domain]:
    """Return domains with something in their name."""
    return domains.listed(desk, READER, part=part, limit=most)


def account(desk: Desk, uid: str) -> Account | None:
    """Return an account."""
    return _found(lambda: accounts.get(desk, READER, uid))


def accounts_like(desk: Desk, part: str, most: int) -> Page[Account]:
    """Return accounts with something in their uid."""
    return accounts.listed(desk, READER, part=part, limit=most)


def prefix(desk: Desk, net: ipaddress.IPv6Network) -> Prefix | None:
    """Return the smallest registered prefix that contains a network."""
    for size in SIZES:
        if size <= net.prefixlen:
            wanted = str(net.supernet(new_prefix=size))
            found = _found(lambda wanted=wanted: prefixes.get_prefix(desk, READER, wanted))  # type: ignore[misc]
            if found is not None:
                return found
    return None


def asn(desk: Desk, number: int) -> Asn | None:
    """Return an autonomous system."""
    return _found(lambda: prefixes.get_asn(desk, READER, number))


def nameservers(desk: Desk, zone: Zone) -> dict[str, tuple[str, ...]]:
    """Return a domain's name servers with the addresses that the registry has of them."""
    name = zone.domain.name
    named = [host for one in _of(zone, "NS") if one.name == name for host in one.records]
    if not named:
        return {desk.policy.nameserver: desk.policy.nameserver_addresses}
    glue = dict[str, tuple[str, ...]]()
    for one in (*_of(zone, "AAAA"), *_of(zone, "A")):
        glue[one.name] = (*glue.get(one.name, ()), *one.records)
    return {host: glue.get(host, ()) for host in named}


def signers(zone: Zone) -> tuple[str, ...]:
    """Return a delegated domain's DS records."""
    return tuple(ds for one in _of(zone, "DS") if one.name == zone.domain.name for ds in one.records)


def _of(zone: Zone, kind: str) -> tuple[RRset, ...]:
    return tuple(one for one in zone.rrsets if one.type == kind)


def host(desk: Desk, name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a name server that the registry knows: the network's, or one within a delegated domain."""
    wanted = name.rstrip(".").lower() + "."
    if wanted == desk.policy.nameserver:
        return wanted, desk.policy.nameserver_addresses
    zone = domain(desk, ".".join(wanted.split(".")[-3:]))
    known = {} if zone is None else nameservers(desk, zone)
    return (wanted, known[wanted]) if wanted in known and wanted != desk.policy.nameserver else None
