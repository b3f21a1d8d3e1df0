"""One zone of the registry's on the primary: read, made, changed, taken away, and who may fetch it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...powerdns import apply, difference, registered
from ...powerdns.client import CLOCK_TICK, Api, RefusedError, zone_path
from ...powerdns.model import Present, RRset, present
from .wanted import Wanted

#: What a holder's key for transfers is called (acts/domains.py): those are the registry's, and no other key is.
TSIG: Final = re.compile(r"^(axfr-[0-9a-f]{16})\.?$")
ALGORITHM: Final = "hmac-sha256"


class TakenError(Exception):
    """There is a zone of that name on the primary, and it is not the registry's."""


@dataclass(frozen=True)
class Held:
    """A zone as PowerDNS holds it, with the keys by which it may be fetched."""

    zone: Present
    tsig: Mapping[str, str | None]  # their secrets; None where PowerDNS has no such key


class Primary:
    """The primary, by its API. PowerdnsError where it does not answer, RefusedError where it says no."""

    def __init__(self, api: Api, catalog: str, clock: apply.Clock | None = None) -> None:
        self.api, self.catalog, self.clock = api, catalog, clock or apply.Clock()

    def read(self, name: str) -> Held | None:
        """Return a zone with its keys, None where there is none."""
        path = zone_path(name)
        try:
            zone = self.api.call("GET", path)
            numbers = [key["id"] for key in self.api.call("GET", f"{path}/cryptokeys")]
            # The list leaves the private halves out, and only they say whether it is the same key.
            found = present(zone, [self.api.call("GET", f"{path}/cryptokeys/{number}") for number in numbers])
        except RefusedError as error:
            if error.status != 404:
                raise
            return None
        names = [_bare(one) for one in zone.get("master_tsig_key_ids") or ()]
        return Held(found, {one: self._secret(one) for one in names})

    def differs(self, wanted: Wanted, held: Held | None) -> list[str]:
        """Say in words what of a zone is not as it has to be."""
        if wanted.zone is None:
            return ["is there, and not registered"] if held is not None else []
        if held is None:
            return ["is not there"]
        one = difference.change(wanted.zone, held.zone, catalog=self.catalog, prune=True)
        words = [f"{rrset.name} {rrset.type} is not as registered" for rrset in one.put]
        words += [f"{rrset.name} {rrset.type} is not registered" for rrset in one.drop if rrset.spot not in _puts(one)]
        words += [f"its {setting} is not {value}" for setting, value in one.settings.items()]
        words += ["its key is not the registry's"] if one.keys else []
        words += ["a change of its keys was not finished"] if one.touch and not one.keys else []
        return words + (["other keys may fetch it"] if held.tsig != _keys(wanted) else [])

    def early(self, held: Held | None) -> bool:
        """Say whether a change now would have the serial that the zone has already: it has to wait a second."""
        return held is not None and too_early(held.zone.serial, self.clock)

    def bring(self, wanted: Wanted, held: Held | None) -> bool:
        """Make a zone what it has to be; say whether its records, keys or settings changed.

        Any request may be the last one: what is there then is brought to the end by the next call.
        """
        assert wanted.zone is not None  # noqa: S101 - the caller has looked
        if held is not None and not self.ours(wanted, held):
            raise TakenError(wanted.name)
        changed = True
        if held is None:
            self._create(wanted)
        else:
            one = difference.change(wanted.zone, held.zone, catalog=self.catalog, prune=True)
            apply.check_clock(one, self.clock)
            changed = not one.empty
            if changed:
                apply.carry_out(self.api, one, self.catalog, self.clock)
        self._allow(wanted, held.tsig if held else {})
        return changed

    def ours(self, wanted: Wanted, held: Held) -> bool:
        """Say whether a zone is the registry's: by its mark, or by its key, which nobody else can make."""
        if held.zone.account in registered.ACCOUNTS:
            return True
        mine = {key.secret for key in wanted.zone.keys} if wanted.zone else set()
        return any(key.secret in mine for key in held.zone.keys)

    def drop(self, name: str, tsig: Iterable[str]) -> None:
        """Take a zone away, after the keys by which it was fetched."""
        self.forget(tsig)
        try:
            self.api.call("DELETE", zone_path(name))
        except RefusedError as error:
            if error.status != 404:
                raise

    def notify(self, name: str) -> None:
        """Have PowerDNS tell the secondaries of a zone."""
        self.api.call("PUT", f"{zone_path(name)}/notify")

    def keys(self) -> frozenset[str]:
        """Return the names of the holders' keys for transfers that PowerDNS has."""
        return frozenset(_bare(one["name"]) for one in self.api.call("GET", "/tsigkeys") if TSIG.match(one["name"]))

    def _create(self, wanted: Wanted) -> None:
        """Make a zone with its key.

        It becomes a primary's and a member of the catalog last, as :func:`altnet.powerdns.apply.carry_out` has it.
        That it is signed is said in the same request, which rectifies it: one request less for each zone.
        """
        zone, path = wanted.zone, zone_path(wanted.name)
        assert zone is not None  # noqa: S101
        settings = difference.settings(self.catalog)
        late: dict[str, Any] = {name: settings.pop(name) for name in apply.LATE}
        rrsets = [plain(one) for one in zone.rrsets.values()]
        body = {**settings, "name": wanted.name, "kind": "Native", "nameservers": [], "rrsets": rrsets}
        self.api.call("POST", "/zones", {**body, "account": zone.account})
        for key in zone.keys:
            given = {"keytype": "csk", "active": True, "published": True, "privatekey": key.private}
            self.api.call("POST", f"{path}/cryptokeys", given)
        self.api.call("PUT", path, {**late, "dnssec": True})

    def _allow(self, wanted: Wanted, before: Mapping[str, str | None]) -> None:
        """Let the holder's key, and no other, fetch the zone."""
        keys = _keys(wanted)
        if before == keys:
            return
        self.forget(set(before) - set(keys))
        for name, secret in keys.items():
            body = {"name": name, "algorithm": ALGORITHM, "key": secret}
            known = self._secret(name)
            if known is None:
                self.api.call("POST", "/tsigkeys", body)
            elif known != secret:
                self.api.call("PUT", f"/tsigkeys/{name}", body)
        if set(before) != set(keys):
            self.api.call("PUT", zone_path(wanted.name), {"master_tsig_key_ids": sorted(keys)})

    def _secret(self, name: str) -> str | None:
        try:
            return str(self.api.call("GET", f"/tsigkeys/{name}")["key"])
        except RefusedError as error:
            if error.status != 404:
                raise
            return None

    def forget(self, tsig: Iterable[str]) -> None:
        """Remove holders' keys that nobody has any more; another's is only taken off the zone."""
        for name in tsig:
            if not TSIG.match(name):
                continue
            try:
                self.api.call("DELETE", f"/tsigkeys/{name}")
            except RefusedError as error:
                if error.status != 404:
                    raise


def plain(rrset: RRset) -> dict[str, Any]:
    """Return an RRset as the API takes it."""
    records = [{"content": content, "disabled": False} for content in rrset.records]
    return {"name": rrset.name, "type": rrset.type, "ttl": rrset.ttl, "records": records}


def too_early(serial: int, clock: apply.Clock) -> bool:
    """Say whether PowerDNS's clock may still give a serial that a secondary has; not where it is far behind."""
    return 0 < serial + 1 + CLOCK_TICK - clock.now() <= 1 + CLOCK_TICK + 5


def _keys(wanted: Wanted) -> dict[str, str | None]:
    return dict((wanted.tsig,)) if wanted.tsig else {}


def _bare(name: str) -> str:
    return name.removesuffix(".")


def _puts(one: difference.ZoneChange) -> set[tuple[str, str]]:
    return {rrset.spot for rrset in one.put}
