"""What registrars and operators do in the portal, by its forms alone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from altnet.registry.acts import domains, history, invitations, state
from altnet.registry.domain.policy import Policy

REASON = "Mail from it is sent to strangers"


def _reviewed(site: Any) -> None:
    """Have every registration wait for a registrar."""
    policy: Policy = replace(site.desk.policy, review=True)
    object.__setattr__(site.desk, "policy", policy)


def _branch(site: Any) -> None:
    """Have cleo come by ann, and dora by cleo, each with a name."""
    for inviter, uid in itertools.pairwise(("ann", "cleo", "dora")):
        invitations.join(site.desk, site.invite(inviter), uid=uid, name=uid.title(), password="four words and more")
        domains.register(site.desk, site.actor(uid), f"{uid}-place")


def test_the_queue_is_worked_off(site: Any) -> None:
    _reviewed(site)
    ann, reg = site.person("ann"), site.person("reg")
    for name in ("garden", "orchard"):
        page = ann.send(ann.get("/names/new"), "/names/new", name=name)
        assert "waits for a registrar" in page.words
    assert "2 names wait for a registrar" in reg.get("/").words
    assert "garden.alt" in reg.get("/registrar").words
    page = reg.send(reg.get("/names/garden.alt/approve"), "/approve")
    assert page.path == "/registrar"
    assert "garden.alt is registered" in page.words
    form = reg.get("/names/orchard.alt/reject")
    page = reg.send(form, "/reject", reason=" ")
    assert page.status == 422
    assert 'id="f-reason-wrong"' in page.text
    page = reg.send(form, "/reject", reason=REASON)
    assert "Nothing waits" in page.words
    assert REASON in ann.get("/activity").words


def test_a_name_is_held_and_let_go(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    ann, reg = site.person("ann"), site.person("reg")
    reg.send(reg.get("/names/garden.alt/hold"), "/hold", reason=REASON)
    page = ann.get("/names/garden.alt")
    assert f"A registrar says: {REASON}" in page.words
    assert "held" in page.words
    assert "garden.alt" in reg.get("/registrar").words
    page = reg.send(reg.get("/names/garden.alt/unhold"), "/unhold")
    assert "answers again" in page.words


def test_a_name_is_taken_down_for_good(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    reg, ops = site.person("reg"), site.person("ops")
    page = reg.send(reg.get("/names/garden.alt/revoke"), "/revoke", reason=REASON)
    assert "is taken down" in page.words
    assert "/restore" not in page.text
    page = ops.get("/names/garden.alt")
    assert "/names/garden.alt/restore" in page.read.links
    page = ops.send(ops.get("/names/garden.alt/restore"), "/restore")
    assert "is available" in page.words


def test_a_name_is_moved_and_another_reserved(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    reg, ben = site.person("reg"), site.person("ben")
    page = reg.send(reg.get("/names/garden.alt/move"), "/move", to="nobody-here", reason=REASON)
    assert 'id="f-to-wrong"' in page.text
    reg.send(page, "/move", to="ben")
    assert ben.get("/names/garden.alt").status == 200
    page = reg.send(reg.get("/registrar/reserve"), "/reserve", name="garden", reason=REASON)
    assert page.status == 409
    assert 'id="f-name-wrong"' in page.text
    page = reg.send(page, "/reserve", name="bank")
    assert "bank.alt is reserved" in page.words
    assert "is reserved" in ben.get("/names/check?name=bank").words
    page = reg.send(reg.get("/names/bank.alt/unreserve"), "/unreserve")
    assert "is available" in page.words


def test_names_are_found_by_holder_and_state(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    domains.register(site.desk, site.actor("ben"), "orchard")
    domains.lock(site.desk, site.actor("ben"), "orchard")
    reg = site.person("reg")
    assert "garden.alt" in reg.get("/registrar/names").words
    assert "garden.alt" not in reg.get("/registrar/names?holder=ben").words
    assert "orchard.alt" in reg.get("/registrar/names?state=locked").words
    assert "garden.alt" not in reg.get("/registrar/names?state=locked").words
    assert "garden.alt" not in reg.get("/names").words
    assert reg.get("/registrar/names?state=nonsense").status == 200


def test_a_quota_is_set_and_two_registrars_do_not_overwrite_each_other(site: Any) -> None:
    reg = site.person("reg")
    first, second = reg.get("/registrar/accounts/ann"), reg.get("/registrar/accounts/ann")
    page = reg.send(first, "/accounts/ann", domains="many")
    assert page.status == 422
    assert 'id="f-domains-wrong"' in page.text
    assert "Saved" in reg.send(first, "/accounts/ann", domains="3").words
    page = reg.send(second, "/accounts/ann", domains="4")
    assert page.status == 412
    assert "They are now: 3" in page.words
    assert page.form("/accounts/ann")["values"]["domains"] == "4"
    assert reg.send(page, "/accounts/ann").status == 200


def test_an_account_is_locked_and_unlocked(site: Any) -> None:
    ann, reg = site.person("ann"), site.person("reg")
    page = reg.send(reg.get("/registrar/accounts/ann/lock"), "/lock", reason=REASON)
    assert "ann is locked" in page.words
    site.clock.on(seconds=11)  # for which the directory's word is remembered
    assert ann.get("/").path == "/login"
    page = reg.send(reg.get("/registrar/accounts/ann/unlock"), "/unlock")
    assert "ann may sign in again" in page.words


def test_a_branch_is_shown_before_it_is_cut(site: Any) -> None:
    _branch(site)
    reg = site.person("reg")
    page = reg.get("/registrar/accounts/cleo/cut")
    assert "It hits 2 accounts, 2 names" in page.words
    for name in ("cleo-place.alt", "dora-place.alt"):
        assert name in page.words
    page = reg.send(page, "/cut", reason=REASON)
    assert "2 accounts are locked" in page.words
    assert "held" in reg.get("/names/dora-place.alt").words
    assert site.person("ann").get("/").status == 200


def test_operators_are_nobodys_to_lock(site: Any) -> None:
    reg = site.person("reg")
    page = reg.send(reg.get("/registrar/accounts/ops/lock"), "/lock", reason=REASON)
    assert page.status == 403
    assert "one of those who run the network" in page.words


def test_a_link_for_a_new_password_is_shown_once(site: Any) -> None:
    reg = site.person("reg")
    page = reg.send(reg.get("/registrar/accounts/ann/reset"), "/reset")
    link = next(str(said["value"]) for _, said in page.read.tags if said.get("id") == "link")
    assert link.startswith("https://portal.alt/reset/")
    assert site.visitor().get(link.removeprefix("https://portal.alt")).status == 200


def test_operators_see_what_waits_and_what_drifts(site: Any) -> None:
    ops = site.person("ops")
    assert "has not looked yet" in ops.get("/operator").words
    domains.register(site.desk, site.actor("ann"), "garden")
    drift = {"zones": 7, "differences": ["x lacks y"], "repaired": 1, "guarded": ["old.alt."], "seconds": 1.0}
    state.observe(site.desk, "drift", drift)
    servers = [{"address": "fd12::1", "role": "secondary", "answers": False, "error": "timed out"}]
    state.observe(site.desk, "servers", servers)
    page = ops.get("/operator")
    for words in ("garden.alt", "x lacks y", "1 zone would go away", "does not answer", "timed out"):
        assert words in page.words
    page = ops.get("/operator/consent")
    assert page.form("/consent")["values"]["zones"] == "old.alt."
    page = ops.send(page, "/consent", zones="", reason=REASON)
    assert page.status == 422
    page = ops.send(page, "/consent", zones="old.alt.", reason=REASON)
    assert "The writer may take them away until 13:00" in page.words


def test_the_log_is_filtered_and_verified(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    ops = site.person("ops")
    assert "domain.register" in ops.get("/operator/audit").words
    assert "domain.register" not in ops.get("/operator/audit?account=ben").words
    assert "domain.register" in ops.get("/operator/audit?action=domain.&object=garden.alt.").words
    assert "domain.register" in ops.get("/operator/audit?since=2026-06-01&until=2026-06-01").words
    assert "domain.register" not in ops.get("/operator/audit?until=2026-05-31").words
    assert ops.get("/operator/audit?since=tomorrow&until=99999-99-99").status == 200
    assert "The log is as it was written" in ops.get("/operator/audit/verify").words
    with site.desk.store.write() as connection:
        connection.exec_driver_sql("update audit set actor = 'ben' where number = 1")
    assert "The log was changed" in ops.get("/operator/audit/verify").words


def test_a_head_that_another_key_signed_is_found_by_the_portal_too(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    mine, other = (Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32) for one in (1, 2))
    history.sign(site.desk, mine)
    ops = site.person("ops")
    site.world.settings.verifying_key = mine.public_key
    assert "The log is as it was written" in ops.get("/operator/audit/verify").words
    site.world.settings.verifying_key = other.public_key
    assert "The log was changed" in ops.get("/operator/audit/verify").words


@pytest.mark.parametrize(
    ("uid", "path"),
    [
        (uid, path)
        for uid, paths in {
            "ann": ("/registrar", "/registrar/names", "/registrar/accounts/ben", "/operator", "/operator/audit"),
            "reg": ("/operator", "/operator/audit", "/operator/audit/verify", "/operator/consent"),
        }.items()
        for path in paths
    ],
)
def test_what_is_not_for_somebody_is_not_there(site: Any, uid: str, path: str) -> None:
    assert site.person(uid).get(path).status == 404
    assert site.visitor().get(path).path == "/login"
