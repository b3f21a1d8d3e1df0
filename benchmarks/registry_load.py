"""The registry's API under load, beside 10,000 domains: uvicorn on a unix socket, on one core, from Debian or PyPI.

Requests come at a steady rate, whether the last ones were answered or not, as they do from many people; each one's time
counts from when it was due. A tenth of them write, each in its own transaction that is on the disk when it is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .figures import Figure, Report
from .measure import AbsentError, status

DOMAINS, HOLDERS, PEOPLE = 10_000, 500, 20
RATE, SECONDS, CONNECTIONS = 200, 20.0, 32
#: Goals in milliseconds: of all requests, and of pages of lists and searches.
GOAL, GOAL_PAGES = 50.0, 200.0
PATIENCE = 60.0
Ask = tuple[str, str, str, bytes]  # what it is, method, path, body


def run(report: Report) -> None:
    """Measure, on two cores where there are two: one for the server, one for those who ask."""
    try:
        import fastapi  # noqa: PLC0415
        import uvicorn  # noqa: PLC0415
    except ImportError as error:
        raise AbsentError(f"{error.name} is not installed") from None
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as path:
        asyncio.run(_run(report, Path(path), f"FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}"))


async def _run(report: Report, home: Path, versions: str) -> None:
    arguments = (sys.executable, "-m", "benchmarks.registry_load", str(home))
    server = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    try:
        told = json.loads(await asyncio.wait_for(server.stdout.readline(), PATIENCE))
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1]})
        await _wait(home / "socket")
        load = Load(home / "socket", told["tokens"], random.Random(6))
        await load.steady(RATE, 3.0)  # everything is imported and opened
        load.times.clear()
        before, begun = _cpu(server.pid), time.perf_counter()
        await load.steady(RATE, SECONDS)
        spent, wall = _cpu(server.pid) - before, time.perf_counter() - begun
        everything = [one for times in load.times.values() for one in times]
        subject = f"registry: {RATE} requests/s beside {DOMAINS:,} domains ({versions})"
        report.add(
            subject,
            Figure("p95 of all", _p(everything, 95), "ms", GOAL),
            Figure("p50", _p(everything, 50), "ms"),
            Figure("p99", _p(everything, 99), "ms"),
            Figure("answered with an error", load.errors, "requests", 0),
            Figure("of one core", 100 * spent / wall, "%"),
            Figure("memory", status(server.pid, "VmRSS"), "MB"),
        )
        for what, times in sorted(load.times.items()):
            goal = GOAL_PAGES if what in ("list", "search") else None
            report.add(
                f"registry: {what}", Figure("p95", _p(times, 95), "ms", goal), Figure("p50", _p(times, 50), "ms")
            )
        load.times.clear()
        done, seconds = await load.closed(2000)
        report.add("registry: as fast as it goes", Figure("of the same mix", done / seconds, "requests/s"))
    finally:
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
        server.terminate()
        await server.wait()


def _p(times: Sequence[float], part: int) -> float:
    """Return a percentile in milliseconds."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * part // 100)] if ordered else 0.0


def _cpu(pid: int) -> float:
    """Return the processor seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _wait(place: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not place.exists():
        if time.monotonic() > until:
            raise RuntimeError("the server does not listen")
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)


@dataclass
class Load:
    """Asks over connections that stay open."""

    place: Path
    tokens: dict[str, str]
    chance: random.Random

    def __post_init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors = 0
        self.free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self.opened = 0

    async def steady(self, rate: float, seconds: float) -> None:
        """Ask at a rate, for a time."""
        begun, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self._ask(due, *self._one())))
        await asyncio.gather(*tasks)

    async def closed(self, number: int) -> tuple[int, float]:
        """Ask as fast as it is answered, on 8 connections; return how many, and seconds."""
        begun, left = time.perf_counter(), [number]

        async def one() -> None:
            while left[0] > 0:
                left[0] -= 1
                await self._ask(time.perf_counter(), *self._one())

        await asyncio.gather(*(one() for _ in range(8)))
        return number, time.perf_counter() - begun

    def _one(self) -> Ask:
        """Return the next request: what people and their programs do, most of it reading."""
        number = self.chance.randrange(DOMAINS)
        name = f"name{number:05}.alt"
        draw = self.chance.random()
        if draw < 0.5:
            return "domain", "GET", f"/api/v1/domains/{name}", b""
        if draw < 0.65:
            return "list", "GET", "/api/v1/domains?limit=50", b""
        if draw < 0.7:
            return "search", "GET", f"/api/v1/domains?limit=50&part=e{number % 1000:03}", b""
        if draw < 0.8:
            body = json.dumps({"ttl": 300, "records": [f"fd12:3456:789a::{self.chance.randrange(65535):x}"]}).encode()
            return "write", "PUT", f"/api/v1/domains/{name}/rrsets/www/AAAA", body
        if draw < 0.9:
            return "rdap", "GET", f"/rdap/domain/{name}", b""
        return "check", "GET", f"/api/v1/domains/other{number}.alt/check", b""

    async def _ask(self, due: float, what: str, method: str, path: str, body: bytes) -> None:
        uid = (
            "reg"
            if what in ("list", "search", "domain")
            else f"user{int(path.split('name')[1][:5]) % PEOPLE}"
            if (what == "write")
            else "user0"
        )
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: portal.alt\r\nAuthorization: Bearer {self.tokens[uid]}\r\n"
            f"altnet-client: fd12:3456:789a::9\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self.free.empty() and self.opened < CONNECTIONS:
            self.opened += 1
            self.free.put_nowait(await asyncio.open_unix_connection(str(self.place)))
        reader, writer = await self.free.get()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if length:
            await reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 2"):
            self.errors += 1
        self.times[what].append(time.perf_counter() - due)
        self.free.put_nowait((reader, writer))


def serve(home: Path) -> None:
    """Fill a registry, say its tokens, and serve it on one core."""
    import uvicorn  # noqa: PLC0415

    from altnet.registry.faces.app import make  # noqa: PLC0415
    from altnet.registry.faces.signin.signin import Signin  # noqa: PLC0415
    from altnet.registry.faces.world import World  # noqa: PLC0415
    from altnet.registry.settings import Limits, Settings  # noqa: PLC0415

    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    desk, tokens = fill(home / "registry.db")
    nobody: Any = None  # whom the settings would ask: here people are in memory
    settings = Settings("", "portal.alt", desk.policy, nobody, limits=Limits(requests=10**9, writes=10**9))
    world = World(desk, Signin(desk, site="portal.alt", secret=b"s" * 32, seals=None), settings)
    print(json.dumps({"tokens": tokens}), flush=True)
    uvicorn.run(make(world), uds=str(home / "socket"), log_level="warning", access_log=False, timeout_keep_alive=120)


def fill(place: Path) -> tuple[Any, dict[str, str]]:
    """Return a desk with 10,000 domains of 500 holders, and tokens of some people."""
    from sqlalchemy import insert  # noqa: PLC0415

    from altnet.registry.acts import accounts, tokens  # noqa: PLC0415
    from altnet.registry.acts.desk import Desk, Person  # noqa: PLC0415
    from altnet.registry.domain.model import Actor, Scope  # noqa: PLC0415
    from altnet.registry.domain.policy import Policy  # noqa: PLC0415
    from altnet.registry.storage import tables  # noqa: PLC0415
    from altnet.registry.storage.store import Store  # noqa: PLC0415

    store = Store.open(f"sqlite:///{place}")
    store.migrate()
    people = {f"user{number}": frozenset(("members",)) for number in range(HOLDERS)}
    people["reg"] = frozenset(("members", "registrars"))
    directory: Any = SimpleNamespace(person=lambda uid: Person(uid, uid, groups=people[uid]))
    delegations: Any = SimpleNamespace(faults=lambda *_: ())
    desk = Desk(store, Policy(prefix="fd12:3456:789a::/48"), directory, delegations)
    secrets = {}
    for uid in ("reg", *(f"user{number}" for number in range(PEOPLE))):
        actor = Actor(uid, tokens.roles_from(people[uid]), "portal")
        accounts.me(desk, actor)
        secrets[uid] = tokens.make(desk, actor, "load", Scope(verbs=("full",)))[1]
    when = datetime.now(UTC).replace(microsecond=0)
    names = [f"name{number:05}" for number in range(DOMAINS)]
    with store.write() as connection:
        connection.execute(insert(tables.domains), [
            {"name": f"{name}.alt.", "tld": "alt.", "unicode": f"{name}.alt", "skeleton": name, "state": "registered",
             "before": "", "hosting": "zone", "holder": f"user{number % PEOPLE}", "created": when, "updated": when,
             "expires": when + timedelta(days=365), "version": 1, "reason": ""}
            for number, name in enumerate(names)
        ])  # fmt: skip
        connection.execute(insert(tables.rrsets), [
            {"domain": f"{name}.alt.", "name": f"{owner}{name}.alt.", "type": kind, "ttl": 300, "records": records}
            for name in names
            for owner, kind, records in (("", "AAAA", ["fd12:3456:789a::7"]), ("www.", "AAAA", ["fd12:3456:789a::7"]),
                                         ("", "TXT", ['"hello"']))
        ])  # fmt: skip
    return desk, secrets


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
