"""Passkeys in Chromium, with its virtual authenticator, and the pages as a person's browser has them."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from signin_world import PASSWORD, Portal

from altnet.registry.faces.signin import passkeys
from altnet.registry.faces.signin.signin import Signin

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="NOT TESTED HERE: passkeys in a browser; tested where Playwright is, with chromium"
)
uvicorn = pytest.importorskip(
    "uvicorn", reason="NOT TESTED HERE: no uvicorn; tested on the control node, with chromium"
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NOT TESTED HERE: passkeys in a browser; tested where chromium is installed"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser."""
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def served(portal: Portal) -> Iterator[str]:
    """The portal on http://localhost, which browsers take for secure; return its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    portal.signin = Signin(
        portal.desk, site="portal.alt", secret=portal.secret, seals=portal.seals, times=portal.times, origin=origin
    )
    world = portal.app.state.world
    portal.app.state.world = type(world)(world.desk, portal.signin, world.settings)
    server = uvicorn.Server(uvicorn.Config(portal.app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    yield origin
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def page(chromium: Any, served: str) -> Iterator[Any]:
    """A page of a browser that nobody has used, which says what its console says."""
    context = chromium.new_context(base_url=served, viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    made = context.new_page()
    made.said = []
    made.on("console", lambda message: made.said.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: made.said.append(str(error)))
    yield made
    context.close()


def authenticator(page: Any, *, verifies: bool = True) -> Any:
    """Give the browser a device with passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": verifies, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    session.device = made["authenticatorId"]
    return session


def enter(page: Any, uid: str = "ada", path: str = "/login?next=/security") -> None:
    page.goto(path)
    page.get_by_label("Name").fill(uid)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_from_enrolment_to_sign_in(portal: Portal, page: Any) -> None:
    authenticator(page)
    enter(page)
    page.get_by_label("What to call it").fill("virtual key")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey is yours from now on.").wait_for()
    page.get_by_text("virtual key").wait_for()
    (one,) = passkeys.listed(portal.signin, "ada")

    # As the second factor.
    page.context.clear_cookies()
    enter(page)
    page.get_by_role("heading", name="One more step").wait_for()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()

    # Alone, without a name.
    page.context.clear_cookies()
    page.goto("/login?next=/security")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    assert [action for action, who in portal.log() if who == "ada"] == [
        "session.begin", "passkey.add", "session.begin", "session.begin",
    ]  # fmt: skip
    assert passkeys.listed(portal.signin, "ada")[0].used is not None
    assert page.said == []

    # To say once more who it is.
    portal.clock.wait(901)
    page.goto("/prove?next=/security")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name=f"Remove {one.label}").click()
    page.get_by_text("The passkey is gone.").wait_for()
    assert not passkeys.listed(portal.signin, "ada")


def test_a_device_that_does_not_know_its_owner_is_not_enough_alone(portal: Portal, page: Any) -> None:
    session = authenticator(page)
    enter(page)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey is yours from now on.").wait_for()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": session.device, "isUserVerified": False})
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("The passkey was not used.").wait_for()
    assert page.url.endswith("/login")


def test_without_a_passkey_it_says_so_and_the_password_works(portal: Portal, page: Any) -> None:
    authenticator(page)
    page.goto("/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("alert").filter(has_text="The passkey was not used.").wait_for()
    enter(page)
    page.get_by_role("heading", name="Where you are signed in").wait_for()


def test_all_but_passkeys_without_scripts(portal: Portal, chromium: Any, served: str) -> None:
    context = chromium.new_context(base_url=served, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(20_000)
    enter(page, path="/security/totp")
    assert page.get_by_role("img", name="QR code").is_visible()
    app = pyotp.TOTP(page.locator("code.secret").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill(app.at(portal.clock()))
    page.get_by_role("button", name="Ask for codes from now on").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    code = page.locator(".codes code").first.inner_text()
    context.clear_cookies()
    enter(page)
    assert not page.get_by_role("button", name="Use a passkey").is_visible()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Where you are signed in").wait_for()
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(portal: Portal, page: Any, scheme: str, tmp_path: Path) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="NOT TESTED HERE: accessibility; tested where axe is"
    ).Axe()
    page.emulate_media(color_scheme=scheme)

    def judge(name: str) -> None:
        page.wait_for_load_state("load")
        page.screenshot(path=str(tmp_path / f"{name}-{scheme}.png"), full_page=True)
        found = axe.run(page).response["violations"]
        bad = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in {"serious", "critical"}]
        assert not bad, name

    page.goto("/login")
    judge("login")
    if scheme == "dark":
        enter(page)
        judge("security")
        return
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    judge("login-wrong")
    enter(page)
    judge("security")
    page.goto("/security/totp")
    app = pyotp.TOTP(page.locator("code.secret").inner_text().replace(" ", ""))
    judge("totp")
    page.get_by_label("Code").fill(app.at(portal.clock()))
    page.get_by_role("button", name="Ask for codes from now on").click()
    judge("codes")
    page.goto("/prove")
    judge("prove")
    page.goto("/logout")
    judge("logout")
    page.context.clear_cookies()
    enter(page)
    judge("second")
    page.goto("/nowhere-at-all")
    judge("refused")
    assert [text for text in page.said if "404" not in text and "403" not in text] == []
