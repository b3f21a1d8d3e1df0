"""One zone's change as requests.

The traps, all met: importing a key does not move the serial, so secondaries would never fetch it; two changes within a
second have one serial, so the later one would be missed by who fetched the earlier; a clock that is behind the zone's
serial would move it backwards, and secondaries would stand still until it has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .client import CLOCK_TICK, SERIAL_AHEAD, Api, zone_path
from .difference import ZoneChange, settings
from .errors import PowerdnsError, problem
from .marks import REGISTRY, REGISTRY_UNFINISHED, UNFINISHED
from .model import Key, RRset, Zone

#: Settings that make a zone known to others.
LATE = ("kind", "catalog")


@dataclass
class Clock:
    """Time, which tests replace."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def carry_out(api: Api, one: ZoneChange, catalog: str, clock: Clock) -> None:
    """Make one zone what it should be."""
    if one.zone is None:
        api.call("DELETE", zone_path(one.name))
    elif one.former is None:
        _create(api, one, catalog)
    else:
        _change(api, one, clock)


def _create(api: Api, one: ZoneChange, catalog: str) -> None:
    """Create a zone with its keys.

    It becomes a primary's and a member of the catalog last: until then nobody is told of it, nobody fetches it
    unsigned, and PowerDNS's own bookkeeping of NOTIFYs leaves it alone.
    """
    path = zone_path(one.name)
    wanted = settings(catalog)
    late = {name: wanted.pop(name) for name in LATE}
    if one.zone is not None and one.zone.account:
        wanted["account"] = one.zone.account
    rrsets = [_plain(rrset) for rrset in one.put]
    api.call("POST", "/zones", {**wanted, "name": one.name, "kind": "Native", "nameservers": [], "rrsets": rrsets})
    for key in one.add_keys:
        api.call("POST", f"{path}/cryptokeys", _key(key))
    if one.add_keys:
        api.call("PUT", f"{path}/rectify")
    api.call("PUT", path, late)


def see_to_it(api: Api, zones: Mapping[str, str], catalog: str, listed: Mapping[str, Mapping[str, Any]]) -> bool:
    """Write once more what PowerDNS has lost of ``zones`` (with their accounts); say whether anything was.

    It keeps a zone's settings and its own notes of NOTIFYs in one record of LMDB, and under load one zone in thousands
    lost a setting that had just been written.
    """
    wanted = {name: settings(catalog)[name] for name in LATE}
    late = {name: {**wanted, "account": account} for name, account in zones.items() if name in listed}
    lost = {
        name: values for name, values in late.items() if any(listed[name].get(key) != values[key] for key in values)
    }
    for name, values in lost.items():
        api.call("PUT", zone_path(name), values)
    return bool(lost)


def _change(api: Api, one: ZoneChange, clock: Clock) -> None:
    path = zone_path(one.name)
    assert one.former is not None and one.zone is not None  # noqa: S101,PT018  # the caller has looked
    if one.keys and not one.former.unfinished:
        api.call("PUT", path, {"account": REGISTRY_UNFINISHED if one.zone.account == REGISTRY else UNFINISHED})
    for key in one.add_keys:
        api.call("POST", f"{path}/cryptokeys", _key(key))
    for key in one.set_keys:
        api.call("PUT", f"{path}/cryptokeys/{key.number}", {"active": key.active, "published": key.published})
    for key in one.drop_keys:
        api.call("DELETE", f"{path}/cryptokeys/{key.number}")
    if one.settings:
        api.call("PUT", path, dict(one.settings))
    sets = [{**_plain(rrset), "changetype": "REPLACE"} for rrset in one.put]
    sets += [{"name": rrset.name, "type": rrset.type, "changetype": "DELETE"} for rrset in one.drop]
    if not sets and (one.keys or one.touch):
        # The serial moves with any record, and the SOA is always there.
        sets = [{**_plain(one.zone.soa), "changetype": "REPLACE"}]
    if sets:
        past(one.former.serial, clock)
        api.call("PATCH", path, {"rrsets": sets})
    if one.keys or one.former.unfinished:
        api.call("PUT", path, {"account": one.zone.account})


def touch(api: Api, zone: Zone, serial: int, clock: Clock) -> None:
    """Give a zone a new serial, past ``serial``, with nothing else changed: every secondary fetches it again."""
    past(serial, clock)
    sets = [{**_plain(zone.soa), "changetype": "REPLACE"}]
    api.call("PATCH", zone_path(zone.name), {"rrsets": sets})
    api.call("PUT", f"{zone_path(zone.name)}/notify")


def check_clock(one: ZoneChange, clock: Clock) -> None:
    """Refuse a change whose serial would go backwards; PowerdnsError."""
    if one.former is None or one.zone is None:
        return
    ahead = one.former.serial - int(clock.now())
    if ahead > SERIAL_AHEAD:
        what = f"its serial {one.former.serial} is {ahead} s ahead of this host's clock, and a new one would be lower"
        remedy = "set the clock (the runbook 'a clock is wrong'); if it was ahead, wait until it has caught up"
        raise PowerdnsError(problem(f"zone {one.name}", what, remedy))


def past(serial: int, clock: Clock) -> None:
    """Wait until PowerDNS's clock gives a serial that no secondary can have."""
    while (left := serial + 1 + CLOCK_TICK - clock.now()) > 0:
        clock.sleep(max(0.01, left))


def _plain(rrset: RRset) -> dict[str, Any]:
    records = [{"content": content, "disabled": False} for content in rrset.records]
    return {"name": rrset.name, "type": rrset.type, "ttl": rrset.ttl, "records": records}


def _key(key: Key) -> dict[str, Any]:
    kind = "csk" if key.flags & 1 else "zsk"
    return {"keytype": kind, "active": key.active, "published": key.published, "privatekey": key.private}
