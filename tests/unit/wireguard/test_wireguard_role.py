"""The role through ansible-playbook, in namespaces of this machine: its results, and no secret in any log."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from wireguard_fakes import key

from altnet.secrets import derive

ROOT = Path(__file__).parents[3]
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
TOOLS = ("wg", "wg-quick", "wireguard-go", "ip", "unshare")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
MASTER = "a master secret for nothing but this test"
NAMESPACES = (
    os.geteuid() == 0
    and Path("/dev/net/tun").exists()
    and shutil.which("unshare") is not None
    and subprocess.run(["unshare", "--net", "--mount", "true"], check=False).returncode == 0
)
pytestmark = [
    # wireguard-go keeps its sockets in one directory of the machine, by interface name.
    pytest.mark.xdist_group("wireguard-go"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
    pytest.mark.skipif(
        not NAMESPACES, reason="needs root, /dev/net/tun and network namespaces; lab/unit-debian has it and runs this"
    ),
    pytest.mark.skipif(
        not ANSIBLE.exists(), reason="no ansible-playbook beside this Python; lab/unit-debian has it and runs this"
    ),
]

SYSTEMCTL = """#!/bin/sh
case $1 in
show) for unit; do case $unit in wg-quick@an0-*) if [ -e /run/wireguard/$unit ]
    then printf 'Id=%s\\nActiveState=active\\nUnitFileState=enabled\\n\\n' $unit
    else printf 'Id=%s\\nActiveState=inactive\\nUnitFileState=disabled\\n\\n' $unit; fi;; esac; done;;
enable) for unit; do case $unit in wg-quick@*) touch /run/wireguard/$unit
    name=${unit#wg-quick@}; wg-quick up ${name%.service} >/run/wireguard/log 2>&1;; esac; done;;
disable) for unit; do case $unit in wg-quick@*) rm /run/wireguard/$unit
    name=${unit#wg-quick@}; wg-quick down ${name%.service} >/run/wireguard/log 2>&1;; esac; done;;
esac
"""
ISOLATED = """set -e
mkdir -p /etc/altnet /etc/wireguard /run/wireguard
for one in /etc/altnet /etc/wireguard /run/wireguard; do mount -t tmpfs none $one; done
"""


def tunnel(**changed: Any) -> dict[str, Any]:
    return {
        "neighbour": "fra",
        "neighbour_id": 2,
        "neighbour_relay": True,
        "generation": 0,
        "interface": "an0-fra",
        "listen_port": 10004,
        "endpoint": "192.0.2.2:10002",
        "keepalive": 25,
        "local": "fe80::1",
        "remote": "fe80::2",
        "public_key": key("public fra"),
        "pending": False,
        "psk_label": "wireguard/psk/1-2",
        "psk_epoch": 0,
        "allowed_ips": ["fd00::/8", "fe80::/64"],
        **changed,
    }


def play(directory: Path, script: str, *tunnels: dict[str, Any], **variables: Any) -> str:
    """Run ``script`` with ``$PLAY`` as the playbook's command; return everything it printed."""
    commands = directory / "bin"
    commands.mkdir(exist_ok=True)
    (commands / "systemctl").write_text(SYSTEMCTL)
    (commands / "systemctl").chmod(0o755)
    given = {
        "wireguard_tunnels": list(tunnels),
        "wireguard_installed_packages": ["wireguard-tools", "wireguard-go"],
        "wireguard_master_secret": "{{ the_vaulted_one }}",
        "the_vaulted_one": MASTER,
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        **variables,
    }
    (directory / "ansible.cfg").touch()
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"here": given}}}))
    tasks = [
        {"ansible.builtin.include_role": {"name": "wireguard", "tasks_from": part}} for part in ("keys", "tunnels")
    ]
    whole = [{"ansible.builtin.include_role": {"name": "wireguard"}}]
    for name, content in (("parts", tasks), ("whole", whole)):
        text = yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": content}])
        (directory / f"{name}.yml").write_text(text)
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
        "ANSIBLE_LIBRARY": str(ROOT / "library"),
        "ANSIBLE_ACTION_PLUGINS": str(ROOT / "action_plugins"),
        "ANSIBLE_MODULE_UTILS": str(ROOT / "src"),
        "ANSIBLE_NOCOLOR": "1",
        "PLAY": f"{ANSIBLE} -i {directory}/hosts.yml --diff -vvvv",
        "HERE": str(directory),
    }
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", ISOLATED + script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def recaps(output: str) -> list[dict[str, int]]:
    lines = [line for line in output.splitlines() if line.startswith("here ") and "changed=" in line]
    return [{word.split("=")[0]: int(word.split("=")[1]) for word in line.split() if "=" in word} for line in lines]


def test_four_steps_and_no_secret_in_the_log(tmp_path: Path) -> None:
    script = """
$PLAY --check $HERE/parts.yml
$PLAY $HERE/parts.yml
$PLAY --check $HERE/parts.yml
$PLAY $HERE/parts.yml
cat /etc/altnet/wireguard/0.key > $HERE/private
wg show an0-fra preshared-keys > $HERE/psk
$PLAY $HERE/whole.yml -e wireguard_state=absent
find /etc/altnet /etc/wireguard -type f > $HERE/left
"""
    pending = tunnel(neighbour="nyc", interface="an0-nyc", endpoint=None, public_key=None, pending=True)
    output = play(tmp_path, script, tunnel(), pending)
    assert [one["failed"] for one in recaps(output)] == [0] * 5, output
    assert [one["changed"] for one in recaps(output)] == [2, 2, 0, 0, 2], output
    expected = base64.b64encode(derive(MASTER, "wireguard/psk/1-2", 0)).decode()
    assert expected in (tmp_path / "psk").read_text()
    assert (tmp_path / "left").read_text() == ""
    for secret in (MASTER, expected, (tmp_path / "private").read_text().strip()):
        assert secret not in output
    assert "an0-fra to fra, generation 0:" in output
    assert "preshared key: (hidden)" in output
    assert "WireGuard runs in userspace here" in output


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"wireguard_master_secret": ""}, "wireguard_master_secret: it is empty"),
        ({"the_vaulted_one": "short"}, "characters, fewer than 32"),
        (
            {"wireguard_mtu": 1000},
            "wireguard_mtu: 1000 is not an MTU for a tunnel. Remedy:",
        ),
        ({"wireguard_tunnels": [tunnel(colour="red")]}, "colour"),
    ],
)
def test_mistakes_are_told_by_their_variable(tmp_path: Path, variables: dict[str, Any], expected: str) -> None:
    output = play(tmp_path, "$PLAY --check $HERE/parts.yml", tunnel(), **variables)
    assert recaps(output)[0]["failed"] == 1, output
    assert expected in output
    assert MASTER not in output
