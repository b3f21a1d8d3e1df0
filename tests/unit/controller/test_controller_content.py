"""Sites from the inventory to the hosts' slices and into the zones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from controller_world import PREFIX, World

from altnet.controller import names, rundir
from altnet.controller.preflight import problems
from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_root
from altnet.pki.scope import Scope

SLICES = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json"}
      run_once: true
    - altnet_slice:
    - keep:
        content: "{{ altnet_slice.content | default({}) | to_json }}"
        dest: "{{ inventory_dir }}/{{ inventory_hostname }}.content"
"""
NET = "fd12:3456:789a:"
LOGIN = {"name": "login.alt", "kind": "login"}
WWW = {"name": "www.shop.alt", "kind": "static", "root": "/srv/www", "anycast": "web"}


@pytest.fixture
def serving(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """A network with names, whose hosts fra and nyc share a site."""
    world.children |= {"authoritative": ["core"], "resolvers": ["fra"], "content": ["fra", "nyc"]}
    world.network |= {
        "altnet_tlds": ["alt"],
        "altnet_zones": [{"name": "shop.alt", "records": []}],
        "altnet_anycast": [{"name": "web", "address_index": 128, "origins": ["fra", "nyc"]}],
        "altnet_ledger": str(world.ledger),
    }
    world.hosts["fra"]["content_sites"] = [LOGIN, WWW, {"name": "start.alt", "kind": "start"}]
    world.hosts["nyc"]["content_sites"] = [WWW]
    monkeypatch.setattr(rundir, "directory", lambda *_: tmp_path)
    return world


def test_each_host_is_told_of_its_sites(serving: World) -> None:
    assert problems(serving.task_vars(), serving.ledger) == []
    run = serving.play(SLICES)
    assert run.code == 0, run.text
    told = {name: json.loads((serving.inventory / f"{name}.content").read_text()) for name in serving.hosts}
    assert told["core"] == told["sin"] == {}
    assert [site["name"] for site in told["fra"]["sites"]] == ["login.alt", "start.alt", "www.shop.alt"]
    assert told["nyc"]["login"] == "login.alt"
    assert told["nyc"]["addresses"][1] == told["fra"]["addresses"][1] == f"{NET}:2:80"
    assert told["nyc"]["siblings"] == [told["fra"]["addresses"][0]]


def test_their_names_lead_to_them(serving: World) -> None:
    serving.play(SLICES)
    zones = {zone["name"]: zone for zone in names.desired(serving.task_vars())}
    found = {
        entry["name"]: entry["records"]
        for name in ("alt.", "shop.alt.")
        for entry in zones[name]["rrsets"]
        if entry["type"] == "AAAA"
    }
    assert found["www.shop.alt."] == [f"{NET}:2:80"]
    assert found["login.alt."] == found["start.alt."]
    assert found["login.alt."][0].startswith(f"{NET}:")


def test_what_is_wrong_is_said_before_any_host_is_asked(serving: World) -> None:
    serving.hosts["nyc"]["content_sites"] = [{**WWW, "anycast": "wep"}, {"name": "a.example.net", "kind": "start"}]
    text = "\n".join(problems(serving.task_vars(), serving.ledger))
    assert "host nyc: content_sites[0].anycast: 'wep' is no entry of altnet_anycast. Remedy: did you mean web" in text
    assert "host nyc: content_sites[1].name: a.example.net is outside" in text


def test_a_site_under_a_domain_that_the_root_does_not_cover(serving: World) -> None:
    serving.network["altnet_tlds"] = ["alt", "lan1"]
    serving.hosts["nyc"]["content_sites"] = [WWW, {"name": "shop.lan1", "kind": "static", "root": "/srv/shop"}]
    assert problems(serving.task_vars(), serving.ledger) == []
    root = pem.new_key()
    made = Signer(make_root(Scope(("alt",), PREFIX), root, datetime.now(UTC)), root)
    infra = make_intermediate(made, "infra", pem.new_key().public_key(), datetime.now(UTC))
    (serving.inventory / "pki").mkdir()
    (serving.inventory / "pki/infra.pem").write_text(pem.text(infra))
    (line,) = problems(serving.task_vars(), serving.ledger)
    assert line == (
        "host nyc: content_sites[1].name: the network's root may not sign for lan1, so shop.lan1 has no certificate. "
        "Remedy: replace the root (docs/runbooks/replace-the-root.md), or name the site under alt."
    )
    for text in ("", "nonsense"):
        (serving.inventory / "pki/infra.pem").write_text(text)
        assert problems(serving.task_vars(), serving.ledger) == []


def test_a_wrong_key_is_found_by_the_specification(serving: World) -> None:
    serving.hosts["nyc"]["content_sites"] = [{"name": "a.alt", "kind": "static", "rot": "/srv/a"}]
    assert "content_sites[0].rot: is no setting that Altnet knows" in "\n".join(
        problems(serving.task_vars(), serving.ledger)
    )


def test_a_network_without_content(world: World) -> None:
    world.hosts["fra"]["content_sites"] = [{"name": "not looked at", "kind": "start"}]
    assert problems(world.task_vars(), world.ledger) == []
    assert world.play(SLICES).code == 0
    assert json.loads((world.inventory / "fra.content").read_text()) == {}


def test_a_site_for_a_group_needs_somebody_who_holds_people(serving: World) -> None:
    notes = {"name": "notes.alt", "kind": "static", "root": "/srv/notes", "groups": ["gardeners"]}
    serving.hosts["nyc"]["content_sites"] = [WWW, notes]
    text = "\n".join(problems(serving.task_vars(), serving.ledger))
    assert "host nyc: content_sites[1].groups[0]: gardeners is no group of the directory" in text
    serving.children["directory"] = ["core"]
    serving.network["directory_groups"] = [{"name": "gardeners", "description": "Look after the garden"}]
    assert problems(serving.task_vars(), serving.ledger) == []
    serving.network["directory_groups"][0]["state"] = "absent"
    text = "\n".join(problems(serving.task_vars(), serving.ledger))
    assert "host nyc: content_sites[1].groups[0]: gardeners is no group of the directory" in text
    del serving.children["directory"]
    serving.network.pop("directory_groups")
    serving.hosts["nyc"]["content_sites"] = [WWW, {**notes, "groups": ["members"]}]
    text = "\n".join(problems(serving.task_vars(), serving.ledger))
    assert (
        "host nyc: content_sites[1].groups: is for a group, and no host holds people. Remedy: put a host into" in text
    )


CHECK = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json"}
      run_once: true
    - altnet_check: {wait: 0}
      register: seen
    - altnet_report: {check: seen}
      run_once: true
"""


def test_check_asks_every_host_for_what_it_serves(serving: World) -> None:
    """Nothing answers here, and that is what is said, by the module as it is sent to hosts."""
    serving.children["directory"] = ["core"]
    run = serving.play(CHECK)
    assert run.code == 2
    text = " ".join(run.text.split())
    assert "host fra: content_sites[2]: start.alt does not answer: " in text, run.text
    # Where there is a Caddy, whose user may be asked for, the first thing that is wrong is said: there is no directory.
    for where in ("fra: content_sites[1]", "nyc: content_sites[0]"):
        answers, there = f"host {where}: www.shop.alt does not answer: ", f"host {where}.root: /srv/www is not there"
        assert (answers in text) != (there in text), run.text
    assert "host core: directory: the provider does not answer as it should: " in text
    assert "host core: directory: by TLS the provider does not answer: " in text
    assert "0 of 4 sites answer over HTTPS on their hosts." in text
    assert "MODULE FAILURE" not in text
