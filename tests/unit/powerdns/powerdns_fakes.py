"""A PowerDNS that answers the API from memory, secondaries that follow it, and a clock that stands still."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from altnet.powerdns import model
from altnet.powerdns.apply import Clock
from altnet.powerdns.client import RefusedError
from altnet.powerdns.difference import Sample
from altnet.powerdns.followers import Lag
from altnet.powerdns.lost import Word
from altnet.powerdns.reconcile import Report, Tsig, Wish, reconcile

START = 1_700_000_000
CATALOG = "catalog.invalid."
SECRET = "hRt7vQwLz0dK3mPx9sYbNc5e"
TIMES = model.SOA_TIMES


def private(text: str) -> str:
    return f"Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {text}\n"


def key(text: str, **changes: Any) -> dict[str, Any]:
    return {"flags": 257, "algorithm": 13, "private": private(text), "active": True, "published": True, **changes}


def rrset(name: str, kind: str, *records: str, ttl: int = 3600) -> dict[str, Any]:
    return {"name": name, "type": kind, "ttl": ttl, "records": list(records)}


def zone(name: str, *rrsets: dict[str, Any], keys: Iterable[dict[str, Any]] | None = None) -> dict[str, Any]:
    found = [rrset(name, "NS", "ns.alt."), *rrsets]
    return {"name": name, "parent": None, "rrsets": found, "keys": [key(name)] if keys is None else list(keys)}


def arguments(*zones: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the module's arguments, as its action and its defaults make them."""
    return {
        "zones": [{name: value for name, value in one.items() if name != "keys"} for one in zones],
        "keys": json.dumps({one["name"]: one["keys"] for one in zones}),
        "address": "fd12:3456:789a::2",
        "port": 8081,
        "key_file": "/etc/powerdns/altnet/api.key",
        "catalog": CATALOG,
        "transfer_key": SECRET,
        "secondaries": [],
        "secondary_port": 5300,
        "wait": 0,
        "prune": False,
        "prune_at_most": 20,
        "prune_consent": [],
        "settle": False,
        "held": [],
        "replace_keys": False,
        "start_anew": False,
        "_order": "f1",
        **changes,
    }


class FakeApi:
    """Keeps what it is told; ``requests`` are those that change something, in order."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.zones: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.tsig: dict[str, dict[str, Any]] = {}
        self.metadata: dict[tuple[str, str], list[str]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.refuse: dict[str, str] = {}
        self.lose: set[str] = set()
        self.number = 0

    def call(self, method: str, path: str, body: object = None) -> Any:
        body = copy.deepcopy(body)
        if method != "GET":
            self.requests.append((method, path, copy.deepcopy(body)))
        parts = path.partition("?")[0].strip("/").split("/")
        handler = getattr(self, f"_{method.lower()}_{'_'.join([parts[0], *parts[2:3]])}")
        return copy.deepcopy(handler(parts, body))

    def sent(self) -> list[str]:
        found = [f"{method} {path}" for method, path, _ in self.requests]
        self.requests.clear()
        return found

    def _zone(self, name: str) -> dict[str, Any]:
        if name not in self.zones:
            raise RefusedError(f"zone {name}", 404, "Not Found")
        return self.zones[name]

    def _get_tsigkeys(self, parts: list[str], _: Any) -> Any:
        if parts[1] not in self.tsig:
            raise RefusedError("tsig", 404, "Not Found")
        return self.tsig[parts[1]]

    def _post_tsigkeys(self, parts: list[str], body: Any) -> None:
        self.tsig[body["name"]] = body

    def _put_tsigkeys(self, parts: list[str], body: Any) -> None:
        self.tsig[parts[1]] = body

    def _get_zones(self, parts: list[str], _: Any) -> Any:
        if len(parts) > 1:
            return self._zone(parts[1])
        return [{key: value for key, value in one.items() if key != "rrsets"} for one in self.zones.values()]

    def _post_zones(self, parts: list[str], body: Any) -> None:
        rrsets = body.pop("rrsets")
        self.zones[body["name"]] = {"catalog": "", "account": "", **body, "serial": self.time.tick, "rrsets": rrsets}

    def _put_zones(self, parts: list[str], body: Any) -> None:
        self._zone(parts[1]).update({name: value for name, value in body.items() if name not in self.lose})
        self.lose.clear()

    def _delete_zones(self, parts: list[str], _: Any) -> None:
        self._zone(parts[1])
        del self.zones[parts[1]]

    def _patch_zones(self, parts: list[str], body: Any) -> None:
        one = self._zone(parts[1])
        if parts[1] in self.refuse:
            raise RefusedError(f"zone {parts[1]}", 422, self.refuse[parts[1]])
        for change in body["rrsets"]:
            spot = (change["name"], change["type"])
            one["rrsets"] = [item for item in one["rrsets"] if (item["name"], item["type"]) != spot]
            if change.pop("changetype") == "REPLACE":
                one["rrsets"].append(change)
        assert self.time.tick > one["serial"], "two changes with one serial"
        one["serial"] = self.time.tick

    def _get_zones_cryptokeys(self, parts: list[str], _: Any) -> Any:
        if len(parts) == 4:
            return next(one for one in self.keys[parts[1]] if one["id"] == int(parts[3]))
        return [{k: v for k, v in one.items() if k != "privatekey"} for one in self.keys.get(parts[1], [])]

    def _post_zones_cryptokeys(self, parts: list[str], body: Any) -> None:
        self.number += 1
        body = {**body, "id": self.number, "flags": 257 if body.pop("keytype") == "csk" else 256}
        self.keys.setdefault(parts[1], []).append(body)

    def _put_zones_cryptokeys(self, parts: list[str], body: Any) -> None:
        self._get_zones_cryptokeys(parts, None)
        next(one for one in self.keys[parts[1]] if one["id"] == int(parts[3])).update(body)

    def _delete_zones_cryptokeys(self, parts: list[str], _: Any) -> None:
        self.keys[parts[1]] = [one for one in self.keys[parts[1]] if one["id"] != int(parts[3])]

    def _delete_zones_metadata(self, parts: list[str], _: Any) -> None:
        self.metadata.pop((parts[1], parts[3]), None)

    def _get_zones_metadata(self, parts: list[str], _: Any) -> Any:
        self._zone(parts[1])
        return {"kind": parts[3], "metadata": self.metadata.get((parts[1], parts[3]), [])}

    def _put_zones_metadata(self, parts: list[str], body: Any) -> None:
        self.metadata[parts[1], parts[3]] = body["metadata"]

    def _put_zones_rectify(self, parts: list[str], _: Any) -> None:
        self._zone(parts[1])

    def _put_zones_notify(self, parts: list[str], _: Any) -> None:
        self._zone(parts[1])


class FakeTime(Clock):
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.second: float = START
        super().__init__(now=lambda: self.second, sleep=self._sleep)

    @property
    def tick(self) -> int:
        """The second as PowerDNS has it, whose clock is the kernel's last tick."""
        return int(self.second - 0.01)

    def _sleep(self, seconds: float) -> None:
        self.second += seconds


class FakeFollowers:
    """Follow at once, but for ``behind`` (zones by secondary; for ``rounds`` times, where it is set) and ``silent``."""

    def __init__(self) -> None:
        self.behind: dict[str, set[str]] = {}
        self.silent: list[str] = []
        self.asked: list[dict[str, int]] = []
        self.rounds: int | None = None
        self.old: list[dict[str, list[str]]] = []
        self.sampled: list[Sample] = []
        self.told: list[str] = []

    def tell(self, zone: str) -> None:
        self.told.append(zone)

    def wait(self, wanted: Mapping[str, int], seconds: float) -> Lag:
        self.asked.append(dict(wanted))
        if self.rounds is not None:
            self.rounds -= 1
            if self.rounds < 0:
                self.behind = {}
        late = {name: {one: None for one in zones if one in wanted} for name, zones in self.behind.items()}
        return Lag({name: zones for name, zones in late.items() if zones}, self.silent)

    def stale(self, samples: Iterable[Sample], seconds: float) -> dict[str, list[str]]:
        self.sampled = list(samples)
        return self.old.pop(0) if self.old else {}


class FakeWitnesses:
    """Hold what they are given, zone by zone as the module takes them; a secondary that was given None is silent."""

    def __init__(self) -> None:
        self.words: dict[str, Word] = {}
        self.asked: list[str] = []
        self.before = Word("core2", {})

    def hold(self, name: str, *zones: dict[str, Any] | None) -> None:
        self.words[name] = word(name, *zones)

    def ask(self, catalog: str) -> Iterator[Word]:
        assert catalog == CATALOG
        self.asked.append("")
        for name, said in self.words.items():
            self.asked.append(name)
            yield said

    def own(self) -> Word:
        return self.before


def word(name: str, *zones: dict[str, Any] | None) -> Word:
    if None in zones:
        return Word(name, None)
    return Word(
        name, {one["name"]: frozenset((item["name"], item["type"]) for item in one["rrsets"]) for one in zones if one}
    )


class World:
    """A primary and its secondaries."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.api = FakeApi(self.time)
        self.followers = FakeFollowers()
        self.witnesses = FakeWitnesses()

    def run(self, *zones: dict[str, Any], check_mode: bool = False, **wish: Any) -> Report:
        self.time.second += 10
        asked = Wish(catalog=CATALOG, tsig=Tsig("transfer.", SECRET), **wish)
        return reconcile(
            self.api, model.desired(zones), asked, self.followers, check_mode=check_mode, clock=self.time,
            witnesses=self.witnesses,
        )  # fmt: skip

    def held(self, name: str) -> set[tuple[str, str, int, tuple[str, ...]]]:
        found = model.present(self.api.zones[name]).rrsets.values()
        return {(one.name, one.type, one.ttl, one.records) for one in found if one.type != "SOA"}
