"""A domain that the holder's own servers serve: its NS, DS and glue, judged before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

from ...naming import rdata
from ...naming.names import is_within, wrong_name
from .errors import Fault
from .labels import Refused, to_ascii
from .model import RRset
from .policy import Policy

SERVERS_MAX: Final = 8
ADDRESSES_MAX: Final = 4
DS_MAX: Final = 6
TTL: Final = 3600
#: Digest types and algorithms of DS that resolvers have to know and that are not broken (RFC 8624).
_DIGESTS: Final = {2: "SHA-256", 4: "SHA-384"}
_ALGORITHMS: Final = {8: "RSASHA256", 10: "RSASHA512", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519",
                      16: "ED448"}  # fmt: skip


def read(
    zone: str, nameservers: Sequence[object], ds: Sequence[object], glue: Mapping[str, Sequence[object]], policy: Policy
) -> tuple[tuple[RRset, ...], list[Fault]]:
    """Return a delegation's record sets, or all that is wrong with it.

    The fields are ``nameservers[0]``, ``ds[0]`` and ``glue[HOST][0]``.
    """
    faults: list[Fault] = []
    hosts = _hosts(zone, nameservers, policy, faults)
    found = [RRset(zone, "NS", TTL, tuple(sorted(hosts)))]
    keys = _keys(ds, faults)
    if keys:
        found.append(RRset(zone, "DS", TTL, tuple(sorted(keys))))
    found += _glue(zone, hosts, glue, policy, faults)
    return tuple(sorted(found)), faults


def from_sets(policy: Policy, zone: str, given: Sequence[Mapping[str, Any]]) -> tuple[tuple[RRset, ...], list[Fault]]:
    """Return a delegation that is given as record sets: NS and DS of the domain, A and AAAA of its servers."""
    nameservers: list[object] = []
    ds: list[object] = []
    glue: dict[str, list[object]] = {}
    faults = []
    for index, raw in enumerate(given):
        fields = raw if isinstance(raw, Mapping) else {}
        name, kind, records = str(fields.get("name", "@")), str(fields.get("type", "")).upper(), fields.get("records")
        apex = name.lower() in {"@", "", zone}
        values = list(records) if isinstance(records, Sequence) and not isinstance(records, str | bytes) else []
        if kind == "NS" and apex:
            nameservers += values
        elif kind == "DS" and apex:
            ds += values
        elif kind in {"A", "AAAA"}:
            host = zone if apex else name if name.endswith(".") else f"{name}.{zone}"
            glue.setdefault(host, []).extend(values)
        else:
            what = "A delegation has NS and DS of the domain, and A and AAAA of its servers"
            faults.append(Fault(f"rrsets[{index}]", "delegation", what, "put everything else on those servers"))
    found, wrong = read(zone, nameservers, ds, glue, policy)
    return found, faults + wrong


def _hosts(zone: str, given: Sequence[object], policy: Policy, faults: list[Fault]) -> dict[str, str]:
    """Return the servers, each with the field it was given in."""
    if not _is_list(given) or not 1 <= len(given) <= SERVERS_MAX:
        what = f"A delegation has 1 to {SERVERS_MAX} name servers"
        faults.append(Fault("nameservers", "count", what, "give the names of the servers that answer for it"))
        return {}
    hosts: dict[str, str] = {}
    for index, value in enumerate(given):
        at = f"nameservers[{index}]"
        host, fault = _host(value, at)
        if not fault:
            fault = _own(host, zone, policy, at)
        if not fault and host in hosts:
            fault = Fault(at, "duplicate", f"{host} is here and at {hosts[host]}", "remove one")
        if fault:
            faults.append(fault)
        else:
            hosts[host] = at
    return hosts


def _host(value: object, at: str) -> tuple[str, Fault | None]:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        return "", Fault(at, "form", "This is no server's name", "write it like ns.garden.alt.")
    text = value.strip().lower()
    if _address(text.strip("[]")):
        return "", Fault(at, "address", f"{text} is an address", "give the server's name, and the address as its glue")
    try:
        host = to_ascii(text.removesuffix(".")) + "."
    except Refused as refused:
        return "", Fault(at, refused.fault.code, refused.fault.what, refused.fault.remedy)
    wrong = wrong_name(host)
    if wrong:
        return "", Fault(at, "name", f"The name {wrong[0]}", wrong[1])
    if host.count(".") < 2:
        return "", Fault(at, "name", f"{host} is one word", "write the whole name, like ns.garden.alt.")
    return host, None


def _own(host: str, zone: str, policy: Policy, at: str) -> Fault | None:
    """Say where a server is the network's own: it would be asked for what it has just sent away."""
    own = {policy.nameserver, *(f"ns.{tld}." for tld in policy.tlds)}
    if host in own or any(is_within(host, name) for name in own):
        what = f"{host} is the network's own server, which would send everybody in a circle"
        return Fault(at, "loop", what, f"let the network serve {zone}, or name a server of your own")
    return None


def _keys(given: Sequence[object], faults: list[Fault]) -> list[str]:
    if not _is_list(given) or len(given) > DS_MAX:
        faults.append(Fault("ds", "count", f"A delegation has at most {DS_MAX} DS records", "remove old ones"))
        return []
    found: list[str] = []
    for index, value in enumerate(given):
        at = f"ds[{index}]"
        try:
            if not isinstance(value, str) or len(value) > 300:
                raise ValueError("is no DS record's value")
            record = rdata.canonical("DS", value)
        except ValueError as error:
            faults.append(Fault(at, "rdata", f"This {error}", "write key tag, algorithm, digest type and digest"))
            continue
        algorithm, digest = (int(word) for word in record.split()[1:3])
        if digest not in _DIGESTS:
            what = f"The digest type {digest} is broken or unknown"
            faults.append(Fault(at, "digest", what, "use 2 (SHA-256) or 4 (SHA-384)"))
        elif algorithm not in _ALGORITHMS:
            what = f"The algorithm {algorithm} is broken or unknown"
            good = ", ".join(f"{number} ({name})" for number, name in _ALGORITHMS.items())
            faults.append(Fault(at, "algorithm", what, f"use one of {good}"))
        elif record in found:
            faults.append(Fault(at, "duplicate", f"This is here and at ds[{found.index(record)}]", "remove one"))
        else:
            found.append(record)
    return found


def _glue(
    zone: str, hosts: Mapping[str, str], given: Mapping[str, Sequence[object]], policy: Policy, faults: list[Fault]
) -> Iterator[RRset]:
    if not isinstance(given, Mapping) or len(given) > SERVERS_MAX:
        faults.append(Fault("glue", "form", "This is no glue", "give addresses for each server's name"))
        return
    named: dict[str, Sequence[object]] = {}
    for key, addresses in given.items():
        host, fault = _host(key, "glue")
        if fault:
            faults.append(fault)
        elif host not in hosts or not is_within(host, zone):
            what = f"{host} is no name server in {zone}, so its address is not asked for here"
            faults.append(Fault(f"glue[{host}]", "glue", what, "leave it out"))
        else:
            named[host] = addresses
    for host, at in hosts.items():
        if is_within(host, zone):
            if not named.get(host):
                what = f"{host} is itself in {zone}, so nobody finds its address"
                faults.append(Fault(at, "glue", what, "give its addresses as glue"))
                continue
            yield from _addresses(host, named[host], policy, faults)


def _addresses(host: str, given: Sequence[object], policy: Policy, faults: list[Fault]) -> Iterator[RRset]:
    if not _is_list(given) or len(given) > ADDRESSES_MAX:
        faults.append(Fault(f"glue[{host}]", "count", f"A server has at most {ADDRESSES_MAX} addresses", "remove some"))
        return
    ours = {ip_address(address) for address in policy.nameserver_addresses}
    found: dict[str, set[str]] = {}
    for index, value in enumerate(given):
        at = f"glue[{host}][{index}]"
        address = _address(value)
        if address is None:
            faults.append(Fault(at, "address", "This is no address", "write it like fd12:3456:789a::53"))
        elif _is_nobodys(address):
            faults.append(Fault(at, "address", f"{address} is no address that others reach", "give the server's own"))
        elif address in ours:
            what = f"{address} is the network's own server, which would send everybody in a circle"
            faults.append(Fault(at, "loop", what, "give an address of a server of your own"))
        else:
            found.setdefault("AAAA" if address.version == 6 else "A", set()).add(str(address))
    for kind, addresses in found.items():
        yield RRset(host, kind, TTL, tuple(sorted(addresses)))


def _is_nobodys(address: IPv4Address | IPv6Address) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or getattr(address, "ipv4_mapped", None) is not None
    )


def _address(value: object) -> IPv4Address | IPv6Address | None:
    if not isinstance(value, str) or "%" in value:
        return None
    try:
        return ip_address(value.strip())
    except ValueError:
        return None


def _is_list(given: object) -> bool:
    return isinstance(given, Sequence) and not isinstance(given, str | bytes)
