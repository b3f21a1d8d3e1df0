"""Name, password and code: who gets in, who is kept out, and what they can tell from the answer."""

from __future__ import annotations

import time
from dataclasses import replace

import pyotp
import pytest
from signin_device import Device
from signin_world import PASSWORD, SITE, Browser, Portal

from altnet.registry.faces.signin import passkeys, totp

HERE = "/security"


def with_app(portal: Portal, uid: str = "ada") -> pyotp.TOTP:
    """Give somebody an app, and return it; the code it shows now is still good."""
    sealed = totp.begin(portal.signin, uid)
    secret = portal.signin.opened("totp", sealed, 900)["secret"]  # type: ignore[index]
    app = pyotp.TOTP(secret)
    assert totp.confirm(portal.signin, portal.actor(uid), sealed, app.at(portal.clock().timestamp() - 30))
    return app


def with_passkey(portal: Portal, uid: str = "ada") -> Device:
    device = Device()
    options, state = passkeys.options_to_register(portal.signin, uid, uid)
    passkeys.register(portal.signin, portal.actor(uid), state, device.create(options), "key")
    return device


def inside(browser: Browser, uid: str = "ada") -> bool:
    answer = browser.get(HERE)
    return answer.status_code == 200 and f'value="{uid}"' in answer.text


def test_a_password_signs_in(portal: Portal) -> None:
    browser = portal.browser()
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert inside(browser)
    assert portal.log()[-1] == ("session.begin", "ada")


def test_names_are_the_same_in_any_case(portal: Portal) -> None:
    browser = portal.browser()
    browser.sign_in(" Ada ")
    assert inside(browser)


@pytest.mark.parametrize(
    ("uid", "password"),
    [("ada", "a wrong one"), ("nobody", PASSWORD), ("", ""), ("ada", ""), ("a\1da", PASSWORD), ("a" * 900, "b" * 5000)],
)
def test_what_is_wrong_gets_one_answer(portal: Portal, uid: str, password: str) -> None:
    browser = portal.browser()
    answer = browser.sign_in(uid, password)
    assert answer.status_code == 403
    assert "Name or password is wrong" in answer.text
    assert 'id="user-wrong"' in answer.text
    assert 'aria-describedby="user-wrong"' in answer.text
    assert not password or password not in answer.text
    assert not inside(browser)


def test_somebody_locked_is_wrong_like_everybody(portal: Portal) -> None:
    portal.people.lock("ada", locked=True)
    wrong = portal.browser().sign_in("nobody")
    answer = portal.browser().sign_in()
    assert (answer.status_code, "Name or password is wrong" in answer.text) == (403, True)
    assert wrong.status_code == answer.status_code


def test_unknown_names_take_as_long_as_wrong_passwords(portal: Portal) -> None:
    """The directory hashes a password only where there is one to compare it with."""
    portal.times = replace(portal.times, pace=0.3)
    portal.start()
    portal.people.trying = lambda uid: time.sleep(0.05 if uid in portal.people.known else 0)
    took: dict[str, list[float]] = {"ada": [], "nobody": []}
    # The quickest of several: a busy machine makes one wait, not all of them.
    for _ in range(4):
        for uid, times in took.items():
            browser = portal.browser()
            browser.get("/login")
            begun = time.monotonic()
            browser.fill("/login", user=uid, password="wrong")
            times.append(time.monotonic() - begun)
    quickest = {uid: min(times) for uid, times in took.items()}
    assert min(quickest.values()) >= 0.3, took
    assert abs(quickest["ada"] - quickest["nobody"]) < 0.04, took


class TestLockout:
    def test_after_ten_nobody_asks_the_directory(self, portal: Portal) -> None:
        for number in range(10):
            assert portal.browser(f"fd12::{number}").sign_in(password="wrong").status_code == 403
        tried = portal.people.tried
        answer = portal.browser("fd12::99").sign_in()
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 901
        assert "Too many tries" in answer.text
        assert portal.people.tried == tried

    def test_it_is_the_same_for_those_who_do_not_exist(self, portal: Portal) -> None:
        for number in range(10):
            assert portal.browser(f"fd12::{number}").sign_in("nobody", "x").status_code == 403
        assert portal.browser("fd12::99").sign_in("nobody", "x").status_code == 429

    def test_it_survives_a_restart_and_ends_with_time(self, portal: Portal) -> None:
        for number in range(10):
            portal.browser(f"fd12::{number}").sign_in(password="wrong")
        portal.start()
        assert portal.browser("fd12::99").sign_in().status_code == 429
        portal.clock.wait(901)
        assert portal.browser("fd12::99").sign_in().status_code == 303

    def test_a_client_has_thirty(self, portal: Portal) -> None:
        for number in range(30):
            assert portal.browser().sign_in(f"user{number}", "x").status_code == 403
        assert portal.browser().sign_in("bob").status_code == 429
        assert portal.browser("fd12::2").sign_in("bob").status_code == 303

    def test_signing_in_oneself_buys_no_more_tries_at_others(self, portal: Portal) -> None:
        for number in range(30):
            if number % 5 == 4:
                assert portal.browser().sign_in("bob").status_code == 303
            portal.browser().sign_in(f"user{number}", "x")
        assert portal.browser().sign_in("bob").status_code == 429

    def test_a_directory_that_is_away_counts_nothing(self, portal: Portal) -> None:
        portal.people.down = True
        for _ in range(12):
            answer = portal.browser().sign_in()
            assert answer.status_code == 503
            assert "does not answer" in answer.text
        portal.people.down = False
        assert portal.browser().sign_in().status_code == 303

    def test_codes_have_a_limit_that_the_password_does_not_lift(self, portal: Portal) -> None:
        """Who has the password may not guess codes for ever by beginning again."""
        app = with_app(portal)
        for number in range(20):
            browser = portal.browser(f"fd12::{number}")
            if browser.sign_in().status_code != 200:
                break
            if browser.fill("/login/second", code="000000").status_code == 429:
                break
        else:
            raise AssertionError("20 codes were tried")
        # From elsewhere, with the right code: not before the time is over.
        browser = portal.browser("fd12::99")
        browser.sign_in()
        assert browser.fill("/login/second", code=app.at(portal.clock())).status_code == 429
        portal.clock.wait(901)
        browser.sign_in()
        assert browser.fill("/login/second", code=app.at(portal.clock())).status_code == 303

    def test_passkeys_of_others_are_not_locked_by_anybody(self, portal: Portal) -> None:
        device = with_passkey(portal)
        for number in range(40):
            browser = portal.browser("fd12::bad")
            browser.get("/login")
            fields = browser.forms()["/login/passkey passkey"]
            browser.send("POST", "/login/passkey", {**fields, "response": str(number)})
        assert browser.last.status_code == 429
        honest = portal.browser()
        honest.get("/login")
        assert honest.use("/login/passkey", device).status_code == 303

    def test_nor_by_a_name_that_is_made_up_for_it(self, portal: Portal) -> None:
        device = with_passkey(portal)
        for client in ("passkey fd12:3456:789a:1::7", "PASSKEY fd12:3456:789a:1::7", ""):
            for number in range(11):
                portal.browser(f"fd12::{number}:{len(client)}").sign_in(client, "x")
        honest = portal.browser()
        honest.get("/login")
        assert honest.use("/login/passkey", device).status_code == 303


class TestSecondStep:
    def test_a_code_after_the_password(self, portal: Portal) -> None:
        app = with_app(portal)
        browser = portal.browser()
        answer = browser.sign_in()
        assert answer.status_code == 200
        assert not inside(browser)
        browser.sign_in()
        wrong = browser.fill("/login/second", code="123456")
        assert wrong.status_code == 403
        assert 'id="code-wrong"' in wrong.text
        assert browser.fill("/login/second", code=app.at(portal.clock())).status_code == 303
        assert inside(browser)

    def test_no_code_is_good_twice(self, portal: Portal) -> None:
        app = with_app(portal)
        code = app.at(portal.clock())
        one, two = portal.browser(), portal.browser("fd12::2")
        one.sign_in()
        two.sign_in()
        assert one.fill("/login/second", code=code).status_code == 303
        assert two.fill("/login/second", code=code).status_code == 403

    @pytest.mark.parametrize(("away", "status"), [(-60, 403), (-30, 303), (0, 303), (30, 303), (60, 403)])
    def test_a_clock_may_be_half_a_minute_wrong(self, portal: Portal, away: int, status: int) -> None:
        app = with_app(portal)
        portal.clock.wait(120)
        browser = portal.browser()
        browser.sign_in()
        code = app.at(portal.clock().timestamp() + away)
        assert browser.fill("/login/second", code=code).status_code == status

    def test_an_older_code_than_the_last_is_refused(self, portal: Portal) -> None:
        app = with_app(portal)
        portal.clock.wait(120)
        for away, status in ((0, 303), (-30, 403), (30, 303)):
            browser = portal.browser()
            browser.sign_in()
            code = app.at(portal.clock().timestamp() + away)
            assert browser.fill("/login/second", code=code).status_code == status

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "-12345", " ", "\x00", "0" * 60_000])
    def test_what_is_no_code_is_wrong(self, portal: Portal, code: str) -> None:
        with_app(portal)
        browser = portal.browser()
        browser.sign_in()
        assert browser.fill("/login/second", code=code).status_code == 403

    def test_recovery_codes_are_good_once_each(self, portal: Portal) -> None:
        with_app(portal)
        codes = totp.new_codes(portal.signin, portal.actor("ada"))
        others = totp.new_codes(portal.signin, portal.actor("bob"))
        browser = portal.browser()
        browser.sign_in()
        assert browser.fill("/login/second", code=others[0]).status_code == 403
        browser.sign_in()
        assert browser.fill("/login/second", code=codes[0].upper().replace("-", " ")).status_code == 303
        browser = portal.browser()
        browser.sign_in()
        assert browser.fill("/login/second", code=codes[0]).status_code == 403
        assert totp.codes_left(portal.signin, "ada") == 7
        assert not any(code in str(portal.log()) for code in codes)

    def test_new_recovery_codes_end_the_old_ones(self, portal: Portal) -> None:
        old = totp.new_codes(portal.signin, portal.actor("ada"))
        totp.new_codes(portal.signin, portal.actor("ada"))
        assert not totp.recover(portal.signin, "ada", old[0])

    def test_a_passkey_after_the_password(self, portal: Portal) -> None:
        device = with_passkey(portal)
        device.verifies = False
        browser = portal.browser()
        browser.sign_in()
        assert browser.use("/login/second", device).status_code == 303
        assert inside(browser)

    def test_anothers_passkey_is_none(self, portal: Portal) -> None:
        with_passkey(portal)
        others = with_passkey(portal, "bob")
        browser = portal.browser()
        browser.sign_in()
        fields = browser.forms()["/login/second passkey"]
        options = fields.pop("options").replace(passkeys.listed(portal.signin, "ada")[0].id, "AAAA")
        others.keys[0].id, real = b"\0\0\0", others.keys[0].id
        said = others.get(options)
        others.keys[0].id = real
        assert browser.send("POST", "/login/second", {**fields, "response": said}).status_code == 403

    def test_the_step_is_sealed_and_over_in_five_minutes(self, portal: Portal) -> None:
        app = with_app(portal)
        browser = portal.browser()
        browser.sign_in()
        fields = browser.forms()["/login/second"]
        code = app.at(portal.clock())
        forged = portal.signin.seal("flow", uid="ada")
        for step in ("", "x", forged, fields["step"][:-4]):
            answer = browser.send("POST", "/login/second", {**fields, "step": step, "code": code})
            assert answer.status_code == 403
            assert "That took too long" in answer.text
        own = portal.signin.own.fernet
        old = own.encrypt_at_time(own.decrypt(fields["step"]), int(time.time()) - 301).decode()
        assert browser.send("POST", "/login/second", {**fields, "step": old, "code": code}).status_code == 403

    def test_a_passkey_alone_is_the_whole_of_it(self, portal: Portal) -> None:
        with_app(portal)
        device = with_passkey(portal)
        browser = portal.browser()
        browser.get("/login?next=/security")
        answer = browser.use("/login/passkey", device)
        assert answer.headers["location"] == "/security"
        assert inside(browser)

    def test_not_without_a_pin(self, portal: Portal) -> None:
        device = with_passkey(portal)
        device.verifies = False
        browser = portal.browser()
        browser.get("/login")
        answer = browser.use("/login/passkey", device)
        assert answer.status_code == 403
        assert "This passkey was not taken" in answer.text

    def test_not_for_somebody_locked(self, portal: Portal) -> None:
        device = with_passkey(portal)
        portal.people.lock("ada", locked=True)
        browser = portal.browser()
        browser.get("/login")
        assert browser.use("/login/passkey", device).status_code == 403


def test_whoever_changes_the_key_of_signing_in_is_told_nothing(portal: Portal) -> None:
    """Secrets of apps cannot be read any more: their codes are wrong, and recovery codes are good."""
    app = with_app(portal)
    codes = totp.new_codes(portal.signin, portal.actor("ada"))
    portal.secret = b"another"
    portal.start()
    browser = portal.browser()
    browser.sign_in()
    assert browser.fill("/login/second", code=app.at(portal.clock())).status_code == 403
    browser.sign_in()
    assert browser.fill("/login/second", code=codes[0]).status_code == 303


def test_no_secret_is_in_the_database(portal: Portal) -> None:
    app = with_app(portal)
    codes = totp.new_codes(portal.signin, portal.actor("ada"))
    browser = portal.browser()
    browser.sign_in()
    browser.fill("/login/second", code=app.at(portal.clock()))
    secret = browser.cookies["__Host-altnet-session"]
    portal.desk.store.close()
    kept = b"".join(one.read_bytes() for one in portal.place.iterdir())
    for text in (PASSWORD, app.secret, codes[0], secret):
        assert text.encode() not in kept
    assert SITE
