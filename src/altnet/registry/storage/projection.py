"""What the name servers have to say, from the rows: the writer's read.

Three queries whatever is asked for, so that ten thousand domains are read as fast as the rows come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, select

from ..domain.model import PUBLISHED, DomainState, Hosting, RRset
from . import rows
from .tables import domains, prefixes, rrsets

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

#: How many names one query asks for by name.
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Served:
    """What a domain is to be on the name servers.

    ``zone`` says whether it is a zone on the primary, with ``rrsets`` (its SOA, NS and keys are the servers' own to
    make). ``delegation`` is what its top-level domain says of it where the holder's servers serve it: NS, DS and glue;
    of a zone of the network's own the writer makes that itself. ``tsig`` is the key by which its holder may fetch it.
    A name that is neither is to be gone from the servers.
    """

    name: str
    tld: str
    state: DomainState
    version: int
    zone: bool
    rrsets: tuple[RRset, ...] = ()
    delegation: tuple[RRset, ...] = ()
    tsig: tuple[str, str] | None = None  # the key's name, and its secret in base64

    @property
    def gone(self) -> bool:
        """Say whether nothing of it is to be in the DNS."""
        return not self.zone and not self.delegation


@dataclass(frozen=True, slots=True)
class Reverse:
    """What a member's prefix is to be in the reverse tree: its zone, delegated to its servers."""

    zone: str
    prefix: str
    nameservers: tuple[str, ...]
    ds: tuple[str, ...]


def zones(connection: Connection, names: Collection[str] | None = None) -> dict[str, Served]:
    """Return what is to be served, by absolute name: of all published domains, or of the ``names`` asked for.

    A name asked for that is not published (or not there at all) is in it too, and is ``gone``.
    """
    found: dict[str, Served] = {}
    for chunk in _chunks(names):
        own = select(domains)
        records = select(rrsets)
        if chunk is None:
            own = own.where(domains.c.state.in_(sorted(PUBLISHED)))
        else:
            own = own.where(domains.c.name.in_(chunk))
            records = records.where(rrsets.c.domain.in_(chunk))
            found |= {name: _gone(name) for name in chunk}
        found |= _read(connection, own, records)
    return found


def reverses(connection: Connection, delegated_only: bool = True) -> dict[str, Reverse]:
    """Return members' reverse zones by absolute name; one that has no servers is none of the DNS's."""
    query = select(prefixes).where(prefixes.c.released.is_(None)).order_by(prefixes.c.first)
    found = {}
    for row in connection.execute(query):
        zone = reverse_zone(row.prefix)
        if row.nameservers or not delegated_only:
            found[zone] = Reverse(zone, row.prefix, tuple(row.nameservers), tuple(row.ds))
    return found


def reverse_zone(prefix: str) -> str:
    """Return the zone of a prefix in the reverse tree (RFC 3596, 2.5); its length is a multiple of 4."""
    network = IPv6Network(prefix)
    digits = network.network_address.exploded.replace(":", "")[: network.prefixlen // 4]
    return ".".join(reversed(digits)) + ".ip6.arpa."


def _chunks(names: Collection[str] | None) -> Iterator[Sequence[str] | None]:
    if names is None:
        yield None
        return
    asked = sorted(set(names))
    for start in range(0, len(asked), _CHUNK):
        yield asked[start : start + _CHUNK]


def _read(connection: Connection, own: Select[Any], records: Select[Any]) -> dict[str, Served]:
    found = connection.execute(own).all()
    sets: dict[str, list[RRset]] = {row.name: [] for row in found}
    for row in connection.execute(records.order_by(rrsets.c.domain, rrsets.c.name, rrsets.c.type)):
        if row.domain in sets:
            sets[row.domain].append(rows.rrset(row))
    return {row.name: _served(row, tuple(sets[row.name])) for row in found}


def _served(row: Row[Any], sets: tuple[RRset, ...]) -> Served:
    state = DomainState(row.state)
    if state not in PUBLISHED:
        return Served(row.name, row.tld, state, row.version, zone=False)
    if row.hosting == Hosting.DELEGATED:
        return Served(row.name, row.tld, state, row.version, zone=False, delegation=sets)
    key = (row.tsig, row.tsig_secret) if row.tsig and row.tsig_secret else None
    return Served(row.name, row.tld, state, row.version, zone=True, rrsets=sets, tsig=key)


def _gone(name: str) -> Served:
    return Served(name, name.partition(".")[2], DomainState.AVAILABLE, 0, zone=False)
