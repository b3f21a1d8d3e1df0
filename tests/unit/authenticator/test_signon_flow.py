"""From a page that needs a group to the login page and back: what works, and what is refused."""

from __future__ import annotations

import sqlite3

import pytest
from signon_world import CHAT, LOGIN, PASSWORD, WIKI, Browser, World, hidden

from altnet.authenticator.messages import own_path

PAGE = f"https://{WIKI}/notes?day=1&b=%2F"


def logged_in(world: World, user: str = "ada") -> Browser:
    browser = world.browser()
    assert browser.log_in(browser.visit(PAGE), user).status == 200
    return browser


def test_in_and_back_where_one_wanted_to_go(signon: World) -> None:
    browser = signon.browser()
    form = browser.visit(PAGE)
    assert (form.status, 'type="password"' in form.body, WIKI in form.body) == (200, True, True)
    seen = browser.log_in(form, "bob")
    assert seen.headers["Remote-User"] == "bob"
    assert seen.headers["Remote-Groups"] == "members"
    assert browser.path == [
        f"303 {WIKI}/notes", f"200 {LOGIN}/authorize", f"303 {LOGIN}/", f"303 {WIKI}/.altnet/callback",
        f"200 {WIKI}/notes",
    ]  # fmt: skip
    assert browser.send(PAGE).status == 200


def test_one_login_for_all_sites(signon: World) -> None:
    browser = logged_in(signon)
    assert browser.visit(f"https://{CHAT}/").headers["Remote-User"] == "ada"
    assert f"200 {LOGIN}/authorize" not in browser.path[5:], "asked for the password again"


def test_each_site_has_a_secret_of_its_own(signon: World) -> None:
    browser = logged_in(signon)
    browser.visit(f"https://{CHAT}/")
    secrets = {jar["__Host-altnet-session"] for site, jar in browser.jar.items() if site != LOGIN}
    assert len(secrets) == 2
    browser.jar[CHAT]["__Host-altnet-session"] = browser.jar[WIKI]["__Host-altnet-session"]
    assert browser.send(f"https://{CHAT}/").status == 303


def test_who_is_in_no_group_is_refused_and_told_why(signon: World) -> None:
    browser = signon.browser()
    refused = browser.log_in(browser.visit(PAGE), "eve")
    assert refused.status == 403
    assert "eve" in refused.body
    assert "Remote-User" not in refused.headers


def test_a_script_is_told_and_not_sent_anywhere(signon: World) -> None:
    browser = signon.browser()
    for headers in ({"sec_fetch_mode": "cors"}, {"accept": "application/json", "sec_fetch_mode": "navigate"}):
        expected = 401 if "cors" in headers.values() else 303
        assert browser.send(PAGE, **headers).status == expected
    assert browser.send(PAGE, {}).status == 401
    eve = signon.browser()
    eve.log_in(eve.visit(PAGE), "eve")
    assert eve.send(PAGE, sec_fetch_mode="cors").body == "Not for you.\n"


def test_a_site_that_is_not_ours_is_refused(signon: World) -> None:
    browser = signon.browser()
    browser.hosts["other.alt"] = signon.hosts[WIKI]
    assert browser.send("https://other.alt/").status == 403


class TestGroups:
    def test_what_was_taken_away_is_gone_after_the_recheck(self, signon: World) -> None:
        browser = logged_in(signon, "bob")
        signon.directory.members["bob"].clear()
        signon.clock.now += signon.hosts[WIKI].settings.recheck - 0.1
        assert browser.send(PAGE).status == 200
        signon.clock.now += 0.2
        assert browser.send(PAGE).status == 403
        signon.directory.members["bob"].add("members")
        signon.clock.now += signon.hosts[WIKI].settings.recheck
        assert browser.send(PAGE).status == 200

    def test_the_directory_is_not_asked_for_each_request(self, signon: World) -> None:
        browser = logged_in(signon)
        before = signon.directory.asked
        for _ in range(50):
            browser.send(PAGE)
        assert signon.directory.asked == before

    def test_who_is_gone_loses_every_session_and_finds_the_form(self, signon: World) -> None:
        browser = logged_in(signon, "bob")
        del signon.directory.members["bob"]
        signon.clock.now += 60
        assert 'type="password"' in browser.visit(PAGE).body
        assert 'type="password"' in browser.visit(f"https://{CHAT}/").body
        signon.directory.members["bob"] = {"members"}
        assert 'type="password"' in browser.visit(PAGE).body, "an old session came back to life"

    def test_sites_outlive_the_directory_for_a_while(self, signon: World) -> None:
        browser = logged_in(signon)
        signon.directory.down = True
        settings = signon.hosts[WIKI].settings
        signon.clock.now += settings.recheck + settings.grace - 1
        assert browser.send(PAGE).status == 200
        signon.clock.now += 2
        unknown = browser.send(PAGE)
        assert (unknown.status, unknown.headers["Retry-After"]) == (503, "10")
        signon.directory.down = False
        assert browser.send(PAGE).status == 200

    def test_nobody_logs_in_without_a_directory(self, signon: World) -> None:
        browser = signon.browser()
        form = browser.visit(PAGE)
        signon.directory.down = True
        assert browser.log_in(form, "ada").status == 503
        assert signon.hosts[LOGIN].context.store.failures("user ada", 0) == []


class TestCodes:
    def code(self, browser: Browser) -> str:
        """Return the URL with a code that a browser was sent to, without going there."""
        flow = browser.send(PAGE).headers["Location"]
        return browser.send(flow).headers["Location"]

    def again(self, signon: World) -> Browser:
        """A browser that is logged in and whose site session is over."""
        browser = logged_in(signon)
        del browser.jar[WIKI]["__Host-altnet-session"]
        return browser

    def test_once(self, signon: World) -> None:
        browser = self.again(signon)
        url = self.code(browser)
        assert browser.send(url).status == 303
        replayed = browser.send(url)
        assert replayed.status == 400
        assert replayed.cookies == {}

    def test_once_after_a_restart_too(self, signon: World) -> None:
        browser = self.again(signon)
        url = self.code(browser)
        browser.send(url)
        signon.hosts[WIKI].start()
        assert browser.send(url).status == 400

    def test_for_one_site(self, signon: World) -> None:
        browser = self.again(signon)
        browser.send(f"https://{CHAT}/")
        assert browser.send(self.code(browser).replace(WIKI, CHAT)).status == 400

    def test_for_one_browser(self, signon: World) -> None:
        victim = signon.browser()
        victim.send(PAGE)
        assert victim.send(self.code(self.again(signon))).status == 400, "somebody was logged in as another"
        assert signon.browser().send(self.code(self.again(signon))).status == 400

    def test_for_a_minute(self, signon: World, monkeypatch: pytest.MonkeyPatch) -> None:
        browser = self.again(signon)
        url = self.code(browser)
        seals = signon.hosts[WIKI].context.seals
        real = seals.fernet.decrypt
        monkeypatch.setattr(seals.fernet, "decrypt", lambda token, ttl: real(token, ttl=ttl - 61 if ttl == 60 else ttl))
        assert browser.send(url).status == 400

    @pytest.mark.parametrize("twist", ["{}=", "{}!", "!{}", "{}%0A"])
    def test_not_twice_by_another_spelling(self, signon: World, twist: str) -> None:
        """Decoders of base64 pass over what they do not know: one code has many spellings."""
        browser = self.again(signon)
        url = self.code(browser)
        assert browser.send(url).status == 303
        front, code = url.split("code=")
        assert browser.send(f"{front}code={twist.format(code)}").status == 400

    @pytest.mark.parametrize("code", ["", "x", "gAAAA", "é", "A" * 5000])
    def test_not_what_was_made_up(self, signon: World, code: str) -> None:
        assert self.again(signon).send(f"https://{WIKI}/.altnet/callback?code={code}").status == 400

    def test_a_flow_is_no_code(self, signon: World) -> None:
        browser = self.again(signon)
        flow = browser.send(PAGE).headers["Location"].partition("flow=")[2]
        assert browser.send(f"https://{WIKI}/.altnet/callback?code={flow}").status == 400
        assert browser.send(f"https://{LOGIN}/logout?ticket={flow}").status == 200
        assert browser.send(f"https://{LOGIN}/authorize?flow={flow}").status == 303, "and it ended the login"

    def test_two_tabs(self, signon: World) -> None:
        browser = self.again(signon)
        first, second = (browser.send(f"https://{WIKI}/{tab}").headers["Location"] for tab in "ab")
        for flow in (first, second):
            assert browser.send(browser.send(flow).headers["Location"]).status == 303


class TestForm:
    def test_a_form_from_elsewhere_is_refused(self, signon: World) -> None:
        browser = signon.browser()
        sent = {**hidden(browser.visit(PAGE)), "user": "ada", "password": PASSWORD}
        for headers in ({"origin": "https://evil.alt"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}):
            assert browser.send(f"https://{LOGIN}/", sent, **headers).status == 403
        for token in ("", "é", "x" * 43):
            assert browser.send(f"https://{LOGIN}/", {**sent, "token": token}).status == 403
        other = signon.browser()
        other.visit(PAGE)
        assert other.send(f"https://{LOGIN}/", sent).status == 403
        assert signon.directory.asked == 0

    def test_what_is_shown_again_is_escaped(self, signon: World) -> None:
        browser = signon.browser()
        page = browser.log_in(browser.visit(PAGE), '"><script>alert(1)</script>', "x")
        assert page.status == 403
        assert "<script" not in page.body
        assert "&lt;script&gt;" in page.body

    def test_a_wrong_password_and_a_user_who_is_not_there_look_alike(self, signon: World) -> None:
        replies = []
        for user, password in (("ada", "wrong"), ("nobody", PASSWORD)):
            browser = signon.browser()
            page = browser.log_in(browser.visit(PAGE), user, password)
            for secret in hidden(page).values():
                page = type(page)(page.status, page.body.replace(secret, ""), page.headers)
            replies.append((page.status, page.body.replace(user, "")))
        assert replies[0] == replies[1]

    def test_a_name_is_what_ldap_takes_for_one(self, signon: World) -> None:
        browser = signon.browser()
        assert browser.log_in(browser.visit(PAGE), "  Ada ").headers["Remote-User"] == "ada"

    def test_the_page_lets_nothing_in(self, signon: World) -> None:
        headers = dict(signon.browser().visit(PAGE).lines())
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert f"form-action 'self' https://{WIKI};" in policy, "Chromium refuses redirects after a form otherwise"


class TestLimit:
    def fail(self, browser: Browser, user: str, times: int) -> list[int]:
        return [browser.log_in(browser.visit(PAGE), user, "wrong").status for _ in range(times)]

    def test_a_user_is_locked_and_let_in_again(self, signon: World) -> None:
        browser = signon.browser()
        assert self.fail(browser, "ada", 11) == [403] * 10 + [429]
        refused = browser.log_in(browser.visit(PAGE), "ada")
        assert refused.status == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 901
        # From everywhere, and after a restart; others go on.
        signon.hosts[LOGIN].start()
        other = signon.browser("fd12:3456:789a:1::8")
        assert other.log_in(other.visit(PAGE), "ada").status == 429
        assert other.log_in(other.visit(PAGE), "bob").status == 200
        signon.clock.now += 901
        assert browser.log_in(browser.visit(PAGE), "ada").status == 200

    def test_a_client_that_tries_many_names(self, signon: World) -> None:
        browser = signon.browser()
        assert {status for number in range(30) for status in self.fail(browser, f"user{number}", 1)} == {403}
        assert browser.log_in(browser.visit(PAGE), "bob").status == 429

    def test_a_login_that_works_clears_the_users_failures(self, signon: World) -> None:
        browser = signon.browser()
        self.fail(browser, "ada", 9)
        signon.clock.now += 1
        assert browser.log_in(browser.visit(PAGE), "ada").status == 200
        store = signon.hosts[LOGIN].context.store
        assert store.failures("user ada", 0) == []
        assert len(store.failures("client fd12:3456:789a:1::7", 0)) == 9


class TestLogout:
    def test_the_login_ends_with_all_that_came_of_it_on_that_host(self, signon: World) -> None:
        browser = logged_in(signon)
        assert "ada" in browser.send(f"https://{WIKI}/.altnet/logout").body
        assert "Logged out" in browser.visit(f"https://{WIKI}/.altnet/logout", {}).body
        for where in (PAGE, f"https://{LOGIN}/"):
            assert 'type="password"' in browser.visit(where).body

    def test_at_the_login_page(self, signon: World) -> None:
        browser = logged_in(signon)
        assert "Log out" in browser.visit(f"https://{LOGIN}/").body
        assert "Logged out" in browser.visit(f"https://{LOGIN}/logout", {}).body
        assert 'type="password"' in browser.visit(PAGE).body

    def test_nobody_is_logged_out_by_a_link_or_another_site(self, signon: World) -> None:
        browser = logged_in(signon)
        browser.visit(f"https://{WIKI}/.altnet/logout")
        browser.visit(f"https://{LOGIN}/logout")
        assert browser.send(f"https://{WIKI}/.altnet/logout", {}, origin="https://evil.alt").status == 403
        assert browser.send(f"https://{LOGIN}/logout", {}, sec_fetch_site="cross-site").status == 403
        assert browser.send(PAGE).status == 200

    def test_a_session_ends_by_itself(self, signon: World) -> None:
        browser = logged_in(signon)
        signon.clock.now += signon.hosts[WIKI].settings.site_lifetime + 1
        assert browser.send(PAGE).status == 303
        signon.clock.now += signon.hosts[LOGIN].settings.login_lifetime
        assert browser.send(f"https://{LOGIN}/").body.count('type="password"') == 1


def test_sessions_survive_a_restart_and_their_secrets_are_not_in_the_file(signon: World) -> None:
    browser = logged_in(signon)
    host = signon.hosts[WIKI]
    host.start()
    assert browser.send(PAGE).status == 200
    dump = "\n".join(sqlite3.connect(host.state).iterdump())
    for jar in browser.jar.values():
        for value in jar.values():
            assert not value or value not in dump
    assert PASSWORD not in dump


def test_no_secret_and_no_typed_name_in_the_log(signon: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    browser = signon.browser()
    browser.log_in(browser.visit(PAGE), PASSWORD, "hunter2")
    browser = logged_in(signon)
    browser.visit(f"https://{WIKI}/.altnet/logout", {})
    assert "ada has logged in" in caplog.text
    for secret in (PASSWORD, "hunter2", *(value for jar in browser.jar.values() for value in jar.values() if value)):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/a?b=c&d=%2F", "/a?b=c&d=%2F"),
        ("//evil.alt/", "/"),
        ("/\\evil.alt", "/"),
        ("https://evil.alt/", "/"),
        ("evil.alt", "/"),
        ("", "/"),
        ("/a b", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/ä", "/"),
        ("/" + "a" * 3000, "/"),
        ("//[", "/"),
        ("/\t/evil.alt", "/"),
    ],
)
def test_a_way_back_stays_on_the_site(given: str, kept: str) -> None:
    assert own_path(given) == kept
