"""A PowerDNS in memory that can be killed at any request, a clock that stands still, and rows in a real database."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import insert, select

from altnet.naming import keys
from altnet.powerdns import model
from altnet.powerdns.apply import Clock
from altnet.powerdns.client import RefusedError
from altnet.powerdns.difference import Sample
from altnet.powerdns.errors import PowerdnsError, problem
from altnet.powerdns.followers import Lag
from altnet.registry.acts.desk import Desk
from altnet.registry.domain.model import AccountState, Actor, Role
from altnet.registry.domain.policy import Policy
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store
from altnet.registry.writer.chores import Chores
from altnet.registry.writer.compare import Comparison
from altnet.registry.writer.guard import Guard
from altnet.registry.writer.loop import Loop
from altnet.registry.writer.outbox import Outbox
from altnet.registry.writer.primary import Primary
from altnet.registry.writer.wanted import Maker
from altnet.registry.writer.watch import Watch
from altnet.registry.writer.work import Work

START = 1_795_000_000
CATALOG = "catalog.invalid."
SECRET = "z" * 40
ANN = Actor("ann", frozenset((Role.MEMBER,)), "portal")
BOB = Actor("bob", frozenset((Role.MEMBER,)), "portal")
OPERATOR = Actor("root", frozenset(Role), "portal")
PREFIX = "fd12:3456:789a::/48"
REVERSE = "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."
TAKEN = ("net.alt.", "www.alt.")
V6 = {"name": "@", "type": "AAAA", "ttl": 300, "records": ["fd00::1"]}


class KilledError(BaseException):
    """The process is no more; nothing catches it."""


class FakeApi:
    """Keeps what it is told; ``left`` is how many requests that change something it takes until it is killed."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.zones: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.metadata: dict[tuple[str, str], list[str]] = {}
        self.tsig: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.reads: list[str] = []
        self.left: int | None = None
        self.after = False  # killed after the request that is the last one was done
        self.away = False
        self.refuse: dict[str, str] = {}
        self.number = 0

    def call(self, method: str, path: str, body: object = None) -> Any:
        if self.away:
            raise PowerdnsError(problem("[::1]:8081", "PowerDNS's API does not answer", "start it"))
        body = copy.deepcopy(body)
        if method == "GET":
            self.reads.append(path)
        else:
            if self.left is not None:
                if self.left == 0 and not self.after:
                    raise KilledError
                self.left -= 1
            self.requests.append((method, path, copy.deepcopy(body)))
        bare, _, query = path.partition("?")
        parts = bare.strip("/").split("/")
        handler = getattr(self, f"_{method.lower()}_{'_'.join([parts[0], *parts[2:3]])}")
        found = copy.deepcopy(handler(parts, parse_qs(query) if method == "GET" else body))
        if self.left is not None and self.left < 0:
            raise KilledError
        return found

    def sent(self) -> list[str]:
        found = [f"{method} {path}" for method, path, _ in self.requests]
        self.requests.clear()
        return found

    def _zone(self, name: str) -> dict[str, Any]:
        if name not in self.zones:
            raise RefusedError(f"zone {name}", 404, "Not Found")
        return self.zones[name]

    def _get_tsigkeys(self, parts: list[str], _: Any) -> Any:
        if len(parts) == 1:
            return [{**one, "name": f"{name}.", "key": ""} for name, one in self.tsig.items()]
        if parts[1] not in self.tsig:
            raise RefusedError("tsig", 404, "Not Found")
        return self.tsig[parts[1]]

    def _post_tsigkeys(self, parts: list[str], body: Any) -> None:
        self.tsig[body["name"]] = body

    def _put_tsigkeys(self, parts: list[str], body: Any) -> None:
        self.tsig[parts[1]] = body

    def _delete_tsigkeys(self, parts: list[str], _: Any) -> None:
        if parts[1] not in self.tsig:
            raise RefusedError("tsig", 404, "Not Found")
        del self.tsig[parts[1]]

    def _get_zones(self, parts: list[str], query: Mapping[str, list[str]]) -> Any:
        if len(parts) == 1:
            return [{key: value for key, value in one.items() if key != "rrsets"} for one in self.zones.values()]
        one = dict(self._zone(parts[1]))
        if "rrset_name" in query:
            one["rrsets"] = [item for item in one["rrsets"] if item["name"] == query["rrset_name"][0]]
        if query.get("rrsets") == ["false"]:
            one.pop("rrsets")
        return one

    def _post_zones(self, parts: list[str], body: Any) -> None:
        if body["name"] in self.zones:
            raise RefusedError("zone", 409, "Conflict")
        self._judge(body["name"], body["rrsets"])
        rest = {"catalog": "", "account": "", "master_tsig_key_ids": []}
        self.zones[body["name"]] = {**rest, **body, "serial": self.time.tick}
        self.keys[body["name"]] = []

    def _put_zones(self, parts: list[str], body: Any) -> None:
        body.pop("dnssec", None)
        self._zone(parts[1]).update(body)

    def _delete_zones(self, parts: list[str], _: Any) -> None:
        self._zone(parts[1])
        del self.zones[parts[1]]
        self.keys.pop(parts[1], None)

    def _patch_zones(self, parts: list[str], body: Any) -> None:
        one = self._zone(parts[1])
        self._judge(parts[1], body["rrsets"])
        for change in body["rrsets"]:
            spot = (change["name"], change["type"])
            one["rrsets"] = [item for item in one["rrsets"] if (item["name"], item["type"]) != spot]
            if change.pop("changetype") == "REPLACE":
                one["rrsets"].append(change)
        assert self.time.tick > one["serial"], "two changes with one serial"
        one["serial"] = self.time.tick

    def _judge(self, zone: str, rrsets: Iterable[Mapping[str, Any]]) -> None:
        for one in rrsets:
            if one["name"] in self.refuse:
                raise RefusedError(f"zone {zone}", 422, self.refuse[one["name"]])

    def _get_zones_cryptokeys(self, parts: list[str], _: Any) -> Any:
        self._zone(parts[1])
        if len(parts) == 4:
            return next(one for one in self.keys[parts[1]] if one["id"] == int(parts[3]))
        return [{k: v for k, v in one.items() if k != "privatekey"} for one in self.keys[parts[1]]]

    def _post_zones_cryptokeys(self, parts: list[str], body: Any) -> None:
        self._zone(parts[1])
        self.number += 1
        body = {**body, "id": self.number, "flags": 257 if body.pop("keytype") == "csk" else 256}
        self.keys[parts[1]].append(body)

    def _put_zones_cryptokeys(self, parts: list[str], body: Any) -> None:
        next(one for one in self.keys[parts[1]] if one["id"] == int(parts[3])).update(body)

    def _delete_zones_cryptokeys(self, parts: list[str], _: Any) -> None:
        self.keys[parts[1]] = [one for one in self.keys[parts[1]] if one["id"] != int(parts[3])]

    def _get_zones_metadata(self, parts: list[str], _: Any) -> Any:
        self._zone(parts[1])
        return {"kind": parts[3], "metadata": self.metadata.get((parts[1], parts[3]), [])}

    def _put_zones_metadata(self, parts: list[str], body: Any) -> None:
        self.metadata[parts[1], parts[3]] = body["metadata"]

    def _delete_zones_metadata(self, parts: list[str], _: Any) -> None:
        self.metadata.pop((parts[1], parts[3]), None)

    def _put_zones_notify(self, parts: list[str], _: Any) -> None:
        self._zone(parts[1])


class FakeTime(Clock):
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.second: float = START
        super().__init__(now=lambda: self.second, sleep=self.sleep_on)

    @property
    def tick(self) -> int:
        return int(self.second - 0.01)

    def sleep_on(self, seconds: float) -> None:
        self.second += seconds

    def date(self) -> datetime:
        return datetime.fromtimestamp(int(self.second), UTC)


class FakeFollowers:
    """Serve what the primary has, at once; the ``stuck`` serve nothing, and the ``silent`` say nothing."""

    def __init__(self, world: World, names: Iterable[str]) -> None:
        self.world, self.names = world, list(names)

    def tell(self, zone: str) -> None:
        self.world.told.append(zone)

    def wait(self, wanted: Mapping[str, int], seconds: float) -> Lag:
        behind: dict[str, dict[str, int | None]] = {}
        for name in self.names:
            if name in self.world.stuck and wanted:
                behind[name] = dict.fromkeys(wanted)
        return Lag(behind, [name for name in self.names if name in self.world.silent])

    def stale(self, samples: Iterable[Sample], seconds: float) -> dict[str, list[str]]:
        found = self.world.stale
        self.world.sampled = list(samples)
        self.world.stale = {}
        return found


class People:
    """The directory, which has nobody, and servers, which always answer."""

    def faults(self, zone: str, rrsets: object) -> tuple[()]:
        return ()

    def person(self, uid: str) -> None:
        return None


class World:
    """The rows, the primary, its secondaries, and the writer between them."""

    def __init__(self, url: str, *, fresh: bool = True, **policy: Any) -> None:
        self.time = FakeTime()
        self.api = FakeApi(self.time)
        self.told: list[str] = []
        self.stuck: set[str] = set()
        self.silent: set[str] = set()
        self.stale: dict[str, list[str]] = {}
        self.sampled: list[Sample] = []
        self.policy = Policy(prefix=PREFIX, taken=TAKEN, domains_quota=1000, **policy)
        self.store = Store.open(url)
        people: Any = People()
        self.desk = Desk(self.store, self.policy, people, people, self.time.date)
        if fresh:
            self.store.migrate()
            with self.store.write() as connection:
                for uid in ("ann", "bob", "root"):
                    values = {"uid": uid, "state": AccountState.ACTIVE, "created": self.time.date()}
                    connection.execute(insert(tables.accounts), values)
        for name in ("alt.", REVERSE):
            self.plan(name)
        self.restart()

    def plan(self, name: str) -> None:
        """Make a zone of the plan's, with a host in it."""

        def rrset(owner: str, kind: str, text: str) -> dict[str, Any]:
            return {"name": owner, "type": kind, "ttl": 3600, "records": [{"content": text, "disabled": False}]}

        soa = f"ns.alt. hostmaster.alt. 0 {model.SOA_TIMES}"
        sets = [rrset(name, "SOA", soa), rrset(name, "NS", "ns.alt."), rrset(f"net.{name}", "NS", "ns.alt.")]
        self.api.zones[name] = {
            "name": name, "kind": "Master", "catalog": CATALOG, "account": "", "soa_edit": "INCEPTION-EPOCH",
            "soa_edit_api": "EPOCH", "api_rectify": True, "rrsets": sets, "serial": START - 5,
            "master_tsig_key_ids": [],
        }  # fmt: skip
        self.api.keys[name] = [
            {"id": 0, "flags": 257, "active": True, "published": True, "privatekey": "PrivateKey: p"}
        ]

    def restart(self) -> None:
        """Begin the writer anew, as systemd does."""
        maker = Maker(self.policy, SECRET, REVERSE)
        primary = Primary(self.api, CATALOG, self.time)
        watch = Watch(lambda names: FakeFollowers(self, names), ("fra", "nyc"), lambda: self.time.second)
        outbox = Outbox(self.store, maker)
        guard = Guard(self.policy.prune_at_most, lambda: self.time.second)
        self.work = Work(outbox, primary, watch, guard, self.time.date, lambda: self.time.second)
        self.said: list[str] = []
        chores = Chores(self.desk, None, maker.tlds, watch, "::1", self.said.append, lambda: self.time.second)
        self.loop = Loop(self.desk, self.work, Comparison(self.store, maker, primary), chores)
        self.maker = maker

    def round(self) -> None:
        self.time.second += 1.1
        self.work.round()

    def settle(self, rounds: int = 40) -> None:
        """Work until nothing is left to do."""
        for _ in range(rounds):
            self.round()
            if not self.lines() and not self.work.pending:
                return

    def compare(self) -> dict[str, Any]:
        """Do what is done each minute, and return the report."""
        self.time.second += 60
        self.loop.mend(self.loop.look())
        for _ in range(20):
            self.time.second += 1.1
            self.loop._looked = float("-inf")
            self.loop.step()
        return self.seen("drift")

    def seen(self, key: str) -> Any:
        with self.store.read() as connection:
            return connection.execute(
                select(tables.observations.c.json).where(tables.observations.c.key == key)
            ).scalar()

    def lines(self) -> list[tuple[str, int, str]]:
        with self.store.read() as connection:
            found = connection.execute(tables.outbox.select().order_by(tables.outbox.c.id))
            return [(row.zone, row.attempts, row.error) for row in found]

    def held(self, zone: str) -> set[tuple[str, str, int, tuple[str, ...]]]:
        found = model.present(self.api.zones[zone]).rrsets.values()
        return {(one.name, one.type, one.ttl, one.records) for one in found if one.type != "SOA"}

    def state(self) -> dict[str, Any]:
        """Return everything that PowerDNS has, but for serials and numbers."""
        zones = {
            name: (
                {key: value for key, value in one.items() if key not in {"serial", "rrsets"}},
                self.held(name),
                sorted(key["privatekey"] for key in self.api.keys[name]),
            )
            for name, one in self.api.zones.items()
        }
        marks = {spot: sorted(names) for spot, names in self.api.metadata.items() if names}
        return {"zones": zones, "tsig": self.api.tsig, "marks": marks}

    def delegated(self, name: str) -> set[tuple[str, str, int, tuple[str, ...]]]:
        return {one for one in self.held("alt.") if one[0] == name or one[0].endswith(f".{name}")}


def served(name: str) -> set[tuple[str, str, int, tuple[str, ...]]]:
    """Return what the TLD says of a name that the network serves."""
    return {(name, "NS", 3600, ("ns.alt.",)), (name, "DS", 3600, (keys.ds(SECRET, name, 0),))}
