"""preflight.yml as an operator runs it: what is on the screen, and what is not."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.loader import action_loader
from controller_world import ROOT, SECRET, World, sealed

from altnet.controller.failure import last_line

PREFLIGHT = ROOT / "playbooks/preflight.yml"


@pytest.fixture
def far(world: World) -> World:
    """The same with hosts that answer at once that they are not there."""
    for host in world.hosts.values():
        host |= {"ansible_host": "127.0.0.1", "ansible_port": 1}
    return world


def test_every_fault_is_on_the_screen(far: World) -> None:
    far.vault(sealed(SECRET, "another password"))
    far.network["altnet_toplogy"] = {}
    far.hosts["fra"]["base_underlay_allow"] = [{"protocol": "tcp", "prots": [1], "ports": [1]}]
    far.ledger.write_text("{")
    run = far.play(PREFLIGHT)
    assert run.code == 2
    for part in (
        (
            "hosts core, fra, nyc, sin: altnet_toplogy: is no variable that Altnet knows. Remedy: did you mean "
            "altnet_topology? Correct the name."
        ),
        "host fra: base_underlay_allow[0].prots: is no setting that Altnet knows. Remedy: did you mean ports.",
        (
            "hosts core, fra, nyc, sin: altnet_master_secret: cannot be decrypted by any password that was given. "
            "Remedy: give the password of this network's vault: --vault-password-file, "
            "ANSIBLE_VAULT_PASSWORD_FILE or -J; if that is the right one, the vault's file is damaged: take the last "
            "good version from its backup."
        ),
        "ledger.json: is not JSON",
    ):
        assert part in run.text, run.text
    assert "Look at the host" not in run.text
    assert "Traceback" not in run.text
    assert far.ledger.read_text() == "{"


def test_hosts_that_do_not_answer(far: World) -> None:
    run = far.play(PREFLIGHT)
    assert run.code == 2
    block = run.out[run.out.index("4 problems; no host was changed:") :].splitlines()
    # Why is ssh's to say, and it has two ways to: that nobody listens, or that its pipe broke.
    for name, line in zip(("core", "fra", "nyc", "sin"), block[1:5], strict=True):
        assert re.fullmatch(
            rf"host {name}: ansible_host \(127\.0\.0\.1\): is unreachable: \S.*(refused|pipe)\. Remedy: bring it back, "
            rf"correct its address, user or key, or run without it: --limit 'all:!{name}'\.",
            line.strip(),
        ), line
    assert run.text.count("--limit 'all:!fra'") == 1, "said once"
    assert not far.ledger.exists()


@pytest.mark.parametrize(
    ("result", "line"),
    [
        ({}, "no reason given"),
        ({"msg": " \n "}, "no reason given"),
        ({"msg": "one\ntwo.\n"}, "two"),
        (
            {"msg": "Task failed: Failed to connect to the host via ssh: ssh: connect to host x port 22: timed out"},
            "ssh: connect to host x port 22: timed out",
        ),
        (
            {
                "msg": "Task failed: Failed to connect to the host via ssh: Warning: Permanently added 'x' (ED25519) "
                "to the list of known hosts.\r\nroot@x: Permission denied (publickey)."
            },
            "root@x: Permission denied (publickey)",
        ),
        (
            {
                "msg": 'Task failed: Data could not be sent to remote host "x". Make sure this host can be reached '
                "over ssh: ssh: Could not resolve hostname x: Name or service not known"
            },
            "ssh: Could not resolve hostname x: Name or service not known",
        ),
        ({"msg": "MODULE FAILURE: see stderr", "module_stderr": "Traceback\nValueError: 1\n"}, "ValueError: 1"),
    ],
)
def test_the_line_that_says_why(result: dict[str, Any], line: str) -> None:
    assert last_line(result) == line


def facts(**changes: Any) -> dict[str, Any]:
    good = {
        "stop": None, "time": time.time(), "asked_at": time.time(), "problems": [], "kernel_wireguard": True,
        "transactions": ["bird"],
    }  # fmt: skip
    return {**good, **changes}


def verdict(
    hosts: dict[str, Any], target: str = "", groups: dict[str, list[str]] | None = None, **variables: Any
) -> tuple[list[str], dict[str, Any]]:
    """Return the warnings and the result of altnet_verdict for hosts with these probe results and ``variables``."""
    warnings: list[str] = []
    task = SimpleNamespace(
        args={"probe": "p", "target": target}, async_val=0, check_mode=False, diff=False, action="altnet_verdict"
    )
    nothing = dict.fromkeys(("play_context", "loader", "templar", "shared_loader_obj"))
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    plugin = action_loader.get("altnet_verdict", task=task, connection=connection, **nothing)
    plugin._display = SimpleNamespace(warning=warnings.append)
    hostvars = {name: {"p": result, **variables} for name, result in hosts.items()}
    try:
        seen = {"ansible_play_hosts_all": list(hosts), "hostvars": hostvars, "groups": groups or {}}
        return warnings, plugin.run(None, seen)
    except AnsibleActionFail as error:
        return warnings, {**error.result, "once": error.omit_exception_key}


action_loader.add_directory(str(ROOT / "action_plugins"))


def probed(**changes: Any) -> dict[str, Any]:
    return {"ansible_facts": {"altnet_host": facts(**changes)}}


def test_a_good_host() -> None:
    warnings, result = verdict({"fra": probed(), "nyc": probed(stop="we move it")})
    assert warnings == []
    assert result == {"changed": False, "stopped": {"nyc": "we move it"}, "former_apps": []}


def test_a_host_that_was_asked_long_ago_has_a_good_clock() -> None:
    warnings, _ = verdict({"fra": probed(time=1000.0, asked_at=999.0)})
    assert warnings == []


@pytest.mark.parametrize(("time_there", "word"), [(1500.0, "500 s ahead of"), (500.0, "500 s behind")])
def test_a_bad_clock(time_there: float, word: str) -> None:
    (warning,), result = verdict({"fra": probed(time=time_there, asked_at=1000.0)})
    assert warning.startswith(f"host fra: its clock is about {word} the control node's; ")
    assert "Remedy: " in warning
    assert "failed" not in result


@pytest.mark.parametrize(
    ("group", "why", "reason"),
    [
        ("authoritative", "whose PowerDNS is too old for it", "signatures have a time"),
        ("resolvers", "whose PowerDNS is too old for it", "signatures have a time"),
        ("issuers", "on which the issuer's program was not tried", "signatures have a time"),
        ("directory", "whose OpenLDAP is too old for it", "of two changes of one entry the younger one counts"),
        ("content", "whose Caddy is too old for it", "logins have a time"),
        ("chat", "on which Chat was not tried", "logins have a time"),
    ],
)
def test_a_host_that_cannot_do_what_its_group_does(group: str, why: str, reason: str) -> None:
    hosts = {"fra": probed(release="bookworm"), "nyc": probed(release="trixie", time=1400.0, asked_at=1000.0)}
    _, result = verdict(hosts, groups={group: ["fra", "nyc"]})
    assert result["failed"]
    for line in (
        (
            f"host fra: group {group}: the host runs Debian bookworm, {why}. Remedy: "
            "upgrade the host to Debian 13 (trixie), or take it out of the group."
        ),
        (
            f"host nyc: group {group}: the host's clock is 400 s ahead of the control node's, and {reason}. "
            "Remedy: docs/runbooks/a-clock-is-wrong.md, for the host or for the control node."
        ),
    ):
        assert line in result["msg"], result["msg"]


def test_a_host_that_serves_names() -> None:
    hosts = {"fra": probed(release="trixie"), "nyc": probed(release="bookworm")}
    assert verdict(hosts, groups={"resolvers": ["fra"], "authoritative": []}) == (
        [],
        {"changed": False, "stopped": {}, "former_apps": []},
    )


def test_a_host_that_has_left_an_apps_group() -> None:
    hosts = {name: probed(release="trixie", transactions=["bird", "altnet-git", "prosody"]) for name in ("fra", "nyc")}
    _, result = verdict(hosts, groups={"chat": ["nyc"], "git": ["fra"]})
    assert result["former_apps"] == [
        {"host": "fra", "apps": [{"role": "chat", "certificate": "prosody"}]},
        {"host": "nyc", "apps": [{"role": "git", "certificate": ""}]},
    ]


@pytest.mark.parametrize(
    ("result", "variable"),
    [
        ({"failed": True, "rc": 127, "module_stderr": "/bin/sh: 1: /usr/bin/python3: not found\n"}, "python3 (3.11"),
        ({"failed": True, "msg": "Task failed: Missing sudo password"}, "ansible_become: the probe did not run"),
        ({"failed": True, "module_stderr": "  \n", "msg": ""}, "ansible_become: the probe did not run: no reason"),
        (
            {"failed": True, "msg": "[Errno 2] No usable temporary directory found in ['/tmp', '/root']"},
            "Remedy: docs/runbooks/a-disk-is-full.md",
        ),
        ({"unreachable": True, "msg": ""}, "is unreachable: no reason given"),
        (None, "is unreachable: no answer"),
    ],
)
def test_a_host_that_gave_no_facts(result: dict[str, Any] | None, variable: str) -> None:
    _, told = verdict({"fra": result, "nyc": probed()})
    assert told["failed"]
    assert told["once"]
    headline, line = told["msg"].splitlines()
    assert headline == "1 problem; no host was changed:"
    assert line.startswith("host fra: ")
    assert variable in line


def test_the_same_problem_on_many_hosts() -> None:
    there = [{"variable": "ansible_host", "what": "is not run by systemd", "remedy": "boot it with systemd as init"}]
    _, told = verdict({name: probed(problems=there) for name in "abcdef"})
    assert told["msg"].splitlines()[1:] == [
        "all 6 hosts: ansible_host: is not run by systemd. Remedy: boot it with systemd as init."
    ]


@pytest.mark.parametrize(
    ("kernel", "variables", "refused"),
    [
        (True, {"wireguard_userspace_allowed": False}, None),
        (True, {"wireguard_backend": "kernel"}, None),
        (False, {}, None),
        (False, {"wireguard_userspace_allowed": True, "wireguard_backend": "userspace"}, None),
        (False, {"wireguard_userspace_allowed": False}, "wireguard_userspace_allowed: is false"),
        (False, {"wireguard_userspace_allowed": "no"}, "wireguard_userspace_allowed: is no"),
        (False, {"wireguard_backend": "kernel"}, "wireguard_backend: is kernel"),
    ],
)
def test_userspace_is_refused_before_anything_is_changed(
    kernel: bool, variables: dict[str, Any], refused: str | None
) -> None:
    _, told = verdict({"fra": probed(kernel_wireguard=kernel)}, **variables)
    assert refused in told["msg"] if refused else not told.get("failed"), told


def test_a_foreign_firewall_is_a_warning() -> None:
    (warning,), told = verdict({"fra": probed(foreign_drops=["ip filter INPUT"])})
    assert warning.startswith("host fra: the firewall chain ip filter INPUT of somebody else drops by default")
    assert not told.get("failed")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("fra", None),
        ("nyc", "host nyc: /etc/altnet/stop: every play refuses this host: moving. Remedy: "),
        ("sin", "host sin: --limit: is outside the limit of this run. Remedy: "),
    ],
)
def test_the_host_a_playbook_is_about(target: str, line: str | None) -> None:
    _, told = verdict({"fra": probed(), "nyc": probed(stop="moving")}, target)
    assert line in told["msg"] if line else not told.get("failed"), told
