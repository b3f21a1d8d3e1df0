"""Sites in Debian's Chromium on a member's machine: no warning where all is well, and none to click away where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes

from altnet.pki import pem

from . import browser, lab, web

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MEMBERS = "https://members.alt/"
PHONE = {"width": 390, "height": 844}
#: A name in the public DNS, and where a liar leads it: to a host of the network that has a forged certificate for it.
PUBLIC = "bank.example"
FORGED_PORT = 8600
#: What an issuer that was broken into may sign, and what it is asked for; the first is what it has a right to.
SIGNED = {
    "hello.alt": ("DNS:hello.alt", "hello.alt"),
    "a public name": (f"DNS:{PUBLIC}", PUBLIC),
    "one of ours and a public one, asked for ours": (f"DNS:hello.alt,DNS:{PUBLIC}", "hello.alt"),
    "one of ours and a public one, asked for the public one": (f"DNS:hello.alt,DNS:{PUBLIC}", PUBLIC),
    "an address outside the prefix": ("IP:2001:db8::1", "[2001:db8::1]"),
    "an IPv4 address": ("IP:192.0.2.1", "192.0.2.1"),
}
FORGE = f"""
set -e
d=/run/altnet-test-forged; rm -rf $d; install -d -m 700 $d; cd $d
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out forged.csr -subj /CN=forged 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\\nextendedKeyUsage=serverAuth\\nsubjectAltName={{names}}\\n' >ext
openssl x509 -req -in forged.csr -CA /etc/altnet/pki/issuer/cert.pem -CAkey /etc/altnet/pki/issuer/key.pem -days 30 \\
  -extfile ext -out forged.pem 2>/dev/null
systemd-run --quiet --collect --unit=altnet-test-forged openssl s_server -www -accept '[{{address}}]:{FORGED_PORT}' \\
  -cert $d/forged.pem -key $d/key.pem -cert_chain /etc/altnet/pki/issuer/cert.pem
n=0; until ss -Hltn | grep -q ':{FORGED_PORT} '; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.1; done
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    target = f"[{lab.loopback('fra')}]:{FORGED_PORT}"
    lied_about = (PUBLIC, f"[2001:db8::1]:{FORGED_PORT}", "192.0.2.1", f"hello.alt:{FORGED_PORT}")
    rules = ",".join(f"MAP {name} {target}" for name in lied_about)
    with browser.chromium(web.CLIENT, f"--host-resolver-rules={rules}") as one:
        yield one


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def opened(page: Page, url: str) -> Any:
    answer = page.goto(url, timeout=15_000)
    assert answer is not None
    assert answer.status == 200, (answer.status, page.content()[:2000])
    return answer


@pytest.mark.parametrize(
    ("name", "words"), [("hello.alt", "hello.alt"), ("both.alt", "both.alt"), ("start.alt", "Hello")]
)
def test_a_site_opens_without_a_warning(page: Page, name: str, words: str) -> None:
    answer = opened(page, f"https://{name}/")
    assert page.evaluate("isSecureContext")
    assert words in page.inner_text("body")
    security = answer.security_details()
    shot = browser.picture(page, name)
    lab.show(f"{name}: {security['protocol']}, issued by {security['issuer']}; {shot.relative_to(lab.ROOT)}")


def test_the_root_is_given_with_its_fingerprint(page: Page) -> None:
    """By a device that does not know it yet too: without TLS."""
    (root,) = pem.certificates((lab.INVENTORY / "pki" / "root.pem").read_text(), "root.pem")
    opened(page, "http://start.alt/root.html")
    assert root.fingerprint(hashes.SHA256()).hex(":").upper() in page.inner_text("main")
    browser.picture(page, "root")


def test_a_page_for_a_group(page: Page) -> None:
    """Asked for a name, refused with a wrong password, shown with the right one, asked again after logging out."""
    password = web.give_password("bob")
    page.goto(MEMBERS)
    assert page.url.startswith("https://portal.alt/")
    browser.picture(page, "login")
    log_in(page, "bob", "not his password")
    assert page.get_by_role("alert").is_visible()
    assert "members.alt" not in (page.title(), page.inner_text("h1"))
    browser.picture(page, "login-refused")
    log_in(page, "bob", password)
    page.wait_for_url(MEMBERS)
    assert page.inner_text("h1") == "members.alt"
    browser.picture(page, "members")
    page.goto("https://members.alt/.altnet/logout")
    browser.picture(page, "logout")
    page.get_by_role("button").click()
    page.goto(MEMBERS)
    assert page.url.startswith("https://portal.alt/"), page.url


def log_in(page: Page, user: str, password: str) -> None:
    page.get_by_label("Name", exact=True).fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_all_of_it_works_on_a_phone_without_javascript(chromium: Browser) -> None:
    """Nothing is wider than the screen, and nothing needs a script."""
    password = web.give_password("ada")
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False, color_scheme="dark")  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(MEMBERS)
        browser.picture(page, "login-phone")
        log_in(page, "ada", password)
        page.wait_for_url(MEMBERS)
        opened(page, "https://start.alt/")
        shot = browser.picture(page, "start-phone")
    finally:
        context.close()
    # A PNG's width in pixels: a page that is wider than the screen makes a wider picture, a scroll bar a narrower one.
    assert int.from_bytes(shot.read_bytes()[16:20], "big") <= PHONE["width"]


def test_somebody_outside_the_group_is_told_so(page: Page) -> None:
    page.goto(MEMBERS)
    log_in(page, "eve", web.give_password("eve"))
    assert "members.alt" not in page.inner_text("h1")
    browser.picture(page, "not-for-you")


@pytest.fixture
def forged(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server of the network with a certificate that its issuer's own key signed; what it is asked for."""
    names, asked = SIGNED[request.param]
    lab.ssh("fra", FORGE.replace("{names}", names).replace("{address}", lab.loopback("fra")))
    yield asked
    lab.ssh("fra", "systemctl stop altnet-test-forged; rm -r /run/altnet-test-forged", check=False)


@pytest.mark.parametrize("forged", list(SIGNED)[1:], indirect=True)
def test_a_forged_certificate_is_not_believed(page: Page, forged: str, request: pytest.FixtureRequest) -> None:
    from playwright.sync_api import Error  # noqa: PLC0415

    with pytest.raises(Error) as told:
        page.goto(f"https://{forged}:{FORGED_PORT}/", timeout=15_000)
    assert "net::ERR_CERT_" in told.value.message
    lab.show(f"{request.node.callspec.id}: {told.value.message.split(' at ')[0]}")


@pytest.mark.parametrize("forged", list(SIGNED)[:1], indirect=True)
def test_the_forger_is_believed_in_what_it_may_sign(page: Page, forged: str) -> None:
    """Or else the refusals above would prove nothing."""
    opened(page, f"https://{forged}:{FORGED_PORT}/")
