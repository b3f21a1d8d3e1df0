"""The whole application on a loopback port, and Debian's Chromium in front of it.

Where there is no Chromium nothing of this is tested; CI has it.
"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="NOT TESTED HERE: FastAPI is not installed; CI tests it")
pytest.importorskip("playwright", reason="NOT TESTED HERE: Playwright is not installed; CI tests it")
pytest.importorskip("axe_playwright_python", reason="NOT TESTED HERE: axe is not installed; CI tests it")

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from altnet.registry.acts import accounts, invitations, tokens
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.model import Actor
from altnet.registry.domain.policy import Policy
from altnet.registry.faces import app as application
from altnet.registry.faces.signin.signin import Signin
from altnet.registry.faces.world import World
from altnet.registry.settings import Git, Limits
from altnet.registry.storage.store import Store

CHROMIUM = shutil.which("chromium") or ""
SHOTS = Path(__file__).resolve().parents[3] / "tests" / "output" / "registry"
GROUPS = {
    "ann": {"members"},
    "ben": {"members"},
    "reg": {"members", "registrars"},
    "ops": {"members", "operators"},
}
PHONE, DESK = (360, 740), (1280, 800)
#: What is wrong is enough: a list of all that is right would take most of the time.
ONLY = {"resultTypes": ["violations"]}


@dataclass
class People:
    """A directory in memory."""

    known: dict[str, Person]

    def person(self, uid: str) -> Person | None:
        return self.known.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        return tuple(one for one in self.known.values() if part in one.uid)[:most]

    def authenticate(self, uid: str, password: str) -> bool:
        return uid in self.known and password == f"{uid}'s own password"

    def create(self, person: Person, password: str) -> None:
        self.known[person.uid] = person

    def set_password(self, uid: str, password: str) -> None:
        pass

    def lock(self, uid: str, *, locked: bool) -> None:
        self.known[uid] = replace(self.known[uid], locked=locked)

    def delete(self, uid: str) -> None:
        self.known.pop(uid, None)


class Answering:
    """Holders' own servers answer."""

    def faults(self, zone: str, rrsets: object) -> tuple[()]:
        return ()


@dataclass
class Visit:
    """One browser window, and what went wrong in it."""

    site: Site
    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Open a page of the portal."""
        self.page.goto(self.site.origin + path)
        return self.page

    def sign_in(self, uid: str) -> Page:
        """Sign in by the form."""
        self.open("/login")
        self.page.fill("[name=user]", uid)
        self.page.fill("[name=password]", f"{uid}'s own password")
        self.page.click("form[action='/login'] button")
        self.page.wait_for_url(self.site.origin + "/")
        return self.page

    def judge(self, name: str) -> None:
        """Keep a picture, and hold the page against the rules: accessibility, nothing wider than the screen."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size or {"width": 0}
        self.page.screenshot(path=str(SHOTS / f"{name}-{size['width']}.png"), full_page=True)
        if self.site.scripts(self.context):
            found = Axe().run(self.page, options=ONLY).response["violations"]
            bad = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found
                   if one["impact"] in {"serious", "critical"}]  # fmt: skip
            assert not bad, (name, bad)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert self.page.evaluate(wide) <= 0, f"{name} is wider than the screen"
        assert not self.errors, (name, self.errors)


@dataclass
class Site:
    """The portal, served."""

    desk: Desk
    origin: str
    browser: Browser
    still: set[int] = field(default_factory=set)

    def actor(self, uid: str) -> Actor:
        person = self.desk.directory.person(uid)
        assert person is not None
        return Actor(uid, tokens.roles_from(person.groups), "portal")

    def invite(self, uid: str = "ann", **more: Any) -> str:
        return invitations.create(self.desk, self.actor(uid), **more)[1]

    def scripts(self, context: BrowserContext) -> bool:
        return id(context) not in self.still

    def visit(self, size: tuple[int, int] = DESK, *, scripts: bool = True, scheme: Any = "light") -> Visit:
        """Open a window."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, color_scheme=scheme,
            locale="en-GB",
        )  # fmt: skip
        if not scripts:
            self.still.add(id(context))
        context.set_default_timeout(10_000)
        visit = Visit(self, context, context.new_page())
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.on("console", lambda said: _note(visit, said))
        return visit


def _note(visit: Visit, said: Any) -> None:
    """Keep what the browser complains of: a broken script, or something that the policy of content forbids."""
    if said.type == "error" and "Failed to load resource" not in said.text:
        visit.errors.append(said.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("NOT TESTED HERE: no Chromium (Debian's package chromium); CI tests it")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: Any) -> Iterator[Site]:
    """A registry of the module's own, on a port of its own."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    store = Store.open(f"sqlite:///{tmp_path_factory.mktemp('registry')}/registry.db")
    store.migrate()
    people = People(
        {uid: Person(uid, f"{uid.title()} Example", f"{uid}@mail.invalid", frozenset(groups))
         for uid, groups in GROUPS.items()}
    )  # fmt: skip
    policy = Policy(prefix="fd12:3456:789a::/48", nameserver_addresses=("fd12:3456:789a::53",))
    desk = Desk(store, policy, people, Answering(), lambda: datetime.now(UTC).replace(microsecond=0))
    signin = Signin(desk, site="portal.alt", secret=b"secret", seals=None, origin=origin)
    settings: Any = SimpleNamespace(
        site="portal.alt", limits=Limits(100_000, 100_000), git=Git(), verifying_key=lambda: None
    )
    app = application.make(World(desk, signin, settings))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    made = Site(desk, origin, browser)
    for uid in GROUPS:
        accounts.me(desk, made.actor(uid))
    yield made
    server.should_exit = True
    thread.join(10)
    store.close()


@pytest.fixture
def desktop(site: Site) -> Iterator[Visit]:
    visit = site.visit()
    yield visit
    visit.context.close()


@pytest.fixture
def phone(site: Site) -> Iterator[Visit]:
    visit = site.visit(PHONE)
    yield visit
    visit.context.close()
