"""What the primary holds against what the rows say, all of it, once a minute. It reads only.

The list of zones has their serials and settings. A zone is read where its serial is not the one at which it was seen to
be right, or where the rows say something else than then; of the others a part is read each time, so that every zone is
read within an hour. What is found is a hint: who mends it looks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from ...powerdns import difference, registered
from ...powerdns.model import RRset
from ...powerdns.present import listed
from ..storage import projection
from ..storage.tables import audit, outbox
from . import parents
from .primary import Primary
from .wanted import DELEGATION_TTL, Maker, Wanted
from .work import digest

if TYPE_CHECKING:
    from ..domain.model import Head
    from ..storage.store import Store

#: A zone is read at least once in so many comparisons.
EVERY: Final = 60
#: So many zones are read in one comparison at most, however many look wrong: the next one goes on.
MOST: Final = 2000
_THREADS: Final = 2


@dataclass
class Found:
    """What is different: sentences by name, and the names that nobody registered."""

    zones: int = 0
    differences: dict[str, list[str]] = field(default_factory=dict)
    strays: set[str] = field(default_factory=set)
    #: Marks to be made and removed, by parent.
    marks: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    right: dict[str, tuple[int, str]] = field(default_factory=dict)
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, name: str, words: Iterable[str]) -> None:
        """Add sentences about a name."""
        self.differences.setdefault(name, []).extend(words)

    @property
    def sentences(self) -> list[str]:
        """All of them, each with its name."""
        return [f"{name}: {word}" for name, words in sorted(self.differences.items()) for word in words]


@dataclass
class Comparison:
    """The comparison, which goes on where the last one ended."""

    store: Store
    maker: Maker
    primary: Primary
    _turn: int = 0

    def run(self, right: Mapping[str, tuple[int, str]], heads: Mapping[str, Wanted]) -> Found:
        """Return what is different. ``right`` is what was seen to be right, ``heads`` what else parents have to say.

        Names that are in the outbox are left out: they are on their way.
        """
        found = Found()
        with self.store.read() as connection:
            busy = frozenset(connection.execute(select(outbox.c.zone).distinct()).scalars())
            served = projection.zones(connection)
            reverses = projection.reverses(connection)
        found.listed = listed(self.primary.api)
        wanted = {name: self.maker.domain(one) for name, one in served.items()}
        wanted |= {name: self.maker.reverse(name, one) for name, one in reverses.items()}
        wanted |= heads
        self._zones(found, {name: one for name, one in wanted.items() if name not in busy}, right)
        own = registered.zones(found.listed)
        for name in sorted(own - set(wanted) - busy):
            found.strays.add(name)
            found.add(name, ["is a zone on the primary, and not registered"])
        for name in sorted(own & set(wanted) - busy):
            if wanted[name].zone is None:
                found.add(name, ["is a zone on the primary, and its holder's servers serve it"])
        for parent in self.maker.parents:
            if parent in found.listed:
                self._parent(found, parent, wanted, busy)
        self._keys(found, wanted, busy)
        self._turn += 1
        return found

    def _zones(self, found: Found, wanted: Mapping[str, Wanted], right: Mapping[str, tuple[int, str]]) -> None:
        settings = difference.settings(self.primary.catalog)
        told = {"kind": settings["kind"], "catalog": settings["catalog"], "account": registered.ACCOUNT}
        look: list[Wanted] = []
        for number, (name, one) in enumerate(sorted(wanted.items())):
            if one.zone is None:
                continue
            found.zones += 1
            there = found.listed.get(name)
            if there is None:
                found.add(name, ["is not on the primary"])
                continue
            seen = right.get(name)
            same = seen == (int(there["serial"]), digest(one)) and all(there.get(k) == v for k, v in told.items())
            if not same or number % EVERY == self._turn % EVERY:
                look.append(one)
        # Where more look wrong than are read at once, others are first the next time.
        start = (self._turn * MOST) % max(1, len(look))
        look = (look[start:] + look[:start])[:MOST]
        with ThreadPoolExecutor(_THREADS) as pool:
            for one, held in zip(look, pool.map(lambda one: self.primary.read(one.name), look), strict=True):
                words = self.primary.differs(one, held)
                if words:
                    found.add(one.name, words)
                elif held is not None:
                    found.right[one.name] = (held.zone.serial, digest(one))

    def _parent(self, found: Found, name: str, wanted: Mapping[str, Wanted], busy: Collection[str]) -> None:
        there = parents.read(self.primary.api, name)
        here = [one for one in wanted.values() if one.parent == name and one.name not in busy]
        todo = parents.change(there, here)
        names = {one.name for one in here}
        for rrset in todo.put:
            owner = registered.owner(rrset.name, names) or rrset.name
            found.add(owner, [f"{rrset.name} {rrset.type} in {name} is not as registered"])
        for spot in todo.drop:
            if spot not in {rrset.spot for rrset in todo.put}:
                found.add(
                    registered.owner(spot[0], names) or spot[0], [f"{spot[0]} {spot[1]} in {name} is not registered"]
                )
        marked = registered.marked(self.primary.api, name)
        own = {one.name for one in here if one.sets and one.zone is None}
        strays = self._strays(there, set(wanted) | set(busy), marked)
        for stray in sorted(strays):
            found.strays.add(stray)
            found.add(stray, [f"is delegated in {name}, and not registered"])
        kept = own | (strays & marked) | (marked & set(busy))
        if marked != kept:
            found.marks[name] = frozenset(kept) - marked, marked - frozenset(kept)
            found.add(name, ["its marks of what is the registry's are not right"])

    def _strays(self, there: parents.Parent, known: Collection[str], marked: Collection[str]) -> set[str]:
        """Return delegations that are the registry's and nobody's: by mark, by key, or as its log knows the name."""
        cuts: dict[str, list[RRset]] = {}
        for (owner, kind), rrset in there.sets.items():
            if kind in difference.DELEGATION and owner != there.name:
                cuts.setdefault(owner, []).append(rrset)
        other = {name: sets for name, sets in cuts.items() if name not in known and not self.maker.taken(name)}
        own = {name for name, sets in other.items() if name in marked or self.maker.ours(sets)}
        unsure = sorted(set(other) - own)
        with self.store.read() as connection:
            for start in range(0, len(unsure), 500):
                query = select(audit.c.object).where(
                    audit.c.object.in_(unsure[start : start + 500]), audit.c.kind == "domain"
                )
                own.update(connection.execute(query.distinct()).scalars())
        return own

    def _keys(self, found: Found, wanted: Mapping[str, Wanted], busy: Collection[str]) -> None:
        """Find holders' keys that nobody has; one that is missing is found with its zone."""
        there = self.primary.keys()
        keys = {one.tsig[0]: name for name, one in wanted.items() if one.tsig}
        if not busy:
            found.keys = there - set(keys)
            for key in sorted(found.keys):
                found.add("keys for transfers", [f"{key} is nobody's"])
        for key in sorted(set(keys) - there):
            if keys[key] not in busy:
                found.add(keys[key], [f"the key {key}, by which its holder fetches it, is not there"])


def audit_head(head: Head | None, text: str, tlds: Iterable[str]) -> dict[str, Wanted]:
    """Return what top-level domains say of the audit log: its signed head, at ``_audit``."""
    if head is None:
        return {}
    found = {}
    for tld in tlds:
        name = f"_audit.{tld}"
        found[name] = Wanted(name, tld, None, (RRset(name, "TXT", DELEGATION_TTL, (f'"{text}"',)),))
    return found
