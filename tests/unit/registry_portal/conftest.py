"""A whole registry in memory, and people who use its portal by forms only, as a browser without JavaScript would."""

from __future__ import annotations

import functools
import html
import re
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest

pytest.importorskip("fastapi", reason="NOT TESTED HERE: FastAPI is not installed; it is tested in CI")

from starlette.testclient import TestClient

from altnet.registry.acts import accounts, invitations, tokens
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.model import Actor
from altnet.registry.domain.policy import Policy
from altnet.registry.faces import app as application
from altnet.registry.faces.signin import sessions
from altnet.registry.faces.signin.signin import Signin
from altnet.registry.faces.world import World
from altnet.registry.settings import Git, Limits
from altnet.registry.storage.store import Store

GROUPS = {
    "ann": {"members"},
    "ben": {"members"},
    "reg": {"members", "registrars"},
    "ops": {"members", "operators"},
}
#: What every field is given somewhere: it must never come out as it went in.
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@dataclass
class People:
    """A directory in memory."""

    known: dict[str, Person] = field(default_factory=dict)

    def person(self, uid: str) -> Person | None:
        return self.known.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        return tuple(one for one in self.known.values() if part in one.uid)[:most]

    def authenticate(self, uid: str, password: str) -> bool:
        return uid in self.known and password == f"{uid}'s password"

    def create(self, person: Person, password: str) -> None:
        self.known[person.uid] = person

    def set_password(self, uid: str, password: str) -> None:
        pass

    def lock(self, uid: str, *, locked: bool) -> None:
        self.known[uid] = replace(self.known[uid], locked=locked)

    def delete(self, uid: str) -> None:
        self.known.pop(uid, None)


@dataclass
class Answering:
    """Holders' own servers: they answer, unless a test says what is wrong."""

    wrong: tuple[Any, ...] = ()

    def faults(self, zone: str, rrsets: object) -> tuple[Any, ...]:
        return self.wrong


@dataclass
class Clock:
    """The time, which a test moves."""

    moment: datetime = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def on(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Reader(HTMLParser):
    """What a browser would make of a page: its forms with their values, its links, its text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._form: dict[str, Any] | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.append((tag, said))
        if tag == "a" and said.get("href"):
            self.links.append(str(said["href"]))
        if tag == "form":
            self._form = {"action": said.get("action") or "", "method": said.get("method", "get"), "values": {}}
            self.forms.append(self._form)
        if self._form is None or not said.get("name"):
            return
        name, values = str(said["name"]), self._form["values"]
        if tag == "input" and said.get("type") in {"radio", "checkbox"}:
            if "checked" in said:
                values[name] = said.get("value", "on")
            else:
                values.setdefault(name, "")
        elif tag == "input":
            values[name] = said.get("value") or ""
        elif tag == "textarea":
            self._area, values[name] = name, ""
        elif tag == "select":
            self._select = name

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form["values"][self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "textarea":
            self._area = None


@dataclass
class Page:
    """An answer, as a person sees it."""

    status: int
    path: str
    text: str
    headers: Any

    def __post_init__(self) -> None:
        self.read = Reader()
        self.read.feed(self.text)

    @property
    def words(self) -> str:
        """The page's text alone."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    def form(self, part: str) -> dict[str, Any]:
        """The form whose action contains something."""
        found = [one for one in self.read.forms if part in one["action"]]
        assert found, f"no form to {part!r} on {self.path}: {[one['action'] for one in self.read.forms]}"
        return found[0]


class Person_:  # noqa: N801
    """Somebody with a browser."""

    def __init__(self, site: Site, cookie: str = "", agent: str = "test") -> None:
        self.site, self.client = site, TestClient(site.app, base_url="https://portal.alt")
        self.client.headers["user-agent"] = agent
        if cookie:
            self.client.cookies.set("__Host-altnet-session", cookie, domain="portal.alt")

    def get(self, path: str, **headers: str) -> Page:
        """Open a page."""
        return self._page(self.client.get(path, headers=headers))

    def send(self, page: Page, action: str, **values: str) -> Page:
        """Fill in a form of a page and send it; what is not named stays as the page has it."""
        form = page.form(action)
        data = form["values"] | values
        where = urljoin(f"https://portal.alt{page.path}", form["action"])
        if form["method"] == "get":
            return self._page(self.client.get(f"{where}?{urlencode(data)}"))
        content_type = {"content-type": "application/x-www-form-urlencoded"}
        return self._page(self.client.post(where, content=urlencode(data), headers=content_type))

    def _page(self, answer: Any) -> Page:
        return Page(answer.status_code, answer.url.path, answer.text, answer.headers)


@dataclass
class Site:
    """The portal with its parts."""

    desk: Desk
    people: People
    servers: Answering
    clock: Clock
    app: Any
    world: Any

    def actor(self, uid: str) -> Actor:
        return Actor(uid, tokens.roles_from(self.people.known[uid].groups), "portal")

    def visitor(self) -> Person_:
        return Person_(self)

    def person(self, uid: str, agent: str = "test") -> Person_:
        secret = sessions.begin(self.world.signin, uid, client="::1", agent=agent, method="password")
        return Person_(self, secret, agent)

    def invite(self, uid: str = "ann", **more: Any) -> str:
        return invitations.create(self.desk, self.actor(uid), **more)[1]


@functools.cache
def _application() -> list[Any]:
    """A place for the one application: to make it takes longer than most tests."""
    return []


def application_of(world: World) -> Any:
    """Return the application, with another world for its pages."""
    made = _application()
    if not made:
        made.append(application.make(world))
    made[0].state.world = world
    return made[0]


def build(url: str, policy: Policy | None = None, origin: str = "") -> Site:
    """Return a registry of one's own."""
    store = Store.open(url)
    people = People(
        {uid: Person(uid, f"{uid.title()} Example", f"{uid}@mail.invalid", frozenset(groups))
         for uid, groups in GROUPS.items()}
    )  # fmt: skip
    clock, servers = Clock(), Answering()
    policy = policy or Policy(prefix="fd12:3456:789a::/48", nameserver_addresses=("fd12:3456:789a::53",))
    desk = Desk(store, policy, people, servers, clock)
    signin = Signin(desk, site="portal.alt", secret=b"secret", seals=None, origin=origin)
    settings: Any = SimpleNamespace(
        site="portal.alt", limits=Limits(100_000, 100_000), git=Git(), verifying_key=lambda: None
    )
    world = World(desk, signin, settings)
    app = application_of(world)
    site = Site(desk, people, servers, clock, app, world)
    for uid in GROUPS:
        accounts.me(desk, site.actor(uid))
    return site


@pytest.fixture(scope="session")
def empty(tmp_path_factory: Any) -> Path:
    """A database with its tables, made once: to migrate takes longer than most tests."""
    place = tmp_path_factory.mktemp("registry") / "empty.db"
    store = Store.open(f"sqlite:///{place}")
    store.migrate()
    with store.write() as connection:
        connection.exec_driver_sql("select 1")
    store.engine.dispose()
    return Path(place)


@pytest.fixture
def site(tmp_path: Path, empty: Path) -> Site:
    """A registry of one's own."""
    for part in empty.parent.iterdir():
        shutil.copy(part, tmp_path / part.name)
    return build(f"sqlite:///{tmp_path}/empty.db")
