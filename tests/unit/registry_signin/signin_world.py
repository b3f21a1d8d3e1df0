"""A registry in a file, people in memory, and a time that the test sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote, urlencode

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from signin_device import Device
from starlette.testclient import TestClient

from altnet.authenticator.seals import Seals
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.acts.tokens import roles_from
from altnet.registry.domain.errors import refuse
from altnet.registry.domain.model import Actor
from altnet.registry.domain.policy import Policy
from altnet.registry.faces.app import make
from altnet.registry.faces.signin.signin import Signin, Times
from altnet.registry.faces.world import World
from altnet.registry.settings import Git, Limits, Serving
from altnet.registry.storage.store import Store

SITE = "portal.alt"
CLIENT = "fd12:3456:789a:1::7"
PASSWORD = "correct horse battery staple"
GROUPS = {
    "ada": {"members"},
    "bob": {"members"},
    "reg": {"members", "registrars"},
    "ops": {"members", "operators"},
    "eve": {"gardeners"},
}


def _people() -> dict[str, Person]:
    return {uid: Person(uid, uid.title(), "", frozenset(groups)) for uid, groups in GROUPS.items()}


@dataclass
class People:
    """A directory in memory, which may be away."""

    known: dict[str, Person] = field(default_factory=_people)
    passwords: dict[str, str] = field(default_factory=dict)
    down: bool = False
    tried: int = 0
    trying: Callable[[str], None] = lambda _uid: None

    def _there(self) -> None:
        if self.down:
            raise refuse("unavailable", "The directory does not answer", "try again in a minute")

    def person(self, uid: str) -> Person | None:
        self._there()
        return self.known.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        self._there()
        return tuple(one for one in self.known.values() if part in one.uid)[:most]

    def authenticate(self, uid: str, password: str) -> bool:
        self._there()
        self.tried += 1
        self.trying(uid)
        return uid in self.known and password == self.passwords.get(uid, PASSWORD)

    def create(self, person: Person, password: str) -> None:
        self._there()
        self.known[person.uid], self.passwords[person.uid] = person, password

    def set_password(self, uid: str, password: str) -> None:
        self._there()
        self.passwords[uid] = password

    def lock(self, uid: str, *, locked: bool) -> None:
        self.known[uid] = replace(self.known[uid], locked=locked)

    def delete(self, uid: str) -> None:
        self.known.pop(uid, None)

    def groups(self, uid: str, *groups: str) -> None:
        """Put somebody into these groups, and out of all others."""
        self.known[uid] = replace(self.known[uid], groups=frozenset(groups))


class Answering:
    """Everybody's own servers answer for everything."""

    def faults(self, zone: str, rrsets: object) -> tuple[()]:
        return ()


class Clock:
    """Whole seconds, in UTC."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


#: A database without anything in it, as migrations leave it.
_empty: list[bytes] = []


class Base:
    """Everything below the pages."""

    def __init__(self, place: Path, times: Times | None = None) -> None:
        self.place, self.times = place, times or Times(pace=0)
        self.clock, self.people = Clock(), People()
        self.keys = [Fernet.generate_key().decode()]
        self.secret = Fernet.generate_key()
        self.seals = Seals(self.keys)
        self.start()

    def start(self) -> None:
        """Start, or start anew: what is in memory is lost."""
        file = self.place / "registry.db"
        if not file.exists() and _empty:
            file.write_bytes(_empty[0])
        store = Store.open(f"sqlite:///{file}")
        if not _empty:
            store.migrate()
            with store.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            _empty.append(file.read_bytes())
        policy = Policy(prefix="fd12:3456:789a::/48")
        self.desk = Desk(store, policy, self.people, Answering(), self.clock)
        self.signin = Signin(self.desk, site=SITE, secret=self.secret, seals=self.seals, times=self.times)

    def actor(self, uid: str, client: str = CLIENT) -> Actor:
        return Actor(uid, roles_from(self.people.known[uid].groups), "portal", client)

    def log(self, uid: str = "ops") -> list[tuple[str, str]]:
        """Return actions and objects of the audit log, the oldest first."""
        from altnet.registry.acts import history  # noqa: PLC0415

        page = history.listed(self.desk, self.actor(uid), limit=200)
        return [(one.action, one.object) for one in sorted(page.items, key=lambda one: one.number)]


PLENTY = Limits(1_000_000, 1_000_000)
_shared: list[TestClient] = []


def close() -> None:
    """End what the tests have shared."""
    while _shared:
        _shared.pop().__exit__()


class Portal(Base):
    """The application on it, and browsers."""

    limits = PLENTY

    def start(self) -> None:
        super().start()
        given = {"site": SITE, "limits": self.limits, "policy": self.desk.policy, "git": Git(), "serving": Serving()}
        settings: Any = SimpleNamespace(**given)
        world = World(self.desk, self.signin, settings)
        # Making it takes longer than most tests: those that do not count requests share one, and put their world in it.
        if self.limits is not PLENTY:
            self.app = make(world)
            self.http = self.client()
            return
        if not _shared:
            self.app = make(world)
            _shared.append(self.client())
            _shared[0].__enter__()
            # Browsers bring their own.
            _shared[0].cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.http = _shared[0]
        self.app = cast("FastAPI", self.http.app)
        self.app.state.world = world

    def client(self) -> TestClient:
        """Return a client that sends what it is told, and nothing of itself."""
        return TestClient(self.app, f"https://{SITE}", raise_server_exceptions=False)

    def browser(self, client: str = CLIENT) -> Browser:
        """Return a browser without cookies."""
        return Browser(self, client)


class Browser:
    """Cookies, forms as they are on the last page, and redirects that are followed only when it is asked to."""

    def __init__(self, portal: Portal, client: str) -> None:
        self.portal, self.client = portal, client
        self.cookies: dict[str, str] = {}
        self.last = httpx.Response(204)
        self.page = f"https://{SITE}/"

    def send(self, method: str, path: str, form: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Make one request."""
        sent = {"altnet-client": self.client, "user-agent": "Test 1.0"}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = b""
        if form is not None:
            sent |= {"content-type": "application/x-www-form-urlencoded", "origin": f"https://{SITE}"}
            sent |= {
                "sec-fetch-site": "same-origin",
                "referer": str(self.last.url) if self.last.status_code != 204 else "",
            }
            body = urlencode(form).encode()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.portal.http.request(method, path, content=body, headers=sent, follow_redirects=False)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line)
        self.last = answer
        if answer.status_code != 303:
            self.page = str(answer.url)
        return answer

    def _keep(self, line: str) -> None:
        name, _, rest = line.partition("=")
        value, *parts = (part.strip() for part in rest.split(";"))
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(parts), line
        assert name.startswith("__Host-"), line
        if "Max-Age=0" in parts:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, **headers)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Go where answers lead."""
        for _ in range(10):
            if answer.status_code != 303:
                return answer
            answer = self.get(answer.headers["location"])
        raise AssertionError("no end")

    def forms(self) -> dict[str, dict[str, str]]:
        """Return the hidden fields of each form on the page, by where it leads; a passkey is asked "options"."""
        found = {}
        for head, inner in re.findall(r"<form ([^>]*)>(.*?)</form>", self.last.text, re.DOTALL):
            action = re.search(r'action="([^"]*)"', head)
            fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', inner))
            options = re.search(r'data-options="([^"]*)"', head)
            if options and options[1]:
                fields["options"] = options[1]
            if action:
                key = unescape(action[1])
                found[key + " passkey" if options else key] = {name: unescape(value) for name, value in fields.items()}
        return found

    def fill(self, action: str, **fields: str) -> httpx.Response:
        """Send a form of the page, filled in."""
        hidden = self.forms()[action]
        return self.send("POST", action, {**hidden, **fields})

    def sign_in(self, uid: str = "ada", password: str = PASSWORD, page: str = "/login") -> httpx.Response:
        """Fill in name and password."""
        self.get(page)
        return self.fill("/login", user=uid, password=password)

    def use(self, action: str, device: Device, **fields: str) -> httpx.Response:
        """Press a passkey's button, and let the device answer."""
        hidden = dict(self.forms()[action + " passkey"])
        options = hidden.pop("options")
        said = device.create(options) if "rp" in json.loads(options)["publicKey"] else device.get(options)
        return self.send("POST", action, {**hidden, "response": said, **fields})

    def flash(self) -> str:
        """Return what the next page would say."""
        raw = self.cookies.get("__Host-altnet-flash", "")
        return str(json.loads(unquote(raw))[1]) if raw else ""
