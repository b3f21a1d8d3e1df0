"""The module through real ansible-playbook runs on this machine, with the fake daemon."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure

from altnet.transaction import TransactionError, run

REPOSITORY = Path(__file__).parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
SECRET = "hRt7vQwLz0dK3mPx9sYbNc5e"

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="no ansible-core beside this Python; lab/unit-debian has it and runs this"
)

TASK = """
        name: fake
        state_dir: "{{ state_dir }}"
        files:
          - {path: "{{ conf }}", template: "{{ template | default('fake.conf.j2') }}",
             owner: "{{ me }}", group: "{{ us }}", vars: {last: "# the end"}}
          - {path: "{{ key }}", content: "{{ secret }}\\n", sensitive: true, mode: "0600",
             owner: "{{ me }}", group: "{{ us }}"}
        check: [[fakectl, check, "{stage}{{ conf }}"]]
        unit: fake.service
        reload: [fakectl, reload]
        health: {command: [fakectl, sessions], healthy: '^(?P<item>\\S+) BGP Established', timeout: 1}
"""


class Project:
    """A playbook directory whose ansible.cfg points to this repository."""

    def __init__(self, world):
        self.world = world
        self.root = world.root / "project"
        (self.root / "templates" / "parts").mkdir(parents=True)
        (self.root / "ansible.cfg").write_text(
            "[defaults]\n"
            f"library = {REPOSITORY / 'library'}\n"
            f"action_plugins = {REPOSITORY / 'action_plugins'}\n"
            f"module_utils = {REPOSITORY / 'src'}\n"
            f"local_tmp = {self.root / 'tmp'}\n"
            f"remote_tmp = {self.root / 'remote'}\n"
        )
        self.template(
            "fake.conf.j2",
            "{{ ansible_managed | comment }}\n{% for name in sessions %}\nsession {{ name }}\n{% endfor %}\n"
            "{% include 'parts/end.j2' %}\n",
        )
        self.template("parts/end.j2", "{{ last }}\n")

    def template(self, name, text):
        (self.root / "templates" / name).write_text(text)

    def play(self, tasks, *arguments, **variables):
        """Run ``tasks`` (YAML of a task list); return the exit code and all output."""
        shown = {
            "ansible_python_interpreter": sys.executable,
            "state_dir": self.world.state,
            "conf": self.world.conf,
            "key": self.world.key,
            "me": self.world.user,
            "us": self.world.group,
            "sessions": "[fra, nyc]",
            "secret": SECRET,
            **variables,
        }
        text = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  vars:\n"
        text += "".join(f"    {name}: {value}\n" for name, value in shown.items())
        (self.root / "play.yml").write_text(f"{text}  tasks:{tasks}")
        done = subprocess.run(
            [str(PLAYBOOK), "-i", "localhost,", "play.yml", *arguments],
            cwd=self.root,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(world):
    return Project(world)


def one(extra=""):
    return f"\n    - transaction:{TASK}{extra}"


def test_four_steps_and_a_wreck_in_one_play(project):
    tasks = ""
    for check_mode, changed in [("true", True), ("false", True), ("true", False), ("false", False)]:
        tasks += one(f"      check_mode: {check_mode}\n      register: result\n")
        tasks += f"    - assert: {{that: [result.changed == {str(changed).lower()}]}}"
    tasks += one("        state: absent\n      register: result\n")
    tasks += "    - assert: {that: [result.changed, result.phase == 'removed']}\n"
    code, output = project.play(tasks)
    assert code == 0, output
    assert not project.world.state.exists()
    assert not project.world.conf.exists()


def test_secrets_are_in_no_log_and_the_diff_is_readable(project):
    by_hand = f"by hand {SECRET}\n"
    (project.root / "spoil").write_text(f"#!/bin/sh\ncat >{project.world.key} <<E\n{by_hand}E\n")
    tasks = one()
    tasks += one(f"      vars: {{secret: other{SECRET}, sessions: [fra, nyc, lon]}}\n")
    tasks += "    - command: sh spoil"
    tasks += one("      check_mode: true\n      register: result\n    - assert: {that: [result is changed]}\n")
    code, output = project.play(tasks, "-vvv", "--diff")
    assert code == 0, output
    assert SECRET not in output
    assert project.world.key.read_text() == by_hand
    assert "+session lon" in output
    assert "(sensitive: contents hidden, changed)" in output
    assert "base64:" not in output
    assert project.world.loaded().startswith("#\n# Managed by Altnet")
    assert project.world.loaded().endswith("session lon\n# the end\n")


def test_template_errors_name_template_and_line(project):
    project.template("undefined.j2", "a\n{{ sessions[0] }}\n{{ nothing_of_this_name }}\n")
    project.template("syntax.j2", "a\n\n{% if %}\n")
    project.template("include.j2", "a\n{% include 'undefined.j2' %}\n")
    project.template("raises.j2", "a\n\n\n{{ 1 / 0 }}\n")
    wanted = {
        "undefined.j2": "templates/undefined.j2:3: 'nothing_of_this_name' is undefined",
        "syntax.j2": "templates/syntax.j2:3:",
        "include.j2": "templates/undefined.j2:3:",
        "raises.j2": "templates/raises.j2:4:",
        "missing.j2": "Could not find or access 'missing.j2'",
    }
    tasks = ""
    for name in wanted:
        tasks += one(f"      vars: {{template: {name}}}\n      ignore_errors: true\n")
    code, output = project.play(tasks)
    assert code == 0, output
    for text in wanted.values():
        assert f"files[0].template: {text}" in output
    assert not project.world.state.exists()


def test_what_the_controller_refuses(project):
    wanted = {
        "{path: /x, mode: 0640, content: a}": "files[0].mode: YAML read it as a number",
        "{path: /x, content: a, template: b}": "files[0]: give exactly one of template and content",
        "{path: /x}": "files[0]: give exactly one of template and content",
        "{path: /x, content: a, validate: b}": "files[0]: unknown validate",
        "{path: /x, content: {a: 1}}": "files[0].content: not text but dict",
        "{path: x, content: a}": "files[0].path: 'x' is not absolute",
    }
    tasks = "".join(
        f"\n    - transaction: {{name: x, state_dir: '{{{{ state_dir }}}}', files: [{item}]}}\n"
        "      ignore_errors: true"
        for item in wanted
    )
    code, output = project.play(tasks + "\n")
    assert code == 0, output
    for text in wanted.values():
        assert text in output
    assert not project.world.state.exists()


def test_a_refused_candidate_and_a_lost_session(project):
    project.template("bad.j2", "session fra\nbad idea\n")
    tasks = one()
    tasks += one(
        "      vars: {template: bad.j2}\n      ignore_errors: true\n      check_mode: true\n      register: bad\n"
    )
    tasks += f"    - assert: {{that: [bad is failed, \"'{project.world.conf}:2: bad idea' in bad.msg\"]}}"
    tasks += one("      vars: {sessions: [fra]}\n      ignore_errors: true\n      register: lost\n")
    tasks += "    - assert:\n        that: [lost is failed, lost.phase == 'health', lost.restored | length == 1]"
    tasks += one("      register: result\n    - assert: {that: [result is not changed]}\n")
    code, output = project.play(tasks)
    assert code == 0, output
    assert "healthy before, not healthy again: nyc" in output


def test_confirmation_over_a_new_connection(project):
    tasks = one("        confirm: {timeout: 30}\n      register: result\n")
    tasks += "    - assert: {that: [result is changed, not result.confirm_pending, result.phase == 'recorded']}"
    tasks += one("        confirm: {timeout: 30}\n      register: result\n")
    tasks += "    - assert: {that: [result is not changed, result.confirm_token is undefined]}\n"
    code, output = project.play(tasks)
    assert code == 0, output
    calls = project.world.calls()
    assert len([call for call in calls if call.startswith("systemd-run")]) == 1
    assert project.world.kept() == ["applied.json"]


class Plugin:
    """The action plugin with its connection and its module calls replaced."""

    def __new__(cls, answers):
        spec = importlib.util.spec_from_file_location("plugin", REPOSITORY / "action_plugins/transaction.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.CONFIRM_PAUSE = 0.0
        plugin = module.ActionModule.__new__(module.ActionModule)
        plugin.log = []
        plugin._connection = type("Connection", (), {"reset": lambda _: plugin.log.append("reset")})()

        def call(name, module_args, task_vars):
            plugin.log.append(module_args)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        plugin._execute_module = call
        return plugin


def test_no_new_connection_is_a_failure_that_tells_what_the_host_does():
    plugin = Plugin([AnsibleConnectionFailure("timed out")] * 3)
    result = plugin._confirmed({"name": "nft", "confirm": {"timeout": 45}}, "abc", {})
    assert result["failed"]
    assert "the host restores its previous set by itself 45 s after" in result["msg"]
    assert "timed out" in result["msg"]
    assert plugin.log == ["reset", {"name": "nft", "_confirm": "abc"}] * 3


def test_the_runbook_quotes_what_is_said(world):
    page = (REPOSITORY / "docs/runbooks/locked-out-by-the-firewall.md").read_text()
    ssh = "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.10 port 22: Connection timed out"
    plugin = Plugin([AnsibleConnectionFailure(ssh)] * 3)
    said = plugin._confirmed({"name": "host", "confirm": {"timeout": 60}}, "abc", {})["msg"]
    assert f"```console\n{said}\n```" in page
    assert f"`{said.splitlines()[0].partition(': ')[2].rstrip('.')}`" in page
    with pytest.raises(TransactionError) as late:
        run({"name": "host", "_confirm": "abc"}, {}, check_mode=False, host=world.host())
    assert f"```console\n{late.value}\n```" in page


def test_a_connection_that_comes_late_still_confirms():
    plugin = Plugin([{"unreachable": True}, {"changed": True, "phase": "recorded", "confirm_pending": False}])
    result = plugin._confirmed({"name": "nft", "state_dir": "/s"}, "abc", {})
    assert result == {"phase": "recorded", "confirm_pending": False}
    assert plugin.log[-1] == {"name": "nft", "_confirm": "abc", "state_dir": "/s"}
