"""Each flow of the portal in a browser: with JavaScript once, and the way from a link to a name without it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from altnet.registry.acts import domains, records

HTMX = Path("/usr/share/javascript/htmx/htmx.min.js")
needs_htmx = pytest.mark.skipif(not HTMX.is_file(), reason="NOT TESTED HERE: no htmx (libjs-htmx); CI tests it")
PASSWORD = "four words and more"
PHONE, DESK = (360, 740), (1280, 800)


@pytest.mark.parametrize(
    ("size", "scripts", "uid"),
    [(DESK, True, "cleo"), (DESK, False, "dora"), (PHONE, True, "emil"), (PHONE, False, "fritz")],
)
def test_from_a_link_to_a_name(site: Any, size: Any, scripts: bool, uid: str, record_property: Any) -> None:
    visit = site.visit(size, scripts=scripts)
    way = "" if scripts else "-no-script"
    begun = time.monotonic()
    page = visit.open(f"/join/{site.invite('ann' if uid < 'e' else 'ben')}")
    visit.judge(f"join{way}")
    inputs = 0
    for name, value in (("uid", uid), ("password", PASSWORD)):
        page.fill(f"[name={name}]", value)
        inputs += 1
    page.click("text=Join >> nth=-1")
    page.wait_for_url("**/names/new?first=1")
    visit.judge(f"first-name{way}")
    page.fill("[name=name]", f"{uid}-garden")
    inputs += 1
    page.click("button.main")
    page.wait_for_url(f"**/names/{uid}-garden.alt")
    record_property("seconds", time.monotonic() - begun)
    assert inputs <= 3
    assert "is yours" in page.inner_text("[role=status]")
    visit.judge(f"name-new{way}")
    page.click("text=Add an address")
    page.fill("[name=records]", "nonsense")
    page.click("button.main")
    assert "Line 1" in page.inner_text("#f-records-wrong")
    visit.judge(f"record-wrong{way}")
    page.fill("[name=records]", "fd12:3456:789a:1::1")
    page.click("button.main")
    assert "fd12:3456:789a:1::1" in page.inner_text("table")
    visit.judge(f"name-record{way}")
    visit.context.close()


@needs_htmx
def test_a_name_is_judged_as_it_is_typed(site: Any, desktop: Any) -> None:
    domains.register(site.desk, site.actor("ben"), "taken")
    desktop.sign_in("ann")
    page = desktop.open("/names/new")
    page.locator("[name=name]").press_sequentially("taken", delay=20)
    page.wait_for_selector("#verdict .wrong")
    page.fill("[name=name]", "")
    page.locator("[name=name]").press_sequentially("orchard", delay=20)
    page.wait_for_selector("#verdict .yes")
    assert "orchard.alt can be yours" in page.inner_text("#verdict")
    desktop.judge("register-verdict")


@needs_htmx
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_row_is_edited_in_its_place(site: Any, size: Any) -> None:
    name = f"rows-{size[0]}"
    domains.register(site.desk, site.actor("ann"), name)
    records.put(site.desk, site.actor("ann"), name, "www", "AAAA", 3600, ["fd12:3456:789a:1::1"])
    visit = site.visit(size)
    visit.sign_in("ann")
    page = visit.open(f"/names/{name}.alt")
    page.click("text=Edit >> nth=0")
    page.wait_for_selector("tr.editing")
    page.fill("tr.editing [name=records]", "fd12::1\nnonsense")
    page.click("tr.editing button.main")
    page.wait_for_selector("tr.editing .wrong")
    visit.judge("row-wrong")
    page.fill("tr.editing [name=records]", "fd12:3456:789a:1::2")
    page.click("tr.editing button.main")
    page.wait_for_selector("tr.editing", state="detached")
    assert page.url.endswith(f"/names/{name}.alt")
    assert "fd12:3456:789a:1::2" in page.inner_text("table")
    page.click("text=Edit >> nth=0")
    page.wait_for_selector("tr.editing")
    page.click("tr.editing >> text=Cancel")
    page.wait_for_selector("tr.editing", state="detached")
    visit.context.close()


@needs_htmx
def test_a_list_is_filtered_as_one_types(site: Any, desktop: Any) -> None:
    for name in ("apple-tree", "pear-tree"):
        domains.register(site.desk, site.actor("ben"), name)
    desktop.sign_in("reg")
    page = desktop.open("/registrar/names")
    page.locator("[name=part]").press_sequentially("pear", delay=20)
    page.wait_for_selector("text=apple-tree", state="detached")
    assert "pear-tree.alt" in page.inner_text("#list")
    desktop.judge("all-names-filtered")


def test_tokens_and_invitations_are_copied(site: Any, desktop: Any) -> None:
    desktop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desktop.sign_in("ann")
    page = desktop.open("/tokens/new")
    page.fill("[name=label]", "router")
    page.fill("[name=names]", "home.garden.alt")
    page.click("button.main")
    secret = page.input_value("#secret")
    page.click("[data-copy=secret]")
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    desktop.judge("token-made")
    page = desktop.open("/invitations/new")
    page.fill("[name=note]", "for a neighbour")
    page.click("button.main")
    assert page.input_value("#link").startswith(f"{site.origin}/join/")
    desktop.judge("invitation-made")
    page = desktop.open("/tokens")
    page.click("text=Revoke")
    desktop.judge("token-revoke")
    page.click("text=Revoke it")
    assert "is over" in page.inner_text("[role=status]")


def test_a_name_is_given_away_and_released(site: Any, desktop: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "gift")
    desktop.sign_in("ann")
    page = desktop.open("/names/gift.alt/offer")
    page.fill("[name=to]", "ben")
    page.click("button.main")
    assert "Offered to ben" in page.inner_text("main")
    other = site.visit(PHONE)
    other.sign_in("ben")
    other.judge("home-offered")
    page = other.open("/names/gift.alt/accept")
    page.click("button.main")
    assert "is yours" in page.inner_text("[role=status]")
    page.click("text=Release it…")
    other.judge("release")
    page.click("button.main")
    assert "is released" in page.inner_text("[role=status]")
    other.context.close()


def test_two_tabs_do_not_overwrite_each_other(site: Any, desktop: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "tabs")
    records.put(site.desk, site.actor("ann"), "tabs", "@", "TXT", 60, ["one"])
    desktop.sign_in("ann")
    path = "/names/tabs.alt/records/edit?owner=@&type=TXT"
    page = desktop.open(path)
    other = desktop.context.new_page()
    other.goto(site.origin + path)
    other.fill("[name=records]", "theirs")
    other.click("button.main")
    page.fill("[name=records]", "mine")
    page.click("button.main")
    assert "theirs" in page.inner_text("main")
    assert page.input_value("[name=records]") == "mine"
    desktop.judge("stale")


def test_a_member_routes(site: Any, desktop: Any) -> None:
    desktop.sign_in("ann")
    page = desktop.open("/numbers")
    page.click("text=An AS number")
    page.click("text=A /48 of your own")
    page.click("text=Add >> nth=-1")
    assert "AS42" in page.inner_text("main")
    desktop.judge("prefix")
    page = desktop.open("/numbers")
    desktop.judge("numbers")


def test_a_registrar_governs(site: Any, desktop: Any) -> None:
    domains.register(site.desk, site.actor("ben"), "spam")
    desktop.sign_in("reg")
    page = desktop.open("/names/spam.alt/hold")
    page.fill("[name=reason]", "Mail from it is sent to strangers")
    page.click("button.main")
    assert "A registrar says" in page.inner_text("main")
    desktop.judge("held")
    page = desktop.open("/names/spam.alt/revoke")
    page.fill("[name=reason]", "It went on")
    page.click("button.main")
    assert "is taken down" in page.inner_text("[role=status]")
    page = desktop.open("/registrar/accounts/ben")
    page.fill("[name=domains]", "25")
    page.click("text=Save")
    assert "Saved" in page.inner_text("[role=status]")
    page = desktop.open("/registrar/accounts/ann/cut")
    desktop.judge("cut")


def test_an_operator_looks_after_it(site: Any, desktop: Any) -> None:
    desktop.sign_in("ops")
    page = desktop.open("/operator/audit")
    page.fill("[name=action]", "account.")
    page.press("[name=action]", "Enter")
    page.wait_for_url("**/operator/audit?*action=account.*")
    assert "domain." not in page.inner_text("#list")
    page.click("text=Verify it")
    assert "as it was written" in page.inner_text("h1")
    desktop.judge("verified")
