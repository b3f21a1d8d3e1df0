"""A registry that is served on the loopback as it is in earnest, and the command in this very process."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="NOT TESTED HERE: the registry's packages; they are in the tests' environment")

import uvicorn

from altnet.cli.main import main
from altnet.registry.acts import accounts, tokens
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.model import Actor, Scope
from altnet.registry.domain.policy import Policy
from altnet.registry.faces import app
from altnet.registry.faces.signin.signin import Signin
from altnet.registry.faces.world import World
from altnet.registry.settings import Git, Limits
from altnet.registry.storage.store import Store

GROUPS = {"ann": {"members"}, "ben": {"members"}, "reg": {"members", "registrars"}, "ops": {"members", "operators"}}
POLICY = Policy(
    prefix="fd12:3456:789a::/48",
    domains_quota=1000,
    invitations_quota=100,
    nameserver_addresses=("fd12:3456:789a::53",),
)


@dataclass
class People:
    """A directory in memory."""

    known: dict[str, Person] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def person(self, uid: str) -> Person | None:
        return self.known.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        return tuple(one for one in self.known.values() if part in one.uid or part in one.name)[:most]

    def members(self, group: str) -> frozenset[str]:
        return frozenset(uid for uid, one in self.known.items() if group in one.groups)

    def authenticate(self, uid: str, password: str) -> bool:
        return uid in self.known and password == self.passwords[uid]

    def create(self, person: Person, password: str) -> None:
        self.known[person.uid] = replace(person, groups=frozenset({"members"}))
        self.passwords[person.uid] = password

    def set_password(self, uid: str, password: str) -> None:
        self.passwords[uid] = password

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
    """One registry, and where it is served."""

    desk: Desk
    people: People
    world: World
    url: str

    def token(self, uid: str, scope: Scope | None = None) -> str:
        groups = self.people.known[uid].groups
        actor = Actor(uid, tokens.roles_from(frozenset(groups)), "portal")
        return tokens.make(self.desk, actor, "test", scope or Scope(verbs=("full",)))[1]


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('registry')}/registry.sqlite")
    store.migrate()
    people = People({uid: Person(uid, uid.title(), "", frozenset(groups)) for uid, groups in GROUPS.items()})
    people.passwords = {uid: f"{uid}'s own password" for uid in GROUPS}
    desk = Desk(store, POLICY, people, Answering())
    settings: Any = SimpleNamespace(site="portal.alt", limits=Limits(100_000, 100_000), git=Git())
    world = World(desk, Signin(desk, site="portal.alt", secret=b"s" * 32, seals=None), settings)
    for uid, groups in GROUPS.items():
        accounts.me(desk, Actor(uid, tokens.roles_from(frozenset(groups)), "portal"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app.make(world), log_level="error", lifespan="off", access_log=False))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Registry(desk, people, world, f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        thread.join(5)
    store.close()


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command:
    """The command, as somebody has it on their machine."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
        for name in ("ALTNET_URL", "ALTNET_CA", "ALTNET_TOKEN"):
            monkeypatch.delenv(name, raising=False)

    def at(self, url: str, token: str = "") -> Command:
        self.monkeypatch.setenv("ALTNET_URL", url)
        if token:
            self.monkeypatch.setenv("ALTNET_TOKEN", token)
        return self

    def __call__(self, *arguments: str, given: str = "") -> Ran:
        self.monkeypatch.setattr("sys.stdin", io.StringIO(given))
        self.capsys.readouterr()
        code = main(list(arguments))
        captured = self.capsys.readouterr()
        return Ran(code, captured.out, captured.err)


@pytest.fixture
def altnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def by(registry: Registry, altnet: Command) -> Any:
    """Run a command as somebody who is logged in."""
    secrets: dict[str, str] = {}

    def run(uid: str, *arguments: str, given: str = "") -> Ran:
        if uid not in secrets:
            secrets[uid] = registry.token(uid)
        return altnet.at(registry.url, secrets[uid])(*arguments, given=given)

    return run
