"""The portal as the login page of all sites: with the authenticator that is beside each of them, as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
from signin_world import PASSWORD, Browser, People, Portal

from altnet.authenticator import sites
from altnet.authenticator.context import Context
from altnet.authenticator.limit import Limit
from altnet.authenticator.messages import Reply, Request
from altnet.authenticator.people import People as Remembered
from altnet.authenticator.seals import Seals
from altnet.authenticator.settings import DirectorySettings, Settings
from altnet.authenticator.store import Store
from altnet.registry.domain.errors import RegistryError
from altnet.registry.faces.signin import resets, sessions, totp

WIKI = "wiki.alt"
HTML = {"accept": "text/html", "sec-fetch-mode": "navigate"}


class Ldap:
    """The same people, as an authenticator asks for them."""

    def __init__(self, people: People) -> None:
        self.people = people

    def authenticate(self, user: str, password: str) -> bool:
        raise AssertionError("passwords are the login page's")

    def groups(self, user: str) -> frozenset[str] | None:
        person = self.people.known.get(user)
        return None if person is None or person.locked else person.groups


class Site:
    """A site with an authenticator, on another host than the portal's, and a browser's cookies there."""

    def __init__(self, portal: Portal, place: Path, groups: set[str]) -> None:
        settings = Settings("portal.alt", DirectorySettings(("ldaps://one",), "dc=alt"), {WIKI: frozenset(groups)})
        store = Store(place / "site.sqlite")

        def clock() -> float:
            return portal.clock().timestamp()

        people = Remembered(Ldap(portal.people), 10, 300, clock)
        self.context = Context(settings, store, people, Seals(portal.keys), Limit(store, settings), clock)
        self.cookies: dict[str, str] = {}

    def ask(self, url: str, method: str = "GET") -> Reply:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        here = {"origin": f"https://{WIKI}", "sec-fetch-site": "same-origin"} if method == "POST" else {}
        query = dict(parse_qsl(parts.query))
        request = Request(method, path, WIKI, "fd12::7", query, {}, {**HTML, **here, "cookie": cookie})
        decision = {"/.altnet/callback": sites.callback, "/.altnet/logout": sites.logout}.get(parts.path, sites.check)
        reply = decision(self.context, request)
        self.cookies |= {f"__Host-altnet-{name}": value for name, (value, _) in reply.cookies.items()}
        return reply


@pytest.fixture
def site(portal: Portal, tmp_path: Path) -> Site:
    return Site(portal, tmp_path, {"members"})


def at_portal(browser: Browser, reply: Reply) -> str:
    """Go where a site sends, to the portal, and return the address that it sends back to."""
    where = reply.headers["Location"]
    assert where.startswith("https://portal.alt/")
    answer = browser.get(where.removeprefix("https://portal.alt"))
    if answer.status_code == 200:
        answer = browser.fill("/login", user="ada", password=PASSWORD)
    return answer.headers["location"]


def enter(browser: Browser, site: Site) -> Reply:
    back = at_portal(browser, site.ask("/page?a=b"))
    assert urlsplit(back).netloc == WIKI
    reply = site.ask(back)
    assert (reply.status, reply.headers["Location"]) == (303, "/page?a=b")
    return site.ask("/page?a=b")


def test_from_a_site_through_the_portal_and_back(portal: Portal, site: Site) -> None:
    reply = enter(portal.browser(), site)
    assert reply.status == 200
    assert reply.headers["Remote-User"] == "ada"
    assert reply.headers["Remote-Groups"] == "members"


def test_the_code_is_for_one_browser_and_once(portal: Portal, site: Site, tmp_path: Path) -> None:
    back = at_portal(portal.browser(), site.ask("/"))
    cookies = dict(site.cookies)
    site.cookies = {}
    site.ask("/")
    assert site.ask(back).status == 400, "another browser took it"
    site.cookies = cookies
    assert site.ask(back).status == 303
    assert site.ask(back).status == 400
    assert site.ask(back + "=").status == 400


def test_leaving_a_site_ends_the_portals_session(portal: Portal, site: Site) -> None:
    browser = portal.browser()
    enter(browser, site)
    reply = site.ask("/.altnet/logout", "POST")
    answer = browser.get(reply.headers["Location"].removeprefix("https://portal.alt"))
    assert "Signed out" in answer.text
    assert browser.get("/security").status_code == 303
    assert site.ask("/page").status == 303
    # And no other session of the same person's.
    assert sessions.of(portal.signin, "ada") == []


def test_it_leaves_other_browsers_alone(portal: Portal, site: Site) -> None:
    browser, other = portal.browser(), portal.browser("fd12::2")
    other.sign_in()
    enter(browser, site)
    browser.get(site.ask("/.altnet/logout", "POST").headers["Location"].removeprefix("https://portal.alt"))
    assert other.get("/security").status_code == 200


def test_somebody_of_another_group_gets_to_their_site(portal: Portal, tmp_path: Path) -> None:
    garden = Site(portal, tmp_path, {"gardeners"})
    browser = portal.browser()
    browser.sign_in("eve")
    assert garden.ask(at_portal(browser, garden.ask("/"))).status == 303
    assert garden.ask("/").headers["Remote-User"] == "eve"


def test_somebody_locked_is_led_round_no_circle(portal: Portal, site: Site) -> None:
    browser = portal.browser()
    enter(browser, site)
    portal.people.lock("ada", locked=True)
    portal.clock.wait(11)
    reply = site.ask("/page")
    assert reply.status == 303
    answer = browser.get(reply.headers["Location"].removeprefix("https://portal.alt"))
    assert answer.status_code == 200, "the form, and not back to the site"
    assert browser.fill("/login", user="ada", password=PASSWORD).status_code == 403


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    """Do the same in threads that begin together."""
    found: list[object] = []
    start = threading.Barrier(count)

    def one() -> None:
        start.wait()
        try:
            found.append(act())
        except RegistryError as error:
            found.append(error.kind)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_many_at_once_one_gets_in(portal: Portal) -> None:
    sealed = totp.begin(portal.signin, "ada")
    app = pyotp.TOTP(portal.signin.opened("totp", sealed, 900)["secret"])  # type: ignore[index]
    codes = totp.confirm(portal.signin, portal.actor("ada"), sealed, app.at(portal.clock().timestamp() - 30))
    code = app.at(portal.clock())
    assert at_once(8, lambda: totp.check(portal.signin, "ada", code)).count(True) == 1
    assert at_once(8, lambda: totp.recover(portal.signin, "ada", codes[0])).count(True) == 1
    assert at_once(8, lambda: sessions.once(portal.signin, "challenge", 60)).count(True) == 1
    link = resets.make(portal.signin, portal.actor("reg"), "ada")
    found = at_once(8, lambda: resets.use(portal.signin, link, "four quiet words here", ""))
    assert sorted(map(str, found)) == ["ada", *["expired"] * 7]


def test_many_wrong_passwords_at_once_are_no_more_tries(portal: Portal) -> None:
    def one() -> object:
        return portal.browser(f"fd12::{threading.get_ident()}").sign_in(password="wrong").status_code

    before = portal.people.tried
    for _ in range(2):
        at_once(12, one)
    assert portal.people.tried - before == 10
    assert portal.browser("fd12::99").sign_in().status_code == 429
