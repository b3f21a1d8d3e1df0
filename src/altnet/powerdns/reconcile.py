"""The whole desired set against PowerDNS: children first; a parent names a child once all secondaries serve it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem
from . import apply, difference, lost
from . import registered as registry
from .apply import Clock
from .client import Api, zone_path
from .difference import Sample, ZoneChange
from .errors import PowerdnsError, problem
from .followers import Followers, Lag, reached
from .lost import Witnesses
from .model import Zone
from .present import State, listed, read

_SHOWN = 10
_LOOKS = 5
_NOTIFY_AGAIN = 5.0  # seconds
_PROOFS = 3
#: Seconds: PowerDNS's threads see a transfer's end at slightly different moments.
_SETTLING = 3.0


@dataclass(frozen=True)
class Tsig:
    """The key that transfers of the catalog are signed with."""

    name: str
    secret: str = field(repr=False)
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True)
class Wish:
    """How it is to be done."""

    catalog: str
    tsig: Tsig | None = None
    wait: float = 30.0
    prune: bool = False
    prune_at_most: int = 20
    prune_consent: tuple[str, ...] = ()
    replace_keys: bool = False
    settle: bool = False


@dataclass
class Report:
    """What was done; in check mode, what would be."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    diff: list[dict[str, str]] = field(default_factory=list)
    serials: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Return it as the module does."""
        return {
            "changed": bool(self.diff),
            "created": self.created,
            "updated": self.updated,
            "deleted": self.deleted,
            "left": self.left,
            "diff": self.diff,
            "serials": self.serials,
        }


def reconcile(
    api: Api,
    zones: Mapping[str, Zone],
    wish: Wish,
    followers: Followers,
    *,
    check_mode: bool,
    clock: Clock | None = None,
    witnesses: Witnesses | None = None,
) -> Report:
    """Bring PowerDNS to the desired zones; PowerdnsError says what could not be done, and all else is done.

    With ``witnesses`` a primary that has lost its zones does not begin anew where that would lose something.
    """
    clock = clock or Clock()
    state = read(api, zones, wish.tsig.name if wish.tsig else None, signed=zones)
    if witnesses is not None and wish.catalog not in state.listed:
        lost.judge(zones, witnesses, wish.catalog)
    registered = registry.names(api, zones, state.listed)
    if conflicts := registry.conflicts(zones, registered):
        raise PowerdnsError(conflicts)
    # The registry's zones come and go by themselves, and are no drift of the inventory's.
    known = {*zones, wish.catalog, *registry.zones(state.listed)}
    strangers = [name for name in state.listed if name not in known]
    if wish.prune and strangers:
        state.zones |= read(api, strangers, None, signed=()).zones
    changes = _changes(zones, state, wish, strangers, registered)
    report = Report(left=[] if wish.prune else sorted(strangers))
    _judge(changes, state, wish, clock)
    _foundation(api, state, wish, report, check_mode=check_mode)
    for one in changes.values():
        report.diff.append(difference.shown(one))
        group = report.deleted if one.zone is None else report.updated if one.former else report.created
        group.append(one.name)
    if not check_mode:
        _Run(api, zones, wish, followers, clock, report).carry_out(changes)
    return report


def _changes(
    zones: Mapping[str, Zone], state: State, wish: Wish, strangers: Iterable[str], registered: Collection[str]
) -> dict[str, ZoneChange]:
    found = {}
    for name, zone in zones.items():
        former = state.zones.get(name)
        one = difference.change(zone, former, catalog=wish.catalog, prune=wish.prune, registered=registered)
        if not one.empty:
            found[name] = one
    if wish.prune:
        found |= {name: difference.removal(state.zones[name]) for name in strangers}
    return found


def _judge(changes: Mapping[str, ZoneChange], state: State, wish: Wish, clock: Clock) -> None:
    """Refuse before anything is sent; every refusal is named."""
    problems: list[Problem] = []
    for one in changes.values():
        try:
            difference.judge_keys(one, consent=wish.replace_keys)
            apply.check_clock(one, clock)
        except PowerdnsError as error:
            problems += error.problems
    try:
        ours = [name for name in state.listed if name != wish.catalog]
        difference.judge_deletions(changes.values(), ours, at_most=wish.prune_at_most, consent=wish.prune_consent)
    except PowerdnsError as error:
        problems += error.problems
    if problems:
        raise PowerdnsError(problems)


def _foundation(api: Api, state: State, wish: Wish, report: Report, *, check_mode: bool) -> None:
    """See to the transfer key and the catalog zone."""
    tsig = wish.tsig
    if tsig is not None:
        held = state.tsig
        # It is compared with what PowerDNS has, and never shown.
        same = held is not None and (held.get("key"), held.get("algorithm")) == (tsig.secret, tsig.algorithm)
        if not same:
            report.diff.append(
                _words(f"TSIG key {tsig.name}", "(hidden)\n" if held else "", "(hidden, the desired one)\n")
            )
            body = {"name": tsig.name, "algorithm": tsig.algorithm, "key": tsig.secret}
            if not check_mode:
                api.call("PUT" if held else "POST", f"/tsigkeys{f'/{tsig.name}' if held else ''}", body)
    keys = [tsig.name] if tsig else []
    present = state.listed.get(wish.catalog)
    if present is None:
        report.diff.append(_words(f"zone {wish.catalog}", "", "; catalog of all zones\n"))
        if not check_mode:
            api.call("POST", "/zones", _catalog(wish.catalog, keys))
            # Secondaries that asked before there was one ask again ever more seldom, unless they are told.
            api.call("PUT", f"{zone_path(wish.catalog)}/notify")
        return
    held_keys = api.call("GET", f"{zone_path(wish.catalog)}?rrsets=false").get("master_tsig_key_ids") or []
    if present.get("kind") != "Producer" or sorted(held_keys) != keys:
        before = f"; {present.get('kind')}, transfers signed with {', '.join(held_keys) or 'nothing'}\n"
        after = f"; Producer, transfers signed with {', '.join(keys) or 'nothing'}\n"
        report.diff.append(_words(f"zone {wish.catalog}", before, after))
        if not check_mode:
            api.call("PUT", zone_path(wish.catalog), {"kind": "Producer", "master_tsig_key_ids": keys})


def _catalog(name: str, keys: list[str]) -> dict[str, Any]:
    def rrset(kind: str, content: str) -> dict[str, Any]:
        return {"name": name, "type": kind, "ttl": 60, "records": [{"content": content, "disabled": False}]}

    # Names that nothing resolves, as RFC 9432 asks for.
    soa = "invalid. invalid. 0 60 30 1209600 60"
    return {
        "name": name,
        "kind": "Producer",
        "nameservers": [],
        "soa_edit_api": "EPOCH",
        "master_tsig_key_ids": keys,
        "rrsets": [rrset("SOA", soa), rrset("NS", "invalid.")],
    }


def _words(title: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": title, "after_header": title, "before": before, "after": after}


@dataclass
class _Run:
    """The changes, carried out in their order."""

    api: Api
    zones: Mapping[str, Zone]
    wish: Wish
    followers: Followers
    clock: Clock
    report: Report

    def __post_init__(self) -> None:
        self.problems: list[Problem] = []
        self.silent: set[str] = set()
        self.unserved: dict[str, str] = {}

    def carry_out(self, changes: Mapping[str, ZoneChange]) -> None:
        done: list[str] = []
        try:
            for level in difference.levels(self.zones):
                todo = [changes[name] for name in level if name in changes]
                self._withhold(todo)
                for one in todo:
                    kept = one.without(self.unserved)
                    if kept.empty:
                        continue
                    apply.carry_out(self.api, kept, self.wish.catalog, self.clock)
                    done.append(one.name)
                    self._notify(one.name)
                self._verify([one.name for one in todo])
            gone = [one for one in changes.values() if one.zone is None]
            # Whatever named them has been changed by now.
            for one in sorted(gone, key=lambda zone: -zone.name.count(".")):
                apply.carry_out(self.api, one, self.wish.catalog, self.clock)
        except PowerdnsError as error:
            self.problems += error.problems
        if done or self.wish.settle:
            self._finish(self.zones if self.wish.settle else done)
            self._prove([changes[name].sample for name in done if name in self.report.serials])
        names = sorted(self.silent)
        if names:
            self.report.warnings.append(
                f"no word from {', '.join(names)}: not waited for; the zones are fetched when it is back"
            )
        if self.problems:
            raise PowerdnsError(self.problems)

    def _notify(self, zone: str) -> None:
        """Have the secondaries told: by PowerDNS, which repeats it, and first by ourselves, for it waits a second."""
        self.followers.tell(zone)
        self.api.call("PUT", f"{zone_path(zone)}/notify")

    def _verify(self, names: list[str]) -> None:
        for _ in range(_LOOKS if names else 0):
            accounts = {name: self.zones[name].account for name in names}
            if not apply.see_to_it(self.api, accounts, self.wish.catalog, listed(self.api)):
                return
            self.clock.sleep(0.2)

    def _withhold(self, todo: Iterable[ZoneChange]) -> None:
        """Wait for the children that these changes are about to name; one that is not served is kept back."""
        children = {name for one in todo for name in one.delegations if name in self.zones}
        if not children:
            return
        serials = self._serials()
        lag = self._wait({name: serials[name] for name in children if name in serials})
        for secondary, zones in lag.behind.items():
            for zone in zones:
                self.unserved.setdefault(zone, secondary)
        for zone, secondary in self.unserved.items():
            if zone in children:
                what = f"its parent does not name it yet, for {secondary} does not serve it"
                self.problems.append(problem(f"zone {zone}", what, "mend that secondary, then run again"))

    def _serials(self) -> dict[str, int]:
        # As it is stored: what is served is the same or, after the week's new signatures, later.
        return {name: int(zone["serial"]) for name, zone in listed(self.api).items()}

    def _wait(self, serials: Mapping[str, int]) -> Lag:
        """Wait for the secondaries, as long as one gets further; tell those again that do not.

        One whose transfer failed (a session of BGP went down) would ask again only at the zone's next refresh.
        """
        left = self.wish.wait
        lag = self.followers.wait(serials, min(left, _NOTIFY_AGAIN))
        while lag.behind and left > _NOTIFY_AGAIN:
            for zone in sorted({name for zones in lag.behind.values() for name in zones}):
                self._notify(zone)
            before, left = _late(lag), left - _NOTIFY_AGAIN
            lag = self.followers.wait(serials, min(left, _NOTIFY_AGAIN))
            if _late(lag) < before:
                left = self.wish.wait
        self.silent |= set(lag.silent)
        return lag

    def _finish(self, done: Iterable[str]) -> None:
        serials = self._serials()
        wanted = {name: serials[name] for name in sorted(done) if name in serials}
        self.report.serials |= wanted
        if not self.wish.wait:
            return
        for secondary, zones in sorted(self._wait(wanted).behind.items()):
            late = [
                f"{zone} has {'nothing' if served is None else served}, not {wanted[zone]}"
                for zone, served in sorted(zones.items())
                if not reached(served, wanted[zone])
            ]
            more = f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else ""
            what = f"does not follow: {'; '.join(late[:_SHOWN])}{more}"
            self.problems.append(
                problem(f"secondary {secondary}", what, "read the runbook 'serials differ'; the primary has it all")
            )

    def _prove(self, samples: Iterable[Sample | None]) -> None:
        """See that secondaries serve what they say they serve.

        A serial alone does not say so: where two versions got one serial, a secondary stays with the first until the
        zone changes again. It is made to.
        """
        if not self.wish.wait or self.problems:
            return
        asked = [one for one in samples if one is not None]
        for _ in range(_PROOFS):
            stale = self.followers.stale(asked, _SETTLING) if asked else {}
            zones = sorted({zone for names in stale.values() for zone in names})
            if not zones:
                return
            self.report.warnings += [
                f"secondary {name}: had old records of {', '.join(names)} under the new serial, and fetches it again"
                for name, names in sorted(stale.items())
            ]
            before = self._serials()
            for zone in zones:
                apply.touch(self.api, self.zones[zone], before[zone], self.clock)
                self.followers.tell(zone)
            self._finish(zones)
            asked = [one for one in asked if one.zone in zones]
        what = f"serves old records of {', '.join(zones)} under the new serial"
        self.problems.append(problem("secondaries", what, "read the runbook 'serials differ'"))


def _late(lag: Lag) -> int:
    return sum(len(zones) for zones in lag.behind.values())
