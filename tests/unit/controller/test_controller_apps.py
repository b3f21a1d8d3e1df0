"""Apps from one line of inventory to the hosts' slices and into the zones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from controller_world import ROOT, World

from altnet.controller import names, rundir
from altnet.controller.preflight import problems

SLICES = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json"}
      run_once: true
    - altnet_slice:
    - keep:
        content: "{{ altnet_slice.apps | default({}) | to_json }}"
        dest: "{{ inventory_dir }}/{{ inventory_hostname }}.apps"
"""


@pytest.fixture
def chatting(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """A network with names and people, one of whose hosts has chat."""
    world.children |= {"authoritative": ["core"], "resolvers": ["fra"], "directory": ["core"], "chat": ["fra"]}
    world.network |= {"altnet_tlds": ["alt"], "altnet_ledger": str(world.ledger)}
    monkeypatch.setattr(rundir, "directory", lambda *_: tmp_path)
    return world


def test_a_host_is_told_of_its_apps_and_their_names_lead_to_it(chatting: World) -> None:
    assert problems(chatting.task_vars(), chatting.ledger) == []
    run = chatting.play(SLICES)
    assert run.code == 0, run.text
    told = {name: json.loads((chatting.inventory / f"{name}.apps").read_text()) for name in chatting.hosts}
    assert told["core"] == told["sin"] == {}
    assert told["fra"]["chat"]["names"] == ["chat.alt", "rooms.chat.alt"]
    zones = {zone["name"]: zone for zone in names.desired(chatting.task_vars())}
    found = {entry["name"]: entry["records"] for entry in zones["alt."]["rrsets"]}
    assert found["_xmpp-client._tcp.chat.alt."] == ["0 5 5222 fra.net.alt."]
    assert found["chat.alt."] == found["rooms.chat.alt."]


def test_what_is_wrong_is_said_before_any_host_is_asked(chatting: World) -> None:
    chatting.children |= {"chat": ["fra", "nyc"], "directory": []}
    said = "\n".join(problems(chatting.task_vars(), chatting.ledger))
    assert "group chat: Chat needs the group directory" in said
    assert "host nyc: group chat: Chat is on fra too" in said


def test_the_role_that_states_what_a_slice_is_knows_all_of_it(chatting: World) -> None:
    """A playbook that has its arguments judged would refuse the host otherwise."""
    chatting.children |= {"content": ["fra", "core"], "git": ["fra"], "registry": ["core"]}
    playbook = SLICES.replace("altnet_slice.apps | default({})", "altnet_slice")
    assert chatting.play(playbook).code == 0
    options = yaml.safe_load((ROOT / "roles/bird/meta/argument_specs.yml").read_text())["argument_specs"]["main"]
    known = set(options["options"]["bird_plan"]["options"])
    told = {key for name in chatting.hosts for key in json.loads((chatting.inventory / f"{name}.apps").read_text())}
    assert {"apps", "content", "directory", "registry"} <= told <= known


def test_groups_of_nobody_are_said_before_any_host_is_asked(chatting: World) -> None:
    chatting.children |= {"content": ["fra"], "git": ["fra"]}
    chatting.hosts["fra"] |= {
        "chat_groups": ["membres"],
        "git_repositories": [
            {"name": "garden", "read": ["members"], "write": ["gardeners"]},
            {"name": "howto.git", "read": ["membres"], "public": True},
            {"name": "garden"},
        ],
    }
    said = "\n".join(problems(chatting.task_vars(), chatting.ledger))
    for line in (
        "host fra: chat_groups[0]: membres is no group of the directory. Remedy: did you mean members.",
        "host fra: git_repositories[0].write[0]: gardeners is no group of the directory. Remedy: use one of: members,",
        "host fra: git_repositories[1].name: 'howto.git' is no name of a repository. Remedy: use small letters,",
        "host fra: git_repositories[1].read[0]: membres is no group of the directory. Remedy: did you mean members.",
        "host fra: git_repositories[2].name: garden is there already, at git_repositories[0]. Remedy: put both into",
    ):
        assert line in said, said
    chatting.network["directory_groups"] = [{"name": "gardeners", "description": "Look after the garden"}]
    chatting.hosts["fra"] |= {"chat_groups": [], "git_repositories": [{"name": "garden", "write": ["gardeners"]}]}
    (said,) = problems(chatting.task_vars(), chatting.ledger)
    assert said.startswith("host fra: chat_groups: is empty, so that nobody may log in. Remedy: name a group, or")
    chatting.hosts["fra"] |= {"chat_groups": ["choir"], "content_groups": ["members", "choir"]}
    assert problems(chatting.task_vars(), chatting.ledger) == []


def test_groups_that_are_to_go_are_of_nobody(chatting: World) -> None:
    chatting.network["directory_groups"] = [{"name": "choir", "state": "absent"}]
    chatting.hosts["fra"]["chat_groups"] = ["choir"]
    assert "choir is no group of the directory" in "\n".join(problems(chatting.task_vars(), chatting.ledger))
