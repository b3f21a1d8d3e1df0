"""Zones as they are wanted and as PowerDNS holds them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dns import rdata, rdataclass, rdatatype

from ..errors import Problem
from ..naming.names import is_within
from ..naming.rrsets import ttls
from .errors import PowerdnsError, problem
from .marks import REGISTRY_UNFINISHED, UNFINISHED

#: Where a name and a type find their RRset.
Spot = tuple[str, str]

SOA_EDIT_API = "EPOCH"
SOA_EDIT = "INCEPTION-EPOCH"
#: Refresh, retry, expire, negative TTL. A secondary that missed a NOTIFY, and the weekly signatures, wait for refresh.
SOA_TIMES = "300 60 1209600 300"
SOA_TTL = 3600


@dataclass(frozen=True)
class RRset:
    """All records of one name and type; ``records`` are sorted and none is there twice."""

    name: str
    type: str
    ttl: int
    records: tuple[str, ...]

    @property
    def spot(self) -> Spot:
        """Where it belongs."""
        return self.name, self.type

    def lines(self) -> list[str]:
        """Return the records as lines of a zone file."""
        return [f"{self.name} {self.ttl} IN {self.type} {content}\n" for content in self.records]

    def same(self, other: RRset | None) -> bool:
        """Say whether the other says the same, however it is written."""
        if other is None or (self.spot, self.ttl) != (other.spot, other.ttl):
            return False
        if self.records == other.records:
            return True
        mine, theirs = ({canonical(one.type, text) for text in one.records} for one in (self, other))
        return mine == theirs


@dataclass(frozen=True)
class Key:
    """A zone's DNSSEC key; the private half stays out of every representation."""

    private: str = field(repr=False)
    flags: int = 257
    algorithm: int = 13
    active: bool = True
    published: bool = True
    number: int | None = None  # PowerDNS's, where it holds the key

    @property
    def secret(self) -> str:
        """The private number itself, by which two keys are compared."""
        return private_field(self.private, "PrivateKey")

    @property
    def state(self) -> tuple[int, int, bool, bool]:
        """What may change about a key that stays the same key."""
        return self.flags, self.algorithm, self.active, self.published

    def line(self, zone: str) -> str:
        """Return a line that may be shown."""
        words = [word for word, holds in (("active", self.active), ("published", self.published)) if holds]
        return f"; {zone} key {self.flags} 3 {self.algorithm} (hidden) {' '.join(words) or 'inactive'}\n"


@dataclass(frozen=True)
class Zone:
    """A desired zone, its SOA included."""

    name: str
    parent: str | None
    rrsets: Mapping[Spot, RRset]
    keys: tuple[Key, ...] = ()
    owns: tuple[str, ...] = ()
    children: frozenset[str] = frozenset()
    #: Whose zone it is; nobody's in particular where it is empty.
    account: str = ""
    #: What was found on a secondary, not declared.
    held: frozenset[Spot] = frozenset()

    def carried(self, spot: Spot) -> bool:
        """Say whether an RRset was found on a secondary, and nobody declares it."""
        return spot in self.held

    def owned(self, name: str) -> bool:
        """Say whether nobody else puts records at a name."""
        return any(name == above or name.endswith(f".{above}") for above in self.owns)

    def childs(self, spot: Spot) -> bool:
        """Say whether a child decides by itself what is there: the DS it asks for by CDS."""
        return spot[1] == "DS" and spot[0] in self.children

    @property
    def soa(self) -> RRset:
        """The SOA, whose serial PowerDNS replaces."""
        return self.rrsets[self.name, "SOA"]


@dataclass(frozen=True)
class Present:
    """A zone as PowerDNS holds it."""

    name: str
    kind: str
    catalog: str
    soa_edit: str
    soa_edit_api: str
    rectify: bool
    unfinished: bool
    serial: int
    rrsets: Mapping[Spot, RRset]
    keys: tuple[Key, ...] = ()
    account: str = ""


def private_field(private: str, name: str) -> str:
    """Return one field of a private key in BIND's format."""
    for line in private.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


@functools.lru_cache(maxsize=65536)
def canonical(kind: str, content: str) -> bytes:
    """Return a record as it travels, so that two ways of writing it are equal; what does not parse is its text."""
    try:
        return bytes(
            rdata.from_text(rdataclass.IN, rdatatype.from_text(kind), content, relativize=False).to_digestable()
        )
    except Exception:  # noqa: BLE001  # what PowerDNS holds may be another program's; what we send is checked before
        return content.encode()


def desired(zones: Iterable[Mapping[str, Any]]) -> dict[str, Zone]:
    """Return the module's argument as zones, by name; PowerdnsError with everything that is wrong."""
    found: dict[str, Zone] = {}
    problems: list[Problem] = []
    for index, item in enumerate(zones):
        name = str(item.get("name", ""))
        where = f"zones[{index}]"
        if not name.endswith(".") or name != name.lower():
            problems.append(problem(f"{where}.name", f"{name!r} is not absolute and lower case", "end it with a dot"))
            continue
        if name in found:
            problems.append(problem(f"{where}.name", f"{name} is there twice", "merge the two"))
            continue
        try:
            found[name] = _zone(name, item, where)
        except PowerdnsError as error:
            problems += error.problems
        except (KeyError, TypeError, ValueError) as error:
            problems.append(_incomplete(where, f"zone {name} or a key of it is not complete", error))
    if problems:
        raise PowerdnsError(problems)
    return found


def _incomplete(where: str, what: str, error: Exception) -> Problem:
    return problem(where, f"{what} ({error!r})", "write it as the module's documentation has it")


def _zone(name: str, item: Mapping[str, Any], where: str) -> Zone:
    rrsets: dict[Spot, RRset] = {}
    places: dict[Spot, str] = {}
    held: dict[str, bool] = {}
    problems = []
    for index, one in enumerate(item.get("rrsets") or ()):
        here = f"{where}.rrsets[{index}]"
        try:
            if not isinstance(one["records"], list):
                raise TypeError("records is no list")
            rrset = make(one["name"], one["type"], one["ttl"], one["records"])
        except (KeyError, TypeError, ValueError) as error:
            problems.append(_incomplete(here, f"an RRset of {name} is not complete", error))
            continue
        shown, known = f"{rrset.name} {rrset.type}", rrsets.setdefault(rrset.spot, rrset)
        if known is not rrset and known.ttl != rrset.ttl:
            what, mend = ttls(rrset.ttl, known.ttl, places[rrset.spot])
            problems.append(problem(f"{here}.ttl", f"{shown} {what}", mend))
        elif known is not rrset:
            what = f"{shown} is there twice, at {places[rrset.spot]} before"
            problems.append(problem(here, what, "put all its records into one RRset"))
        places.setdefault(rrset.spot, here)
        held[here] = bool(one.get("held"))
        if not rrset.records:
            problems.append(problem(f"{here}.records", f"of {shown} is empty", "give a record, or leave the RRset out"))
        if not is_within(rrset.name, name):
            what = f"{shown} is not below {name}, its zone"
            problems.append(problem(f"{here}.name", what, "move it to the zone it belongs to"))
    servers = rrsets.get((name, "NS"))
    if servers is None:
        problems.append(problem(f"{where}.rrsets", f"zone {name} has no NS at its apex", "add the record"))
    if problems or servers is None:
        raise PowerdnsError(problems)
    master = servers.records[0]
    soa = f"{master} hostmaster.{master.partition('.')[2]} 0 {SOA_TIMES}"
    rrsets[name, "SOA"] = RRset(name, "SOA", SOA_TTL, (soa,))
    keys = [
        Key(
            private=str(key["private"]),
            flags=int(key.get("flags", 257)),
            algorithm=int(key.get("algorithm", 13)),
            active=bool(key.get("active", True)),
            published=bool(key.get("published", True)),
        )
        for key in item.get("keys") or ()
    ]
    return Zone(
        name,
        item.get("parent"),
        rrsets,
        tuple(keys),
        tuple(map(str, item.get("owns") or ())),
        frozenset(map(str, item.get("children") or ())),
        str(item.get("account") or ""),
        frozenset(spot for spot, place in places.items() if held.get(place)),
    )


def make(name: str, kind: str, ttl: object, records: Iterable[str]) -> RRset:
    """Return an RRset in its one form."""
    return RRset(str(name), str(kind).upper(), int(str(ttl)), tuple(sorted({str(content) for content in records})))


def present(zone: Mapping[str, Any], keys: Iterable[Mapping[str, Any]] = ()) -> Present:
    """Return PowerDNS's answers about one zone."""
    rrsets = {}
    for item in zone.get("rrsets") or ():
        # A disabled record is not served: the RRset differs until it is written anew.
        contents = [record["content"] for record in item["records"] if not record.get("disabled")]
        rrset = make(item["name"], item["type"], item["ttl"], contents)
        rrsets[rrset.spot] = rrset
    return Present(
        name=str(zone["name"]),
        kind=str(zone.get("kind", "")),
        catalog=str(zone.get("catalog") or ""),
        soa_edit=str(zone.get("soa_edit") or ""),
        soa_edit_api=str(zone.get("soa_edit_api") or ""),
        rectify=bool(zone.get("api_rectify")),
        unfinished=zone.get("account") in {UNFINISHED, REGISTRY_UNFINISHED},
        serial=int(zone.get("serial") or 0),
        rrsets=rrsets,
        keys=tuple(
            Key(
                private=str(key.get("privatekey", "")),
                flags=int(key["flags"]),
                algorithm=int(private_field(str(key.get("privatekey", "")), "Algorithm").split(" ")[0] or 0),
                active=bool(key["active"]),
                published=bool(key["published"]),
                number=int(key["id"]),
            )
            for key in keys
        ),
        account=str(zone.get("account") or ""),
    )
