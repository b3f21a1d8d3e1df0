"""What a hostile member could send to the portal: it is said at the field, comes out as text, and nothing breaks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from altnet.registry.acts import domains, invitations, prefixes, records, state, tokens
from altnet.registry.domain.model import Scope

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
#: What people, programs and accidents send.
HOSTILE = (
    "", " ", "\0", "\x1b[2J", "a" * 5000, SCRIPT, "../../etc/passwd", "'; drop table domains; --", "%00%s%n",
    "{{ 7 * 7 }}", "\u202eabc", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "١٢٣", "-1",
    "1e309", "9" * 400, "\n\n\n", "\r\nSet-Cookie: x=y", "xn--\x80", "\uff20", "null", "NaN",
)  # fmt: skip


def _live(text: str) -> list[str]:
    """What of a page would run as script: a tag of ours that we did not write."""
    return re.findall(r"<script(?![^>]* src=\"/static/)[^>]*>|<img[^>]*onerror|\son\w+=\"", text)


def test_stored_script_comes_out_as_text_everywhere(site: Any) -> None:
    ann, reg = site.actor("ann"), site.actor("reg")
    person = site.people.known["ann"]
    site.people.known["ann"] = type(person)("ann", SCRIPT, f"{SCRIPT}@mail.invalid", person.groups)
    domains.register(site.desk, ann, "garden")
    records.put(site.desk, ann, "garden", "@", "TXT", 60, [SCRIPT])
    tokens.make(site.desk, ann, SCRIPT, Scope())
    invitations.create(site.desk, ann, note=SCRIPT)
    secret = site.invite("ann", note=SCRIPT)
    invitations.join(site.desk, secret, uid="cleo", name="Cleo", password="four words and more")
    domains.hold(site.desk, reg, "garden", SCRIPT)
    domains.reserve(site.desk, reg, "bank", SCRIPT)
    domains.register(site.desk, ann, "orchard")
    records.put(site.desk, ann, "orchard", "@", "TXT", 60, [SCRIPT])
    drift = {"zones": 7, "differences": [SCRIPT], "repaired": 1, "guarded": [SCRIPT], "seconds": 1.0}
    state.observe(site.desk, "drift", drift)
    servers = [{"address": SCRIPT, "role": SCRIPT, "answers": False, "error": SCRIPT}]
    state.observe(site.desk, "servers", servers)
    pages = {
        "ann": (
            "/", "/names", "/names/garden.alt", "/names/orchard.alt",
            "/names/orchard.alt/records/edit?owner=@&type=TXT",
            "/names/orchard.alt/records/delete?owner=@&type=TXT", "/tokens", "/invitations", "/activity", "/security",
            f"/names?part={quote(SCRIPT)}", f"/names/new?name={quote(SCRIPT)}", f"/names/check?name={quote(SCRIPT)}",
            f"/activity?object={quote(SCRIPT)}", f"/tokens/new?names={quote(SCRIPT)}",
            f"/names/orchard.alt/records/new?type={quote(SCRIPT)}&owner={quote(SCRIPT)}",
            f"/names/{quote(SCRIPT, safe='')}",
        ),
        "reg": ("/registrar", "/registrar/names", "/registrar/accounts", "/registrar/accounts/ann", "/names/garden.alt",
                "/registrar/accounts/ann/cut", f"/registrar/names?part={quote(SCRIPT)}&holder={quote(SCRIPT)}",
                f"/registrar/accounts?part={quote(SCRIPT)}", f"/registrar/reserve?name={quote(SCRIPT)}"),
        "ops": ("/operator", "/operator/consent", "/operator/audit",
                f"/operator/audit?account={quote(SCRIPT)}&action={quote(SCRIPT)}&object={quote(SCRIPT)}"),
        None: (f"/join/{secret}", f"/join/{site.invite('ann')}", f"/join/{quote(SCRIPT, safe='')}"),
    }  # fmt: skip
    seen = 0
    for uid, paths in pages.items():
        browser = site.person(uid, agent=SCRIPT) if uid else site.visitor()
        for path in paths:
            page = browser.get(path)
            assert page.status in {200, 404, 410}, path
            assert not _live(page.text), path
            seen += "&lt;script&gt;" in page.text
    assert seen > 15


def test_what_was_flashed_is_text_and_only_ours(site: Any) -> None:
    ann = site.person("ann")
    ann.client.cookies.set("__Host-altnet-flash", quote(f'["done", "{SCRIPT}"]'), domain="portal.alt")
    assert not _live(ann.get("/names").text)


@pytest.mark.parametrize("value", HOSTILE[::2], ids=lambda value: ascii(value)[:20])
def test_no_form_breaks_whatever_it_is_sent(site: Any, value: str) -> None:
    actor = site.actor("ann")
    domains.register(site.desk, actor, "garden")
    records.put(site.desk, actor, "garden", "@", "TXT", 60, ["one"])
    one = prefixes.register_prefix(site.desk, actor, 48).prefix.replace("/", "-")
    number = prefixes.register_asn(site.desk, actor).number
    ann, reg, ops = site.person("ann"), site.person("reg"), site.person("ops")
    forms = (
        (site.visitor(), f"/join/{site.invite('ann')}", "/join/"),
        (ann, "/names/new", "/names/new"),
        (ann, "/names/garden.alt/records/new", "/records/new"),
        (ann, "/names/garden.alt/records/edit?owner=@&type=TXT", "/records/edit"),
        (ann, "/names/garden.alt/records/delete?owner=@&type=TXT", "/records/delete"),
        (ann, "/names/garden.alt/delegation", "/delegation"),
        (ann, "/names/garden.alt/offer", "/offer"),
        (ann, "/names/garden.alt/transfer-key", "/transfer-key"),
        (ann, "/tokens/new", "/tokens/new"),
        (ann, "/invitations/new", "/invitations/new"),
        (ann, f"/numbers/{one}", "/numbers/"),
        (ann, f"/numbers/as/{number}/release", "/release"),
        (ann, "/numbers", "/numbers"),
        (reg, "/names/garden.alt/hold", "/hold"),
        (reg, "/names/garden.alt/move", "/move"),
        (reg, "/registrar/reserve", "/reserve"),
        (reg, "/registrar/accounts/ben", "/accounts/ben"),
        (reg, "/registrar/accounts/ben/cut", "/cut"),
        (ops, "/operator/consent", "/consent"),
    )
    for browser, path, action in forms:
        page = browser.get(path)
        if page.status == 404:
            continue  # what was sent before took it away
        assert page.status == 200, path
        fields = {name: value for name in page.form(action)["values"] if name not in {"csrf", "do"}}
        answer = browser.send(page, action, **fields)
        assert answer.status < 500, path
        assert not _live(answer.text), path


def test_no_path_or_query_breaks(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    ann, reg, ops = site.person("ann"), site.person("reg"), site.person("ops")
    paths = (
        (ann, "/names/{0}"),
        (ann, "/names/garden.alt/{0}"),
        (ann, "/names?part={0}&cursor={0}"),
        (ann, "/names/check?name={0}"),
        (ann, "/names/garden.alt/records/edit?owner={0}&type={0}"),
        (ann, "/numbers/{0}"),
        (ann, "/numbers/as/{0}/release"),
        (ann, "/tokens/{0}/revoke"),
        (ann, "/invitations/{0}/revoke"),
        (ann, "/activity?object={0}&cursor={0}"),
        (ann, "/static/{0}"),
        (reg, "/registrar/accounts/{0}"),
        (reg, "/registrar/accounts/ann/{0}"),
        (reg, "/registrar/names?part={0}&holder={0}&state={0}&cursor={0}"),
        (ops, "/operator/audit?account={0}&action={0}&object={0}&since={0}&until={0}&cursor={0}"),
        (site.visitor(), "/join/{0}"),
    )
    for value in HOSTILE:
        for browser, path in paths:
            assert browser.get(path.format(quote(value, safe=""))).status < 500, (path, value)


def test_a_form_of_another_site_or_without_its_token_does_nothing(site: Any) -> None:
    ann = site.person("ann")
    page = ann.get("/names/new")
    assert ann.send(page, "/names/new", name="garden", csrf="x").status == 403
    assert ann.send(page, "/names/new", name="garden", csrf="").status == 403
    ann.client.headers["Origin"] = "https://evil.example"
    assert ann.send(page, "/names/new", name="garden").status == 403
    del ann.client.headers["Origin"]
    ann.client.headers["Sec-Fetch-Site"] = "same-site"
    assert ann.send(page, "/names/new", name="garden").status == 403
    del ann.client.headers["Sec-Fetch-Site"]
    assert ann.get("/names/garden.alt").status == 404
    assert ann.send(page, "/names/new", name="garden").path == "/names/garden.alt"


def test_a_form_that_is_too_large_is_refused(site: Any) -> None:
    ann = site.person("ann")
    page = ann.get("/tokens/new")
    assert ann.send(page, "/tokens/new", label="x" * 100_000).status == 413


def test_what_is_others_is_not_there(site: Any) -> None:
    ann, ben = site.actor("ann"), site.person("ben")
    domains.register(site.desk, ann, "garden")
    records.put(site.desk, ann, "garden", "@", "TXT", 60, ["one"])
    token, _ = tokens.make(site.desk, ann, "laptop", Scope())
    invitation, _ = invitations.create(site.desk, ann)
    prefix = prefixes.register_prefix(site.desk, ann, 48).prefix.replace("/", "-")
    number = prefixes.register_asn(site.desk, ann).number
    for path in (
        "/names/garden.alt",
        "/names/garden.alt/release",
        "/names/garden.alt/delegation",
        "/names/garden.alt/transfer-key",
        "/names/garden.alt/records/new",
        "/names/garden.alt/records/edit?owner=@&type=TXT",
        "/names/garden.alt/records/delete?owner=@&type=TXT",
        f"/tokens/{token.id}/revoke",
        f"/invitations/{invitation.id}/revoke",
        f"/numbers/{prefix}",
        f"/numbers/{prefix}/release",
        f"/numbers/as/{number}/release",
    ):
        assert ben.get(path).status == 404, path
        csrf = ben.get("/names/new").form("/names/new")["values"]["csrf"]
        kind = {"content-type": "application/x-www-form-urlencoded"}
        body = urlencode({"csrf": csrf, "name": "@", "type": "TXT", "records": "two", "do": "reverse"})
        sent = ben.client.post(path, content=body, headers=kind)
        assert sent.status_code in {404, 405}, path
    assert records.listed(site.desk, ann, "garden")[0].records == ('"one"',)
    assert ben.get("/names/garden.alt").text == ben.get("/names/garden.alt").text


def test_pages_allow_nothing_that_is_not_ours(site: Any) -> None:
    headers = site.person("ann").get("/names").headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
