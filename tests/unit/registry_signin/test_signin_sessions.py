"""Sessions and forms: begun anew at each sign-in, over in time, ended everywhere, and no form from elsewhere."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pyotp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signin_device import Device
from signin_world import PASSWORD, SITE, Browser, Portal

from altnet.registry.domain.errors import RegistryError
from altnet.registry.faces.signin import passkeys, resets, sessions, totp

COOKIE = "__Host-altnet-session"
NEW = "four quiet words here"


def inside(browser: Browser) -> bool:
    return browser.get("/security").status_code == 200


@pytest.fixture
def ada(portal: Portal) -> Browser:
    """Somebody who has signed in."""
    browser = portal.browser()
    browser.sign_in()
    return browser


class TestLifetime:
    def test_a_session_is_over_after_twelve_hours(self, portal: Portal, ada: Browser) -> None:
        for _ in range(11):
            portal.clock.wait(3600)
            assert inside(ada)
        portal.clock.wait(3601)
        assert not inside(ada)

    def test_and_after_four_without_a_request(self, portal: Portal, ada: Browser) -> None:
        portal.clock.wait(14_300)
        assert inside(ada)
        portal.clock.wait(14_300)
        assert inside(ada)
        portal.clock.wait(14_401)
        assert not inside(ada)

    def test_a_restart_ends_none(self, portal: Portal, ada: Browser) -> None:
        portal.start()
        assert inside(ada)

    def test_a_clock_that_goes_back_makes_none_immortal(self, portal: Portal, ada: Browser) -> None:
        portal.clock.wait(-3600)
        assert inside(ada)
        portal.clock.wait(3600 + 43_201)
        assert not inside(ada)

    def test_it_is_over_for_who_is_gone_or_locked(self, portal: Portal, ada: Browser) -> None:
        portal.people.lock("ada", locked=True)
        portal.clock.wait(11)
        assert not inside(ada)

    def test_roles_are_asked_for_anew(self, portal: Portal, ada: Browser) -> None:
        portal.people.groups("ada", "members", "operators")
        portal.clock.wait(11)
        found = sessions.find(portal.signin, ada.cookies[COOKIE])
        assert found is not None
        assert "operator" in found.roles
        portal.people.groups("ada")
        portal.clock.wait(11)
        assert ada.get("/security").status_code == 404, "it is not for who is no member"

    def test_where_nobody_can_tell_it_says_so(self, portal: Portal, ada: Browser) -> None:
        portal.people.down = True
        portal.clock.wait(11)
        answer = ada.get("/security")
        assert answer.status_code == 503
        assert "does not answer" in answer.text

    def test_only_its_digest_is_kept(self, portal: Portal, ada: Browser) -> None:
        portal.desk.store.close()
        kept = b"".join(one.read_bytes() for one in portal.place.iterdir())
        assert ada.cookies[COOKIE].encode() not in kept

    @pytest.mark.parametrize("secret", ["", "x", "a" * 43, "'; drop table sessions; --", "é" * 43])
    def test_what_is_made_up_is_nobodys(self, portal: Portal, secret: str) -> None:
        browser = portal.browser()
        browser.cookies[COOKIE] = quote(secret)
        assert browser.get("/security").status_code == 303


class TestBeginning:
    def test_a_secret_that_was_there_before_is_not_taken_over(self, portal: Portal) -> None:
        browser = portal.browser()
        browser.cookies[COOKIE] = "f" * 43
        browser.sign_in()
        assert browser.cookies[COOKIE] != "f" * 43
        assert sessions.find(portal.signin, "f" * 43) is None

    def test_signing_in_ends_the_browsers_session_before(self, portal: Portal, ada: Browser) -> None:
        before = ada.cookies.pop(COOKIE)
        ada.get("/login")
        ada.cookies[COOKIE] = before
        ada.fill("/login", user="bob", password=PASSWORD)
        assert ada.cookies[COOKIE] != before
        assert sessions.find(portal.signin, before) is None
        assert [one.uid for one in sessions.of(portal.signin, "bob")] == ["bob"]

    def test_another_browser_keeps_its_own(self, portal: Portal, ada: Browser) -> None:
        portal.browser("fd12::2").sign_in()
        assert inside(ada)
        assert len(sessions.of(portal.signin, "ada")) == 2

    def test_two_tabs_may_both_have_the_form(self, portal: Portal) -> None:
        browser = portal.browser()
        browser.get("/login?next=/one")
        one = browser.forms()["/login"]
        browser.get("/login?next=/two")
        two = browser.forms()["/login"]
        assert one["csrf"] == two["csrf"]
        for fields, where in ((two, "/two"),):
            answer = browser.send("POST", "/login", {**fields, "user": "ada", "password": PASSWORD})
            assert answer.headers["location"] == where
        # The other tab's form is from before: it comes again with a fresh token, what was typed as a name is kept,
        # and sending it once more leads on.
        answer = browser.send("POST", "/login", {**one, "user": "ada", "password": PASSWORD})
        assert answer.status_code == 403
        assert "too old" in answer.text
        assert PASSWORD not in answer.text
        answer = browser.fill("/login", user="ada", password=PASSWORD)
        assert answer.headers["location"] == "/one"
        assert inside(browser)

    def test_who_has_signed_in_is_sent_on(self, ada: Browser) -> None:
        assert ada.get("/login?next=/security").headers["location"] == "/security"

    def test_a_page_waits_for_who_signs_in(self, portal: Portal) -> None:
        browser = portal.browser()
        answer = browser.get("/security?a=b%26c&d")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=/security%3Fa%3Db%2526c%26d"
        browser.get(answer.headers["location"])
        assert browser.fill("/login", user="ada", password=PASSWORD).headers["location"] == "/security?a=b%26c&d"

    def test_somebody_of_other_groups_is_somebody(self, portal: Portal) -> None:
        """The portal is not theirs, but there are other sites."""
        browser = portal.browser()
        assert browser.sign_in("eve").status_code == 303
        assert browser.get("/security").status_code == 404
        flow = portal.seals.seal("flow", site="wiki.alt", path="/", mark="m")
        assert browser.get(f"/authorize?flow={flow}").status_code == 303


ELSEWHERE = ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "http:evil", " /x", "/\t/e"]


@pytest.mark.parametrize("path", [*ELSEWHERE, "javascript:alert(1)", "evil", "/a\r\nSet-Cookie: x=y", "/" + "a" * 4000])
def test_nobody_is_led_elsewhere(portal: Portal, path: str) -> None:
    browser = portal.browser()
    browser.get(f"/login?next={quote(path)}")
    assert browser.forms()["/login"]["next"] == "/"
    fields = {**browser.forms()["/login"], "user": "ada", "password": PASSWORD, "next": path}
    answer = browser.send("POST", "/login", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get(f"/login?next={quote(path)}").headers["location"] == "/"
    browser.get(f"/prove?next={quote(path)}")
    answer = browser.send("POST", "/prove", {**browser.forms()["/prove"], "next": path, "password": PASSWORD})
    assert answer.headers["location"] == "/"


@given(st.text(alphabet="/\\:.@?#%evilhtps \t\n\r\0x", max_size=24))
@settings(max_examples=150, deadline=None)
def test_wherever_it_is_it_is_here(text: str) -> None:
    from urllib.parse import urljoin, urlsplit  # noqa: PLC0415

    from starlette.responses import RedirectResponse  # noqa: PLC0415

    from altnet.registry.faces.signin.entering import Way  # noqa: PLC0415

    for base in (f"https://{SITE}/login", f"https://{SITE}/login/second"):
        answer = RedirectResponse(Way.of({"next": text}).next, 303)
        led = urljoin(base, answer.headers["location"].replace("\\", "/"))
        assert urlsplit(led).netloc == SITE


class TestForms:
    BELOW = ("password", "totp", "totp/remove", "recovery", "passkeys", "passkeys/remove", "sessions/end")
    ALL = (*(f"/security/{path}" for path in BELOW), "/prove")

    @pytest.mark.parametrize(
        "spoil",
        [
            {"csrf": ""},
            {"csrf": "x" * 64},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://portal.alt"},
            {"origin": "https://portal.alt.evil.example"},
            {"sec_fetch_site": "cross-site"},
            {"sec_fetch_site": "same-site"},
            {"sec_fetch_site": "none"},
            {"content_type": "text/plain"},
        ],
    )
    def test_no_form_from_elsewhere(self, portal: Portal, ada: Browser, spoil: dict[str, str]) -> None:
        ada.get("/security")
        csrf = ada.forms()["/security/password"]["csrf"]
        before = portal.log()
        headers = {name: value for name, value in spoil.items() if name != "csrf"}
        fields = {"csrf": spoil.get("csrf", csrf), "old": PASSWORD, "new": NEW, "again": NEW, "password": PASSWORD}
        for path in self.ALL:
            answer = ada.send("POST", path, fields, **headers)
            assert answer.status_code in {403, 422}, path
        assert portal.log() == before
        assert inside(ada)

    def test_nor_with_anothers_token(self, portal: Portal, ada: Browser) -> None:
        other = portal.browser("fd12::2")
        other.sign_in("bob")
        other.get("/security")
        csrf = other.forms()["/security/password"]["csrf"]
        assert ada.send("POST", "/security/sessions/end", {"csrf": csrf}).status_code == 403

    def test_nor_to_sign_somebody_in(self, portal: Portal) -> None:
        """Whoever has their own form's token cannot have another's browser send it: the cookie is not there."""
        mine, victim = portal.browser(), portal.browser("fd12::2")
        mine.get("/login")
        fields = {**mine.forms()["/login"], "user": "ada", "password": PASSWORD}
        assert victim.send("POST", "/login", fields).status_code == 403
        assert COOKIE not in victim.cookies
        mine.get("/login")
        assert mine.send("POST", "/login", fields, sec_fetch_site="cross-site").status_code == 403

    def test_old_browsers_that_say_nothing_need_the_token_alone(self, portal: Portal, ada: Browser) -> None:
        ada.get("/security")
        fields = ada.forms()["/security/sessions/end"]
        from signin_world import urlencode  # noqa: PLC0415

        client = portal.client()
        answer = client.post(
            "/security/sessions/end",
            content=urlencode({"csrf": fields["csrf"]}),
            headers={"content-type": "application/x-www-form-urlencoded", "cookie": f"{COOKIE}={ada.cookies[COOKIE]}"},
            follow_redirects=False,
        )
        assert answer.status_code == 303

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"%ff%fe", 422),
            ("é=1".encode(), 422),
            (b"&".join(b"a=1" for _ in range(2001)), 422),
            (b"a=" + b"x" * 65_536, 413),
            (b"a=" + b"x" * 131_073, 413),
            (b"", 403),
            (b"&&&==", 403),
        ],
    )
    def test_what_is_no_form(self, portal: Portal, ada: Browser, body: bytes, status: int) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded", "cookie": f"{COOKIE}={ada.cookies[COOKIE]}"}
        for path in (*self.ALL, "/login", "/login/second", "/login/passkey"):
            answer = portal.client().post(path, content=body, headers=headers, follow_redirects=False)
            assert answer.status_code == status, path

    def test_a_form_without_a_session_leads_back_to_its_page(self, portal: Portal, ada: Browser) -> None:
        ada.get("/security")
        fields = ada.forms()["/security/sessions/end"]
        del ada.cookies[COOKIE]
        answer = ada.send("POST", "/security/sessions/end", fields)
        assert answer.headers["location"] == "/login?next=/security"
        answer = ada.send("POST", "/security/sessions/end", fields, referer="https://evil.example/security")
        assert answer.headers["location"] == "/login?next=/"


FLASHES = st.text() | st.recursive(st.none() | st.text(), lambda one: st.lists(one, max_size=2)).map(json.dumps)


@given(FLASHES | st.just("[" * 20_000) | st.sampled_from(['[[],"x"]', '[{},"x"]', '["done",{}]', '"ab"']))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_made_up_message_breaks_no_page(portal: Portal, text: str) -> None:
    browser = portal.browser()
    browser.cookies["__Host-altnet-flash"] = quote(text, safe="")
    assert browser.get("/login").status_code == 200


def test_a_message_is_text(portal: Portal, ada: Browser) -> None:
    ada.cookies["__Host-altnet-flash"] = quote(json.dumps(["done", "<script>alert(1)</script>"]), safe="")
    answer = ada.get("/security")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text
    assert "__Host-altnet-flash" not in ada.cookies


class TestEverywhere:
    def test_sessions_are_listed_and_ended_one_by_one(self, portal: Portal, ada: Browser) -> None:
        other = portal.browser("fd12::2")
        other.sign_in()
        page = ada.get("/security").text
        assert "fd12::2" in page
        assert "Test 1.0" in page
        other_id = next(one.id for one in sessions.of(portal.signin, "ada") if one.client == "fd12::2")
        ada.fill("/security/sessions/end", id=other_id)
        assert inside(ada)
        assert not inside(other)

    def test_nobody_ends_anothers(self, portal: Portal, ada: Browser) -> None:
        bob = portal.browser("fd12::2")
        bob.sign_in("bob")
        his = sessions.of(portal.signin, "bob")[0].id
        ada.get("/security")
        ada.fill("/security/sessions/end", id=his)
        assert inside(bob)

    def test_all_at_once(self, portal: Portal, ada: Browser) -> None:
        others = [portal.browser(f"fd12::{number}") for number in range(3)]
        for browser in others:
            browser.sign_in()
        ada.get("/security")
        ada.send("POST", "/security/sessions/end", {"csrf": ada.forms()["/security/password"]["csrf"]})
        assert not any(inside(browser) for browser in (ada, *others))
        assert portal.log()[-1] == ("session.end-all", "ada")

    def test_signing_out_asks_first(self, portal: Portal, ada: Browser) -> None:
        answer = ada.get("/logout")
        assert answer.status_code == 200
        assert inside(ada)
        ada.get("/logout")
        assert "Signed out" in ada.fill("/logout").text
        assert COOKIE not in ada.cookies
        assert portal.log()[-1] == ("session.end", "ada")

    def test_and_not_for_a_form_from_elsewhere(self, ada: Browser) -> None:
        assert ada.send("POST", "/logout", {}, sec_fetch_site="cross-site").status_code == 403
        assert inside(ada)


class TestOtherSites:
    def flow(self, portal: Portal, **more: str) -> str:
        return portal.seals.seal("flow", **{"site": "wiki.alt", "path": "/a?b", "mark": "m" * 64, **more})

    def code(self, portal: Portal, answer: object) -> dict[str, object]:
        where = answer.headers["location"]  # type: ignore[attr-defined]
        front, _, code = where.partition("?code=")
        assert front == "https://wiki.alt/.altnet/callback"
        found = portal.seals.open("code", code, 60)
        assert found is not None
        return found

    def test_a_visitor_signs_in_and_goes_back_with_a_code(self, portal: Portal) -> None:
        browser = portal.browser()
        answer = browser.get(f"/authorize?flow={self.flow(portal)}")
        assert answer.status_code == 200
        assert "wiki.alt" in answer.text
        assert "form-action 'self' https://wiki.alt;" in answer.headers["content-security-policy"]
        found = self.code(portal, browser.fill("/login", user="ada", password=PASSWORD))
        login = sessions.of(portal.signin, "ada")[0].id
        assert found == {"user": "ada", "login": login, "site": "wiki.alt", "path": "/a?b", "mark": "m" * 64}

    def test_with_a_second_factor_too(self, portal: Portal) -> None:
        sealed = totp.begin(portal.signin, "ada")
        app = pyotp.TOTP(portal.signin.opened("totp", sealed, 900)["secret"])  # type: ignore[index]
        totp.confirm(portal.signin, portal.actor("ada"), sealed, app.at(portal.clock().timestamp() - 30))
        browser = portal.browser()
        browser.get(f"/authorize?flow={self.flow(portal)}")
        answer = browser.fill("/login", user="ada", password=PASSWORD)
        assert "https://wiki.alt;" in answer.headers["content-security-policy"]
        assert self.code(portal, browser.fill("/login/second", code=app.at(portal.clock())))["user"] == "ada"

    def test_who_has_signed_in_goes_on_at_once(self, portal: Portal, ada: Browser) -> None:
        answer = ada.get(f"/authorize?flow={self.flow(portal)}", sec_fetch_site="cross-site")
        assert self.code(portal, answer)["user"] == "ada"

    @pytest.mark.parametrize("flow", ["", "x", "gAAAA", "A" * 5000, "é"])
    def test_what_is_made_up_leads_nowhere(self, portal: Portal, ada: Browser, flow: str) -> None:
        answer = ada.get(f"/authorize?flow={quote(flow)}")
        assert answer.status_code == 410
        assert "used before, or is too old" in answer.text
        ada.get("/logout")
        ada.fill("/logout")
        ada.get("/login")
        fields = {**ada.forms()["/login"], "flow": flow, "user": "ada", "password": PASSWORD}
        assert ada.send("POST", "/login", fields).status_code in {303, 410}

    @pytest.mark.parametrize("purpose", ["code", "logout", "step"])
    def test_nor_what_is_sealed_for_something_else(self, portal: Portal, ada: Browser, purpose: str) -> None:
        sealed = portal.seals.seal(purpose, site="wiki.alt", path="/", mark="m")
        assert ada.get(f"/authorize?flow={sealed}").status_code == 410

    def test_nor_by_our_own_seal(self, portal: Portal, ada: Browser) -> None:
        sealed = portal.signin.seal("flow", site="evil.alt", path="/", mark="m")
        assert ada.get(f"/authorize?flow={sealed}").status_code == 410

    def test_a_site_that_somebody_left_ends_the_session_here(self, portal: Portal, ada: Browser) -> None:
        login = sessions.of(portal.signin, "ada")[0].id
        ticket = portal.seals.seal("logout", login=login)
        answer = ada.get(f"/logout?ticket={ticket}")
        assert "Signed out" in answer.text
        assert not inside(ada)

    def test_but_not_anothers(self, portal: Portal, ada: Browser) -> None:
        for ticket in (portal.seals.seal("logout", login="another"), portal.signin.seal("logout", login="x"), "x"):
            assert "You are signed in as" in ada.get(f"/logout?ticket={ticket}").text
        assert inside(ada)

    def test_without_keys_there_are_no_other_sites(self, portal: Portal, ada: Browser) -> None:
        flow = self.flow(portal)
        portal.signin.seals = None
        assert ada.get(f"/authorize?flow={flow}").status_code == 410
        assert ada.get(f"/logout?ticket={flow}").status_code == 200


class TestSecurity:
    def test_a_password_is_changed(self, portal: Portal, ada: Browser) -> None:
        other = portal.browser("fd12::2")
        other.sign_in()
        ada.get("/security")
        answer = ada.fill("/security/password", old=PASSWORD, new=NEW, again=NEW)
        assert answer.status_code == 303
        assert "The password is changed" in ada.flash()
        assert inside(ada)
        assert not inside(other)
        assert portal.log()[-1] == ("password.change", "ada")
        assert portal.browser().sign_in().status_code == 403
        assert portal.browser().sign_in(password=NEW).status_code == 303

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            (("wrong", NEW, NEW), "old"),
            ((PASSWORD, "short", "short"), "new"),
            ((PASSWORD, NEW, NEW + "!"), "again"),
            ((PASSWORD, "a" * 5000, "a" * 5000), "new"),
            ((PASSWORD, "", ""), "new"),
        ],
    )
    def test_or_it_is_said_at_which_field_not(
        self, portal: Portal, ada: Browser, fields: tuple[str, str, str], wrong: str
    ) -> None:
        ada.get("/security")
        old, new, again = fields
        answer = ada.fill("/security/password", old=old, new=new, again=again)
        assert answer.status_code == 422
        assert f'id="{wrong}-wrong"' in answer.text
        assert portal.people.passwords == {}
        for typed in (NEW, PASSWORD):
            assert typed not in answer.text

    def test_guesses_at_the_old_one_are_counted(self, portal: Portal, ada: Browser) -> None:
        for _ in range(10):
            ada.get("/security")
            ada.fill("/security/password", old="wrong", new=NEW, again=NEW)
        ada.get("/security")
        answer = ada.fill("/security/password", old=PASSWORD, new=NEW, again=NEW)
        assert "Too many tries" in answer.text
        assert portal.people.passwords == {}

    @pytest.mark.parametrize("path", ["/security/totp", "/security/totp/remove", "/security/recovery"])
    def test_what_is_dangerous_asks_once_more_who_it_is(self, portal: Portal, ada: Browser, path: str) -> None:
        portal.clock.wait(901)
        ada.get("/security")
        answer = ada.send("POST", path, {"csrf": ada.forms()["/security/password"]["csrf"], "sealed": "x"})
        assert answer.headers["location"] == "/prove?next=/security"
        ada.get(answer.headers["location"])
        wrong = ada.fill("/prove", password="wrong")
        assert wrong.status_code == 403
        assert 'id="password-wrong"' in wrong.text
        answer = ada.fill("/prove", password=PASSWORD)
        assert answer.headers["location"] == "/security"
        ada.get("/security")
        answer = ada.send("POST", path, {"csrf": ada.forms()["/security/password"]["csrf"], "sealed": "x"})
        assert answer.status_code != 303 or "/prove" not in answer.headers["location"]

    def test_an_app_is_enrolled_and_asked_for(self, portal: Portal, ada: Browser) -> None:
        page = ada.get("/security/totp").text
        assert 'src="data:image/svg+xml' in page
        secret = page.partition('<code class="secret">')[2].partition("<")[0].replace(" ", "")
        sealed = ada.forms()["/security/totp"]["sealed"]
        wrong = ada.fill("/security/totp", code="000000")
        assert wrong.status_code == 422
        assert 'id="code-wrong"' in wrong.text
        assert ada.forms()["/security/totp"]["sealed"] == sealed, "the picture is the same"
        app = pyotp.TOTP(secret)
        answer = ada.fill("/security/totp", code=app.at(portal.clock()))
        assert answer.text.count("<li><code>") == 8
        assert portal.log()[-1] == ("totp.enable", "ada")
        assert totp.enabled(portal.signin, "ada")
        assert not totp.check(portal.signin, "ada", app.at(portal.clock())), "the code of the enrolment is used"
        ada.get("/security")
        ada.fill("/security/totp/remove")
        assert not totp.enabled(portal.signin, "ada")
        assert totp.codes_left(portal.signin, "ada") == 0
        assert portal.log()[-1] == ("totp.disable", "ada")
        assert secret not in str(portal.log())

    def test_an_app_is_not_enrolled_by_anothers_note(self, portal: Portal, ada: Browser) -> None:
        sealed = totp.begin(portal.signin, "bob")
        app = pyotp.TOTP(portal.signin.opened("totp", sealed, 900)["secret"])  # type: ignore[index]
        ada.get("/security/totp")
        ada.fill("/security/totp", sealed=sealed, code=app.at(portal.clock()))
        assert not totp.enabled(portal.signin, "ada")

    def test_a_passkey_is_added_and_removed(self, portal: Portal, ada: Browser) -> None:
        device = Device()
        ada.get("/security")
        answer = ada.use("/security/passkeys", device, label="blue key")
        assert answer.status_code == 303
        assert "blue key" in ada.get("/security").text
        (one,) = passkeys.listed(portal.signin, "ada")
        bob = portal.browser("fd12::2")
        bob.sign_in("bob")
        bob.get("/security")
        bob.send("POST", "/security/passkeys/remove", {"csrf": bob.forms()["/security/password"]["csrf"], "id": one.id})
        assert passkeys.listed(portal.signin, "ada")
        ada.fill("/security/passkeys/remove", id=one.id)
        assert not passkeys.listed(portal.signin, "ada")
        assert [action for action, _ in portal.log()][-2:] == ["passkey.add", "passkey.remove"] or [
            action for action, who in portal.log() if who == "ada"
        ][-2:] == ["passkey.add", "passkey.remove"]

    def test_one_that_was_not_taken_is_said_at_the_top(self, portal: Portal, ada: Browser) -> None:
        ada.get("/security")
        fields = ada.forms()["/security/passkeys passkey"]
        answer = ada.send("POST", "/security/passkeys", {**fields, "label": "x", "response": "{}"})
        assert answer.status_code == 422
        assert "This passkey was not taken" in answer.text
        ada.get("/security")
        answer = ada.use("/security/passkeys", Device(), label="x" * 61)
        assert 'id="label-wrong"' in answer.text

    def test_a_passkey_proves_who_it_is(self, portal: Portal, ada: Browser) -> None:
        device = Device()
        ada.get("/security")
        ada.use("/security/passkeys", device)
        portal.clock.wait(901)
        ada.get("/prove?next=/security")
        assert ada.use("/prove", device).headers["location"] == "/security"
        found = sessions.find(portal.signin, ada.cookies[COOKIE])
        assert found is not None
        assert found.fresh


class TestReset:
    def test_a_registrars_link_sets_a_new_password_once(self, portal: Portal, ada: Browser) -> None:
        secret = resets.make(portal.signin, portal.actor("reg"), "ada")
        assert secret not in str(portal.log())
        browser = portal.browser("fd12::2")
        page = browser.get(f"/reset/{secret}")
        assert page.status_code == 200
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        short = browser.fill(f"/reset/{secret}", password="short")
        assert short.status_code == 422
        assert 'id="password-wrong"' in short.text
        assert browser.fill(f"/reset/{secret}", password=NEW).status_code == 303
        assert not inside(ada)
        assert portal.browser().sign_in(password=NEW).status_code == 303
        assert browser.get(f"/reset/{secret}").status_code == 410
        with pytest.raises(RegistryError, match="over"):
            resets.use(portal.signin, secret, "yet another four words", "")
        actions = [action for action, who in portal.log() if who == "ada"]
        assert actions[-3:] == ["password.reset-link", "password.reset", "session.begin"]

    def test_the_registrar_may_look_at_it_signed_in(self, portal: Portal) -> None:
        secret = resets.make(portal.signin, portal.actor("reg"), "ada")
        registrar = portal.browser()
        registrar.sign_in("reg")
        registrar.get(f"/reset/{secret}")
        assert registrar.fill(f"/reset/{secret}", password=NEW).status_code == 303

    def test_it_is_over_in_a_day_and_by_the_next_one(self, portal: Portal) -> None:
        first = resets.make(portal.signin, portal.actor("reg"), "ada")
        second = resets.make(portal.signin, portal.actor("reg"), "ada")
        assert portal.browser().get(f"/reset/{first}").status_code == 410
        portal.clock.wait(86_401)
        assert portal.browser().get(f"/reset/{second}").status_code == 410

    @pytest.mark.parametrize("drop", [False, True])
    def test_factors_go_only_where_the_registrar_says_so(self, portal: Portal, drop: bool) -> None:
        sealed = totp.begin(portal.signin, "ada")
        app = pyotp.TOTP(portal.signin.opened("totp", sealed, 900)["secret"])  # type: ignore[index]
        assert totp.confirm(portal.signin, portal.actor("ada"), sealed, app.at(portal.clock()))
        secret = resets.make(portal.signin, portal.actor("reg"), "ada", drop_factors=drop)
        resets.use(portal.signin, secret, NEW, "fd12::2")
        assert totp.enabled(portal.signin, "ada") is not drop

    @pytest.mark.parametrize(
        ("who", "whose", "kind"),
        [
            ("ada", "bob", "forbidden"),
            ("reg", "ops", "forbidden"),
            ("reg", "reg", "forbidden"),
            ("ops", "ops", "forbidden"),
            ("reg", "nobody", "missing"),
        ],
    )
    def test_not_by_whom_and_for_whom_it_is_not(self, portal: Portal, who: str, whose: str, kind: str) -> None:
        with pytest.raises(RegistryError) as refused:
            resets.make(portal.signin, portal.actor(who), whose)
        assert refused.value.kind == kind

    def test_an_operator_may_for_a_registrar(self, portal: Portal) -> None:
        assert resets.make(portal.signin, portal.actor("ops"), "reg")

    def test_it_ends_where_its_owner_became_an_operator(self, portal: Portal) -> None:
        secret = resets.make(portal.signin, portal.actor("reg"), "ada")
        portal.people.groups("ada", "members", "operators")
        with pytest.raises(RegistryError):
            resets.use(portal.signin, secret, NEW, "")
        assert portal.people.passwords == {}

    def test_a_lockout_ends_with_the_password_that_was_guessed_at(self, portal: Portal) -> None:
        for number in range(10):
            portal.browser(f"fd12::{number}").sign_in(password="wrong")
        secret = resets.make(portal.signin, portal.actor("reg"), "ada")
        resets.use(portal.signin, secret, NEW, "fd12::2")
        assert portal.browser("fd12::99").sign_in(password=NEW).status_code == 303

    @pytest.mark.parametrize("secret", ["x", "a" * 43, "a" * 5000, "%00", "%C3%A9"])
    def test_what_is_made_up_is_over(self, portal: Portal, secret: str) -> None:
        browser = portal.browser()
        assert browser.get(f"/reset/{secret}").status_code in {404, 410}

    def test_a_password_that_the_directory_refuses_leaves_the_link(self, portal: Portal) -> None:
        secret = resets.make(portal.signin, portal.actor("reg"), "ada")
        portal.people.down = True
        with pytest.raises(RegistryError):
            resets.use(portal.signin, secret, NEW, "")
        portal.people.down = False
        assert resets.use(portal.signin, secret, NEW, "") == "ada"


def test_pictures_are_made_here(portal: Portal) -> None:
    """The secret goes nowhere to be drawn."""
    found = totp.picture(portal.signin, "ada", totp.begin(portal.signin, "ada"))
    assert found is not None
    assert found[0].startswith("data:image/svg+xml")
    assert base64.b32decode(found[1])
    assert totp.picture(portal.signin, "bob", totp.begin(portal.signin, "ada")) is None
    assert totp.picture(portal.signin, "bob", "x") is None
