"""What has to change in one zone, and whether so much may be deleted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import PowerdnsError, problem
from .model import SOA_EDIT, SOA_EDIT_API, Key, Present, RRset, Spot, Zone, canonical

DELEGATION = ("NS", "DS")
#: What a server adds to, or answers from another zone.
UNSAMPLED = frozenset((*DELEGATION, "SOA", "DNSKEY", "CDS", "CDNSKEY", "NSEC", "RRSIG"))
#: The API's name of a primary's zone.
PRIMARY = "Master"


@dataclass(frozen=True)
class Sample:
    """What a name has to have in a zone, as it travels; nothing where the name and type are gone."""

    zone: str
    name: str
    type: str
    records: frozenset[bytes]


def _upwards(name: str) -> list[str]:
    """Return a name and every name above it."""
    labels = name.split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]


@dataclass(frozen=True)
class ZoneChange:
    """One zone's difference. Without ``former`` the zone is new, without ``zone`` it goes."""

    name: str
    zone: Zone | None
    former: Present | None
    put: tuple[RRset, ...] = ()
    drop: tuple[RRset, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    add_keys: tuple[Key, ...] = ()
    set_keys: tuple[Key, ...] = ()
    drop_keys: tuple[Key, ...] = ()
    #: The serial has to move although no record changes.
    touch: bool = False

    @property
    def keys(self) -> bool:
        """Say whether a key is added, changed or removed."""
        return bool(self.add_keys or self.set_keys or self.drop_keys)

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to do."""
        if self.zone is None or self.former is None:
            return False
        return not (self.put or self.drop or self.settings or self.keys or self.touch)

    @property
    def delegations(self) -> frozenset[str]:
        """Names, other than its own, of which this change gives out NS or DS."""
        return frozenset(one.name for one in self.put if one.type in DELEGATION and one.name != self.name)

    @property
    def sample(self) -> Sample | None:
        """One thing that a server must say differently now; None where only the zone's own or a child's is changed."""
        cuts = self._cuts()
        puts = (one for one in self.put if one.type not in UNSAMPLED and cuts.isdisjoint(_upwards(one.name)))
        drops = (one for one in self.drop if one.type not in UNSAMPLED)
        for one in puts:
            return Sample(self.name, one.name, one.type, frozenset(canonical(one.type, text) for text in one.records))
        for one in drops:
            return Sample(self.name, one.name, one.type, frozenset())
        return None

    def _cuts(self) -> frozenset[str]:
        """Return the names that are delegated: below them, a server refers to the child (RFC 1034 §4.3.2)."""
        spots = [*(self.zone.rrsets if self.zone else ()), *(self.former.rrsets if self.former else ())]
        return frozenset(at for at, kind in spots if kind == "NS" and at != self.name)

    def without(self, names: Collection[str]) -> ZoneChange:
        """Return the change without the delegations of ``names``."""
        kept = tuple(one for one in self.put if not (one.type in DELEGATION and one.name in names))
        return ZoneChange(**{**self.__dict__, "put": kept})


def settings(catalog: str) -> dict[str, Any]:
    """Return what every zone of ours is set to."""
    return {
        "kind": PRIMARY,
        "catalog": catalog,
        "soa_edit": SOA_EDIT,
        "soa_edit_api": SOA_EDIT_API,
        "api_rectify": True,
    }


def change(
    zone: Zone, former: Present | None, *, catalog: str, prune: bool, registered: Collection[str] = ()
) -> ZoneChange:
    """Return what makes ``former`` (None: there is none) the desired zone.

    What is at and below the names ``registered`` is the registry's, and stays.
    """
    if former is None:
        return ZoneChange(zone.name, zone, None, put=tuple(_sorted(zone.rrsets.values())), add_keys=zone.keys)
    wanted = settings(catalog)
    if zone.account and not former.unfinished:
        wanted["account"] = zone.account
    have = {
        "account": former.account,
        "kind": former.kind,
        "catalog": former.catalog,
        "soa_edit": former.soa_edit,
        "soa_edit_api": former.soa_edit_api,
        "api_rectify": former.rectify,
    }
    mine = {key.secret: key for key in zone.keys}
    theirs = {key.secret: key for key in former.keys}
    return ZoneChange(
        zone.name,
        zone,
        former,
        put=tuple(
            one
            for one in _sorted(zone.rrsets.values())
            # A child's first DS comes with its delegation, and all others from itself.
            if not _holds(one, former) and not (zone.childs(one.spot) and (one.name, "NS") in former.rrsets)
        ),
        drop=tuple(
            one
            for one in _sorted(former.rrsets.values())
            if one.spot not in zone.rrsets
            and (prune or zone.owned(one.name))
            and not zone.childs(one.spot)
            and not (registered and any(above in registered for above in _upwards(one.name)))
        ),
        settings={name: value for name, value in wanted.items() if have[name] != value},
        add_keys=tuple(key for secret, key in mine.items() if secret not in theirs),
        set_keys=tuple(
            Key(key.private, key.flags, key.algorithm, key.active, key.published, theirs[secret].number)
            for secret, key in mine.items()
            if secret in theirs and (key.active, key.published) != (theirs[secret].active, theirs[secret].published)
        ),
        drop_keys=tuple(key for secret, key in theirs.items() if secret not in mine),
        touch=former.unfinished,
    )


def removal(former: Present) -> ZoneChange:
    """Return the change that removes a zone."""
    return ZoneChange(former.name, None, former, drop=tuple(_sorted(former.rrsets.values())))


def judge_keys(one: ZoneChange, *, consent: bool) -> None:
    """Refuse to take all of a signed zone's keys away at once: every resolver would call its answers forged."""
    former = one.former
    if former is None or one.zone is None or consent:
        return
    active = [key for key in former.keys if key.active]
    gone = {key.secret for key in one.drop_keys}
    if active and all(key.secret in gone for key in active):
        what = "none of the keys that sign it now is among the desired ones"
        remedy = (
            "see that the vault's altnet_master_secret is this network's; to replace all keys at once, and have its "
            "answers refused until every DS and trust anchor has followed, set replace_keys"
        )
        raise PowerdnsError(problem(f"zone {one.name}", what, remedy))


def judge_deletions(
    changes: Iterable[ZoneChange], present: Collection[str], *, at_most: int, consent: Collection[str]
) -> None:
    """Refuse deletions past ``at_most`` percent of a zone's RRsets, or of all zones, unless a zone is named."""
    problems = []
    gone = []
    for one in changes:
        if one.former is None or one.name in consent:
            continue
        if one.zone is None:
            gone.append(one.name)
            continue
        # What is the plan's own goes by what hosts there are, which has a guard of its own.
        dropped = [rrset for rrset in one.drop if not one.zone.owned(rrset.name)]
        if len(dropped) * 100 > at_most * len(one.former.rrsets):
            names = ", ".join(f"{rrset.name} {rrset.type}" for rrset in dropped[:10])
            more = f" and {len(dropped) - 10} more" if len(dropped) > 10 else ""
            what = (
                f"{len(dropped)} of its {len(one.former.rrsets)} RRsets would be deleted, more than {at_most} %: "
                f"{names}{more}"
            )
            problems.append(problem(f"zone {one.name}", what, f"add {one.name} to prune_consent if that is meant"))
    if len(gone) * 100 > at_most * len(present):
        shown = ", ".join(sorted(gone)[:10]) + (f" and {len(gone) - 10} more" if len(gone) > 10 else "")
        what = f"{len(gone)} of {len(present)} zones would be deleted, more than {at_most} %: {shown}"
        problems.append(problem("zones", what, "name each of them in prune_consent if that is meant"))
    if problems:
        raise PowerdnsError(problems)


def levels(zones: Mapping[str, Zone]) -> list[list[str]]:
    """Return the zones' names, children before their parents: each list needs only those before it."""
    depth = dict.fromkeys(zones, 0)
    for name in sorted(zones, key=lambda one: -one.count(".")):
        above = name
        while True:
            above = above.partition(".")[2]
            if not above:
                break
            if above in depth:
                depth[above] = max(depth[above], depth[name] + 1)
    rows: dict[int, list[str]] = {}
    for name, row in depth.items():
        rows.setdefault(row, []).append(name)
    return [sorted(rows[row]) for row in sorted(rows)]


def _holds(wanted: RRset, former: Present) -> bool:
    have = former.rrsets.get(wanted.spot)
    if wanted.type != "SOA":
        return wanted.same(have)
    return have is not None and wanted.ttl == have.ttl and _unserialed(wanted) == _unserialed(have)


def _unserialed(soa: RRset) -> list[str]:
    fields = soa.records[0].split()
    return fields[:2] + fields[3:]


def _sorted(rrsets: Iterable[RRset]) -> list[RRset]:
    def place(one: RRset) -> tuple[list[str], str]:
        return one.name.split(".")[::-1], one.type

    return sorted(rrsets, key=place)


def shown(one: ZoneChange) -> dict[str, str]:
    """Return Ansible's form of the difference: the lines of a zone file that change, and no private key."""
    former = one.former
    before: list[str] = []
    after: list[str] = []
    old: Mapping[Spot, RRset] = former.rrsets if former else {}
    for rrset in _sorted({one.spot: one for one in (*one.put, *one.drop)}.values()):
        before += old[rrset.spot].lines() if rrset.spot in old else []
        after += rrset.lines() if rrset in one.put else []
    for name, value in one.settings.items():
        has = "rectify" if name == "api_rectify" else name
        before.append(f"; {one.name} {name} {getattr(former, has)}\n")
        after.append(f"; {one.name} {name} {value}\n")
    for key in one.add_keys:
        after.append(key.line(one.name))
    theirs = {key.number: key for key in (former.keys if former else ())}
    for key in one.set_keys:
        before.append(theirs[key.number].line(one.name))
        after.append(key.line(one.name))
    before += [key.line(one.name) for key in (one.drop_keys if one.zone else former.keys if former else ())]
    if one.touch:
        after.append(f"; {one.name} serial: an earlier run stopped before the keys were announced\n")
    header = f"zone {one.name}"
    return {
        "before_header": header if former else f"{header} (not there)",
        "after_header": header if one.zone else f"{header} (removed)",
        "before": "".join(before),
        "after": "".join(after),
    }
