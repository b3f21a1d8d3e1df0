"""Shutting a host out, and letting it in again. Pure: what it does to the ledger, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .allocate import live_record, without_tunnel
from .errors import LedgerError, Problem
from .ledger import Ledger
from .plan.tunnel import interface_name


def quarantine(ledger: Ledger, name: str, *, force: bool = False) -> Ledger:
    """Return the ledger with the host shut out and its keys revoked. Once is as good as twice.

    Raises LedgerError for a host that is not there, and unless ``force`` for the last relay.
    """
    record = live_record(ledger, name)
    if record.quarantined:
        return ledger
    others = [other for name_, other in ledger.live.items() if name_ != name and not other.quarantined]
    if record.relay and others and not any(other.relay for other in others) and not force:
        what = "is the only relay that is left: without it no host reaches another"
        raise LedgerError(Problem(name, "quarantine_host", what, "if you mean it, add -e quarantine_force=true"))
    record = replace(record, quarantined=True, keys={}, revoked={**record.revoked, **record.keys})
    return replace(ledger, hosts={**ledger.hosts, name: record})


def release(ledger: Ledger, name: str, *, same_keys: bool = False) -> Ledger:
    """Return the ledger with the host in it again, without tunnels: the next allocation gives it new ones.

    It has to bring new keys, unless ``same_keys`` says that nobody else had those it used to have.
    """
    record = live_record(ledger, name)
    hosts = dict(ledger.hosts)
    if record.quarantined:
        hosts = {other: without_tunnel(entry, name) for other, entry in hosts.items()}
        record = replace(record, quarantined=False, tunnels={})
    if same_keys:
        record = replace(record, keys={**record.revoked, **record.keys}, revoked={})
    hosts[name] = record
    return replace(ledger, hosts=hosts)


def neighbours(ledger: Ledger, name: str) -> list[str]:
    """Return who has a tunnel with the host, or had one when it was quarantined."""
    higher = [other for other, record in ledger.hosts.items() if name in record.tunnels]
    return sorted([*higher, *ledger.hosts[name].tunnels])


def interfaces(ledger: Ledger, name: str) -> list[str]:
    """Return the interfaces that a neighbour of the host may have towards it, of either parity of generation."""
    return [interface_name(ledger.hosts[name].label, generation) for generation in (0, 1)]


def stranded(ledger: Ledger, names: Iterable[str]) -> list[str]:
    """Return which of ``names`` have no way to the largest part of the network; who is shut out does not count."""
    links: dict[str, set[str]] = {name: set() for name in names if name not in ledger.quarantined}
    for one, other, _ in ledger.pairs():
        if one in links and other in links:
            links[one].add(other)
            links[other].add(one)
    parts: list[set[str]] = []
    for start in sorted(links):
        if any(start in part for part in parts):
            continue
        part, ahead = {start}, [start]
        while ahead:
            new = links[ahead.pop()] - part
            part |= new
            ahead += new
        parts.append(part)
    largest = max(parts, key=len, default=set[str]())
    return sorted(links.keys() - largest)
