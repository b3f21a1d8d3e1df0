"""A registry in a file, people in memory, and all faces for programs on it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi", reason="NOT TESTED HERE: the registry's packages; they are in the tests' environment")

from fastapi import FastAPI
from starlette.testclient import TestClient

from altnet.registry.acts import accounts, tokens
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.model import Actor, Scope
from altnet.registry.domain.policy import Policy
from altnet.registry.faces import guards, programs
from altnet.registry.faces.metrics import Metrics
from altnet.registry.faces.signin import sessions
from altnet.registry.faces.signin.signin import Signin
from altnet.registry.faces.world import World
from altnet.registry.settings import Limits, Settings
from altnet.registry.storage.store import Store

PREFIX = "fd12:3456:789a::/48"
GROUPS = {
    "ann": {"members"},
    "ben": {"members"},
    "reg": {"members", "registrars"},
    "ops": {"members", "operators"},
}


@dataclass
class People:
    """A directory in memory."""

    known: dict[str, Person] = field(default_factory=dict)

    def person(self, uid: str) -> Person | None:
        return self.known.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        return tuple(one for one in self.known.values() if part in one.uid or part in one.name)[:most]

    def authenticate(self, uid: str, password: str) -> bool:
        return uid in self.known and password == f"{uid}'s password"

    def create(self, person: Person, password: str) -> None:
        self.known[person.uid] = person

    def set_password(self, uid: str, password: str) -> None:
        pass

    def lock(self, uid: str, *, locked: bool) -> None:
        if uid in self.known:
            self.known[uid] = replace(self.known[uid], locked=locked)

    def delete(self, uid: str) -> None:
        self.known.pop(uid, None)


class Answering:
    """Everybody's own servers answer for everything."""

    def faults(self, zone: str, rrsets: object) -> tuple[()]:
        return ()


@dataclass
class Registry:
    """A registry with people, their tokens, and a client."""

    desk: Desk
    people: People
    app: Any
    client: TestClient
    world: World
    secrets: dict[str, str] = field(default_factory=dict)

    def actor(self, uid: str) -> Actor:
        return Actor(uid, tokens.roles_from(frozenset(GROUPS[uid])), "portal")

    def token(self, uid: str, scope: Scope | None = None, label: str = "test") -> str:
        return tokens.make(self.desk, self.actor(uid), label, scope or Scope(verbs=("full",)))[1]

    def session(self, uid: str) -> str:
        """Sign somebody in, and return the secret of their cookie."""
        return sessions.begin(self.world.signin, uid, client="fd12::9", agent="test", method="password")

    def ask(self, who: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the API as somebody; nobody for None."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.secrets[who]}"
        return self.client.request(method, "/api/v1" + path, headers=headers, **more)


def build(place: Path, template: Registry | None = None) -> Registry:
    """Return a registry in a new file; with a template, a copy of it, which is faster than to begin anew."""
    store = Store.open(f"sqlite:///{place}")
    if template is None:
        store.migrate()
    else:
        with sqlite3.connect(template.desk.store.engine.url.database or "") as old, sqlite3.connect(place) as new:
            old.backup(new)
        old.close()
        new.close()
    people = People(
        {
            uid: Person(uid, uid.title() + " Secretname", f"{uid}@mail.invalid", frozenset(groups))
            for uid, groups in GROUPS.items()
        }
    )
    desk = Desk(
        store,
        Policy(prefix=PREFIX, nameserver_addresses=("fd12:3456:789a::53",)),
        people,
        Answering(),
        lambda: datetime.now(UTC).replace(microsecond=0),
    )
    nobody: Any = None  # whom the settings would ask: here people are in memory
    settings = Settings("", "portal.alt", desk.policy, nobody, limits=Limits(requests=10**9, writes=10**9))
    world = World(desk, Signin(desk, site="portal.alt", secret=b"s" * 32, seals=None), settings)
    metrics = Metrics(desk)
    app = FastAPI(openapi_url=None)
    app.state.world = world
    routes = programs.routes(world, metrics)
    app.router.routes += routes
    app.add_middleware(programs.Shortcut, routes=routes)
    app.add_middleware(guards.Bodies)
    app.add_middleware(guards.Log, watch=metrics.watch)
    client = TestClient(app, base_url="https://portal.alt", raise_server_exceptions=False)
    made = Registry(desk, people, app, client, world)
    if template is not None:
        made.secrets.update(template.secrets)
        return made
    for uid in GROUPS:
        accounts.me(desk, made.actor(uid))
        made.secrets[uid] = made.token(uid)
    return made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry with people, for others to begin with."""
    return build(tmp_path_factory.mktemp("template") / "registry.db")


@pytest.fixture(scope="module")
def shared(template: Registry, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry that a module's tests read together."""
    return build(tmp_path_factory.mktemp("shared") / "registry.db", template)


@pytest.fixture
def registry(template: Registry, tmp_path: Path) -> Registry:
    """A registry of one's own."""
    return build(tmp_path / "registry.db", template)
