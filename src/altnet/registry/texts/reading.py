"""Files read back: a domain with its records, a prefix with its routes. Errors name file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..domain import delegation, labels
from ..domain import rrsets as rules
from ..domain.errors import Fault
from ..domain.model import DomainState, Hosting, RRset
from ..domain.policy import Policy
from . import form, objects, paths
from .form import Paper, Wrong

_RECORD: Final = re.compile(r"(\S+)[ \t]+(\d{1,10})[ \t]+([A-Za-z0-9-]{1,32})[ \t]+(.+)")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_ASN: Final = re.compile(r"AS([1-9][0-9]{0,9})")
_FIELD: Final = re.compile(r"rrsets\[(\d+)\](?:\.(\w+))?(?:\[(\d+)\])?")
_STATES: Final = frozenset(DomainState)
_HOSTINGS: Final = frozenset(Hosting)
_POLICY: Final = {
    "tld": True, "prefix": False, "label-min": False, "rrsets-max": False, "records-max": False, "ttl-min": False,
    "ttl-max": False, "nameserver": False, "nameserver-address": True, "reserved": True, "taken": True,
}  # fmt: skip


@dataclass(frozen=True)
class DomainFile:
    """What a domain's file says."""

    file: str
    name: str
    state: str
    hosting: Hosting
    holder: str
    rrsets: tuple[RRset, ...]
    fixed: Mapping[str, str]  # created, updated, expires: not for people to set
    lines: Mapping[str, int]


@dataclass(frozen=True)
class PrefixFile:
    """What a prefix's file says."""

    file: str
    prefix: str
    holder: str
    origins: tuple[int, ...]
    nameservers: tuple[str, ...]
    ds: tuple[str, ...]
    fixed: Mapping[str, str]
    lines: Mapping[str, int]


def domain(file: str, text: str, policy: Policy) -> tuple[DomainFile | None, list[Wrong]]:
    """Return a domain's file, or everything that is wrong with it."""
    paper, wrong = form.read(file, text, objects.DOMAIN)
    name = _name(paper, policy, wrong)
    state = paper.value("state") or DomainState.REGISTERED
    hosting = paper.value("hosting") or Hosting.ZONE
    if state not in _STATES:
        wrong.append(Wrong(file, paper.number("state"), f"There is no state {state!r}", "leave the line out"))
    if hosting not in _HOSTINGS:
        wrong.append(Wrong(file, paper.number("hosting"), "Hosting is zone or delegated"))
        hosting = Hosting.ZONE
    _times(paper, ("created", "updated", "expires"), wrong)
    found: tuple[RRset, ...] = ()
    if name:
        found = _records(paper, name, hosting == Hosting.DELEGATED, policy, wrong)
    if wrong:
        return None, sorted(wrong)
    fixed = {key: paper.value(key) for key in ("created", "updated", "expires", "unicode")}
    return DomainFile(file, name, state, Hosting(hosting), paper.value("holder"), found, fixed, _places(paper)), []


def prefix(file: str, text: str) -> tuple[PrefixFile | None, list[Wrong]]:
    """Return a prefix's file, or everything that is wrong with it."""
    paper, wrong = form.read(file, text, objects.PREFIX)
    value = paper.value("prefix")
    try:
        right = paths.prefix(value)
    except ValueError:
        right = ""
        wrong.append(Wrong(file, paper.number("prefix"), "This is no IPv6 prefix", "write it like fd12:3456:789a::/48"))
    if right and right != file:
        wrong.append(Wrong(file, paper.number("prefix"), f"The file of {value} is {right}", "move it"))
    origins = []
    for line in paper.all("origin"):
        match = _ASN.fullmatch(line.value)
        if match is None:
            wrong.append(Wrong(file, line.number, f"{line.value[:30]!r} is no AS number", "write it like AS4200065536"))
        elif int(match[1]) in origins:
            wrong.append(Wrong(file, line.number, f"{line.value} stands twice", "remove one"))
        else:
            origins.append(int(match[1]))
    _times(paper, ("created", "updated"), wrong)
    if wrong:
        return None, sorted(wrong)
    hosts, ds = (tuple(line.value for line in paper.all(key)) for key in ("nameserver", "ds"))
    fixed = {key: paper.value(key) for key in ("created", "updated")}
    return PrefixFile(file, value, paper.value("holder"), tuple(origins), hosts, ds, fixed, _places(paper)), []


def plain(file: str, text: str, known: Mapping[str, bool], key: str) -> tuple[Paper | None, list[Wrong]]:
    """Return a file that people do not change: an account's, an AS number's."""
    paper, wrong = form.read(file, text, known)
    value = paper.value(key)
    right = paths.of(key, value.removeprefix("AS")) if value else ""
    if right != file:
        what = f"The file of {value} is {right}" if value else f"There is no line {key}"
        wrong.append(Wrong(file, paper.number(key), what, "move it" if value else "add it"))
    _times(paper, ("created",), wrong)
    return (None if wrong else paper), sorted(wrong)


def policy(text: str, file: str = paths.REGISTRY) -> tuple[Policy | None, list[Wrong]]:
    """Return the rules by which the rest is checked."""
    paper, wrong = form.read(file, text, _POLICY)
    numbers: dict[str, Any] = {}
    for key in ("label-min", "rrsets-max", "records-max", "ttl-min", "ttl-max"):
        value = paper.value(key)
        if value and not (value.isascii() and value.isdigit() and len(value) < 10):
            wrong.append(Wrong(file, paper.number(key), f"{value[:20]!r} is no number"))
        elif value:
            numbers[key.replace("-", "_")] = int(value)
    tlds = tuple(line.value for line in paper.all("tld"))
    if not tlds:
        wrong.append(Wrong(file, 0, "There is no line tld", "this file is the registry's own: take it back"))
    if wrong:
        return None, wrong
    lists: dict[str, Any] = {
        "nameserver_addresses": tuple(line.value for line in paper.all("nameserver-address")),
        "reserved": tuple(line.value for line in paper.all("reserved")),
        "taken": tuple(line.value for line in paper.all("taken")),
    }
    named: dict[str, Any] = {"prefix": paper.value("prefix"), "nameserver": paper.value("nameserver")}
    return Policy(tlds=tlds, **{key: entry for key, entry in named.items() if entry}, **numbers, **lists), []


def _name(paper: Paper, policy: Policy, wrong: list[Wrong]) -> str:
    line = next(iter(paper.all("domain")), None)
    if line is None:
        wrong.append(Wrong(paper.file, 0, "There is no line domain", "add it"))
        return ""
    try:
        name = labels.absolute(line.value, policy)
    except labels.Refused as refused:
        wrong.append(Wrong(paper.file, line.number, refused.fault.what, refused.fault.remedy))
        return ""
    if name != line.value:
        wrong.append(Wrong(paper.file, line.number, f"A file has the registered form, {name}", "write that"))
    if paths.domain(name) != paper.file:
        wrong.append(Wrong(paper.file, line.number, f"The file of {name} is {paths.domain(name)}", "move it"))
    return name


def _records(paper: Paper, name: str, delegated: bool, policy: Policy, wrong: list[Wrong]) -> tuple[RRset, ...]:
    """Return the record sets, judged by the rules that every face uses; faults come back to their lines."""
    sets: dict[tuple[str, str], tuple[int, list[str], list[int]]] = {}
    for line in paper.all("record"):
        match = _RECORD.fullmatch(line.value)
        if match is None:
            remedy = "write owner, TTL, type and value: www 3600 AAAA fd12::1"
            wrong.append(Wrong(paper.file, line.number, "This is no record", remedy))
            continue
        owner, ttl, kind = match[1], int(match[2]), match[3].upper()
        known = sets.setdefault((owner, kind), (ttl, [], []))
        if known[0] != ttl:
            what = f"{owner} {kind} has TTL {known[0]} at line {known[2][0]}"
            wrong.append(Wrong(paper.file, line.number, what, "give all of one set the same"))
        known[1].append(match[4])
        known[2].append(line.number)
    given = [
        {"name": owner, "type": kind, "ttl": ttl, "records": values} for (owner, kind), (ttl, values, _) in sets.items()
    ]
    places = [numbers for _, _, numbers in sets.values()]
    if delegated:
        found, faults = delegation.from_sets(policy, name, given)
    else:
        found, faults = rules.read_all(given, name, policy)
    wrong += [_placed(paper.file, fault, places) for fault in faults]
    return found


def _placed(file: str, fault: Fault, places: list[list[int]]) -> Wrong:
    """Return a rule's fault at the line of the record that it is about."""
    match = _FIELD.match(fault.field)
    if match is None or int(match[1]) >= len(places):
        line = places[0][0] if places and fault.field.startswith(("nameservers", "ds", "glue")) else 0
        return Wrong(file, line, fault.what, fault.remedy)
    numbers = places[int(match[1])]
    index = int(match[3]) if match[3] and match[2] == "records" else 0
    return Wrong(file, numbers[min(index, len(numbers) - 1)], fault.what, fault.remedy)


def _times(paper: Paper, keys: tuple[str, ...], wrong: list[Wrong]) -> None:
    for line in paper.lines:
        if line.key in keys:
            try:
                if not _TIME.fullmatch(line.value):
                    raise ValueError(line.value)
                datetime.fromisoformat(line.value[:-1])
            except ValueError:
                remedy = "it is the registry's to set: take the line back, or leave it out"
                wrong.append(Wrong(paper.file, line.number, f"{line.value[:40]!r} is no time", remedy))


def _places(paper: Paper) -> dict[str, int]:
    return {line.key: line.number for line in reversed(paper.lines)}
