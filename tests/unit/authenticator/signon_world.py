"""Two content hosts with an authenticator each, a directory that does as it is told, and a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet

from altnet.authenticator import login, sites
from altnet.authenticator.context import Context
from altnet.authenticator.limit import Limit
from altnet.authenticator.messages import Reply, Request
from altnet.authenticator.people import DirectoryError, People
from altnet.authenticator.seals import Seals
from altnet.authenticator.settings import DirectorySettings, Settings
from altnet.authenticator.store import Store

LOGIN, WIKI, CHAT = "login.alt", "wiki.alt", "chat.neo"
PASSWORD = "correct horse battery staple"
HTML = {"accept": "text/html,*/*", "sec-fetch-mode": "navigate"}
AT = {"/": login.front, "/authorize": login.authorize, "/logout": login.logout}
BESIDE = {"/.altnet/callback": sites.callback, "/.altnet/logout": sites.logout}


@dataclass
class People3:
    """A directory of three."""

    members: dict[str, set[str]] = field(
        default_factory=lambda: {"ada": {"members", "operators"}, "bob": {"members"}, "eve": set()}
    )
    down: bool = False
    asked: int = 0

    def authenticate(self, user: str, password: str) -> bool:
        self.asked += 1
        if self.down:
            raise DirectoryError("ldaps://one: refused")
        return user in self.members and password == PASSWORD

    def groups(self, user: str) -> frozenset[str] | None:
        self.asked += 1
        if self.down:
            raise DirectoryError("ldaps://one: refused")
        return frozenset(self.members[user]) if user in self.members else None


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Host:
    """One content host: its sites, and whether it has the login page."""

    def __init__(self, directory: People3, clock: Clock, key: str, state: Path, groups: dict[str, set[str]]) -> None:
        self.state, self.key, self.directory, self.clock = state, key, directory, clock
        self.settings = Settings(
            LOGIN, DirectorySettings(("ldaps://one",), "dc=alt"),
            {name: frozenset(some) for name, some in groups.items()},
        )  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it, or start it anew: what is in memory is lost."""
        store = Store(self.state)
        people = People(self.directory, self.settings.recheck, self.settings.grace, self.clock)
        self.context = Context(
            self.settings, store, people, Seals([self.key]), Limit(store, self.settings), self.clock
        )  # fmt: skip

    def ask(self, request: Request) -> Reply:
        """Answer as the web server and the application do together."""
        if request.site == LOGIN:
            return AT[request.path](self.context, request)
        if request.path in BESIDE:
            return BESIDE[request.path](self.context, request)
        return sites.check(self.context, request)


class Browser:
    """Cookies by site, and redirects that are followed."""

    def __init__(self, hosts: dict[str, Host], client: str = "fd12:3456:789a:1::7") -> None:
        self.hosts, self.client = hosts, client
        self.jar: dict[str, dict[str, str]] = {}
        self.path: list[str] = []

    def send(self, url: str, form: dict[str, str] | None = None, **headers: str) -> Reply:
        """Make one request; follow nothing."""
        parts = urlsplit(url)
        cookies = "; ".join(f"{key}={value}" for key, value in self.jar.get(parts.netloc, {}).items())
        origin = {} if form is None else {"origin": f"https://{parts.netloc}", "sec-fetch-site": "same-origin"}
        sent = {**HTML, "cookie": cookies, **origin, **{key.replace("_", "-"): value for key, value in headers.items()}}
        whole = parts.path + (f"?{parts.query}" if parts.query else "")
        ours = parts.netloc == LOGIN or parts.path.startswith("/.altnet/")
        reply = self.hosts[parts.netloc].ask(
            Request(
                "GET" if form is None else "POST", parts.path if ours else whole, parts.netloc, self.client,
                dict(parse_qsl(parts.query)), form or {}, sent,
            )
        )  # fmt: skip
        for name, value in reply.lines():
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                assert "; Secure; HttpOnly; SameSite=Lax" in rest
                assert "Domain" not in rest
                self.jar.setdefault(parts.netloc, {})[key] = rest.partition(";")[0]
        self.path.append(f"{reply.status} {parts.netloc}{parts.path}")
        return reply

    def visit(self, url: str, form: dict[str, str] | None = None) -> Reply:
        """Go there and wherever that leads."""
        reply = self.send(url, form)
        for _ in range(10):
            if reply.status != 303:
                return reply
            url = absolute(reply.headers["Location"], url)
            reply = self.send(url)
        raise AssertionError(f"no end: {self.path}")

    def log_in(self, page: Reply, user: str, password: str = PASSWORD) -> Reply:
        """Fill in the form."""
        return self.visit(f"https://{LOGIN}/", {**hidden(page), "user": user, "password": password})


def absolute(where: str, base: str) -> str:
    """Return a whole URL."""
    return where if where.startswith("https://") else f"https://{urlsplit(base).netloc}{where}"


def hidden(page: Reply) -> dict[str, str]:
    """Return a form's hidden fields."""
    return dict(re.findall(r'name="(flow|token)" value="([^"]*)"', page.body))


class World:
    """The directory, the time, and the hosts by the sites they have."""

    def __init__(self, place: Path) -> None:
        key = Fernet.generate_key().decode()
        self.directory, self.clock = People3(), Clock()
        one = Host(self.directory, self.clock, key, place / "one", {WIKI: {"members"}})
        two = Host(self.directory, self.clock, key, place / "two", {CHAT: {"operators", "chatters"}})
        self.hosts = {LOGIN: one, WIKI: one, CHAT: two}

    def browser(self, client: str = "fd12:3456:789a:1::7") -> Browser:
        """Return a browser without cookies."""
        return Browser(self.hosts, client)
