"""The typed zone. Names in it are absolute: lower case, with their final dot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

DEFAULT_TTL: Final = 3600
TTL_MIN: Final = 1
TTL_MAX: Final = 2**31 - 1
#: Types that a primary makes by itself.
MADE: Final = frozenset(("SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY"))


@dataclass(frozen=True, slots=True)
class RRSet:
    """All records of one name and type; ``records`` in presentation form."""

    name: str
    type: str
    ttl: int
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A zone's signing key; ``private`` is BIND's private-key-format v1.2.

    ``published`` puts its DNSKEY into the zone, ``active`` makes it sign.
    """

    private: str
    active: bool = True
    published: bool = True
    flags: int = 257
    algorithm: int = 13

    def __repr__(self) -> str:
        return f"Key(active={self.active}, published={self.published})"


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone without its SOA.

    ``parent`` is the nearest of our zones above it, None for what an anchor begins. Nobody else puts anything at or
    below the names in ``owns``, so that what is not desired there any more has to go. The delegations in ``children``
    say by themselves what DS they have; one that is desired is their first.
    """

    name: str
    parent: str | None
    rrsets: tuple[RRSet, ...]
    keys: tuple[Key, ...] = ()
    owns: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the zone as the data that ``pdns_zones`` takes."""
        return {
            "name": self.name,
            "parent": self.parent,
            "rrsets": [
                {"name": entry.name, "type": entry.type, "ttl": entry.ttl, "records": list(entry.records)}
                for entry in self.rrsets
            ],
            "keys": [asdict(key) for key in self.keys],
            "owns": list(self.owns),
            "children": list(self.children),
        }


@dataclass(frozen=True, slots=True)
class Declared:
    """What the operator wrote for one zone, checked and in canonical form; ``children`` as in :class:`Zone`."""

    name: str
    rrsets: tuple[RRSet, ...]
    children: tuple[str, ...] = ()


def parents_first(names: Iterable[str]) -> list[str]:
    """Return zone names so that a parent stands before its children, otherwise by name."""
    return sorted(names, key=lambda name: (name.count("."), name))
