"""Every page, light and dark, on a phone and on a desk: accessible, and no wider than the screen; a picture is kept."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from altnet.registry.acts import domains, invitations, prefixes, records, state, tokens
from altnet.registry.domain.model import Scope

PAGES = {
    "ann": {
        "home": "/", "names": "/names", "register": "/names/new?name=garden", "name": "/names/garden.alt",
        "name-held": "/names/workshop.alt", "name-empty": "/names/xn--grten-gra.alt",
        "name-delegated": "/names/elsewhere.alt", "record-new": "/names/garden.alt/records/new?type=MX",
        "record-edit": "/names/garden.alt/records/edit?owner=@&type=AAAA",
        "record-delete": "/names/garden.alt/records/delete?owner=@&type=AAAA",
        "delegation": "/names/garden.alt/delegation", "transfer-key": "/names/garden.alt/transfer-key",
        "offer": "/names/garden.alt/offer", "tokens": "/tokens", "token-new": "/tokens/new",
        "invitations": "/invitations", "invitation-new": "/invitations/new", "numbers": "/numbers",
        "activity": "/activity", "missing": "/names/nothing.alt", "security": "/security",
    },
    "reg": {
        "queue": "/registrar", "all-names": "/registrar/names", "reserve": "/registrar/reserve",
        "accounts": "/registrar/accounts", "account": "/registrar/accounts/ann",
        "account-cut": "/registrar/accounts/ann/cut", "account-reset": "/registrar/accounts/ann/reset",
    },
    "ops": {"state": "/operator", "consent": "/operator/consent", "audit": "/operator/audit"},
    "": {"login": "/login"},
}  # fmt: skip
#: On a phone every page is looked at; on a desk and in the dark those that are laid out in another way there. All
#: pages in all ways take minutes: ask for them by the variable.
EVERY = bool(os.environ.get("ALTNET_EVERY_PAGE"))
WIDE = frozenset(
    ("home", "names", "name", "record-new", "token-new", "all-names", "account-cut", "state", "audit", "login")
)
MODES = [(360, "light"), (1280, "dark"), *([(360, "dark"), (1280, "light")] if EVERY else [])]


@pytest.fixture(scope="module")
def furnished(site: Any) -> Any:
    """The registry with something of everything in it."""
    desk, ann, ben, reg = site.desk, *(site.actor(uid) for uid in ("ann", "ben", "reg"))
    long = "a-rather-long-name-that-somebody-wanted-to-have-for-their-own"
    for name in ("garden", "Gärten", "orchard", "workshop", "elsewhere", long):
        domains.register(desk, ann, name)
    domains.register(desk, ben, "library")
    domains.offer(desk, ben, "library", "ann")
    records.put(desk, ann, "garden", "@", "AAAA", 3600, ["fd12:3456:789a:4::10", "fd12:3456:789a:4::11"])
    records.put(desk, ann, "garden", "www", "CNAME", 3600, ["garden.alt."])
    records.put(desk, ann, "garden", "@", "TXT", 60, ["v=spf1 mx -all", "x" * 300])
    records.put(desk, ann, "garden", "_sip._tcp", "SRV", 300, ["0 5 5060 sip.garden.alt."])
    glue = {"ns1.elsewhere.alt.": ["fd12:3456:789a:4::53"]}
    records.delegate(desk, ann, "elsewhere", ["ns1.elsewhere.alt."], [], glue)
    domains.lock(desk, ann, "orchard")
    domains.hold(desk, reg, "workshop", "Mail from it is sent to strangers.")
    domains.reserve(desk, reg, "bank", "Banks do not exist here.")
    scope = Scope(("read", "write"), ("home.garden.alt",), ("AAAA",), ("fd12:3456:789a::/48",))
    tokens.make(desk, ann, "router at home", scope, lifetime=timedelta(days=365))
    for inviter, uid in (("ann", "cleo"), ("cleo", "dora")):
        secret = site.invite(inviter, uses_max=3, note="neighbours")
        invitations.join(desk, secret, uid=uid, name=uid.title(), password="four words and more")
    prefix = prefixes.register_prefix(desk, ann, 56)
    prefixes.add_route(desk, ann, prefix.prefix, prefixes.register_asn(desk, ann).number)
    drift = {"zones": 128, "differences": ["garden.alt. lacks www CNAME"], "repaired": 1, "guarded": ["old.alt."]}
    state.observe(desk, "drift", {**drift, "seconds": 0.4})
    servers = [
        {"address": "fd12:3456:789a::53", "role": "primary", "answers": True, "zones": 128, "behind": 0},
        {"address": "fd12:3456:789a::1", "role": "secondary", "answers": False, "error": "timed out"},
    ]
    state.observe(desk, "servers", servers)
    return site


@pytest.mark.parametrize(("width", "scheme"), MODES)
@pytest.mark.parametrize("uid", PAGES)
def test_every_page_is_for_everybody(furnished: Any, uid: str, width: int, scheme: str) -> None:
    visit = furnished.visit((width, 800), scheme=scheme)
    if uid:
        visit.sign_in(uid)
    for name, path in PAGES[uid].items():
        if EVERY or width < 1000 or name in WIDE:
            visit.open(path)
            visit.judge(f"{name}-{scheme}")
    visit.context.close()


def test_a_very_narrow_screen_is_wide_enough(furnished: Any) -> None:
    visit = furnished.visit((320, 640))
    visit.sign_in("ann")
    for path in ("/", "/names/garden.alt", "/tokens/new", "/names/garden.alt/records/new"):
        visit.open(path)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert visit.page.evaluate(wide) <= 0, path
    visit.context.close()


def test_the_content_is_reached_by_keyboard_in_one_step(furnished: Any) -> None:
    visit = furnished.visit()
    visit.sign_in("ann")
    page = visit.open("/names")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    visit.context.close()
