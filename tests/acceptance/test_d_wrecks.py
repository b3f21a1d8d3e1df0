"""Runs that are killed, configurations that are wrong, hosts that somebody changed by hand: nothing is lost."""

from __future__ import annotations

import fcntl
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from . import lab

QUIET = dict.fromkeys(lab.addresses(), 0)


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    """A copy of the roles to break on purpose."""
    copy = tmp_path / "roles"
    shutil.copytree(lab.ROOT / "roles", copy)
    return copy


def break_template(roles: Path, old: str, new: str) -> int:
    """Change the copied bird.conf.j2; return the line that changed."""
    path = roles / "bird" / "templates" / "etc" / "bird" / "bird.conf.j2"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def wait_for_the_lock() -> None:
    """Wait until the workers that a killed run left behind have ended; until then a next run is refused, and says so."""
    with (lab.INVENTORY / ".run.lock").open("a") as file:
        deadline = time.monotonic() + 60
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                assert time.monotonic() < deadline, "a killed run's workers go on for a minute"
                time.sleep(0.2)
            else:
                return


def bird(host: str) -> tuple[str, str]:
    """Return the digest of the configuration on disk, and the daemon's sessions with their start."""
    return (
        lab.ssh(host, "sha256sum < /etc/bird/bird.conf"),
        lab.ssh(host, "birdc show protocols | awk '$2 == \"BGP\" {print $1, $4, $5, $6}' | sort"),
    )


#: After which output the five runs are killed. A task's name is printed when its first host is done with it.
TASKS = [
    "plan : Read this host's slice",
    "base : Set kernel and firewall",
    "wireguard : keys",
    "wireguard : tunnels",
    "wireguard : tunnels",
]


def test_killed_at_five_moments_a_run_converges_when_repeated() -> None:
    """Each run changes files on every host, is killed without warning, and the next one leaves all as it should be."""
    moments = random.Random(20)
    for attempt in range(5):
        opened = f'{{"base_underlay_allow": [{{"protocol": "tcp", "ports": [{8000 + attempt}]}}]}}'
        wanted = ["-e", f"bird_keepalive_time={8 + attempt}", "-e", f"wireguard_mtu={1400 + attempt}", "-e", opened]
        process = subprocess.Popen(
            ["ansible-playbook", "-i", str(lab.INVENTORY), "site.yml", *lab.FABRIC, *wanted], cwd=lab.ROOT,
            env=lab.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        task = TASKS[attempt]
        for line in process.stdout or ():
            if line.startswith(f"TASK [{task}"):
                break
        wait = moments.uniform(0, 1.2)
        time.sleep(wait)
        assert process.poll() is None, "the run had ended before it was killed"
        process.kill()
        process.wait()
        wait_for_the_lock()
        lab.show(f"attempt {attempt}: killed {wait:.1f} s after the first host's end of: {task}")
        for host in lab.addresses():
            lab.ssh(host, "bird -p -c /etc/bird/bird.conf && nft -c -f /etc/altnet/firewall.nft")
    again = lab.playbook("site.yml", *lab.FABRIC).ok()
    lab.show(f"after five kills, hosts that the next run changes: {[host for host, n in again.changed.items() if n]}")
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET
    for host in lab.addresses():
        left = lab.ssh(
            host,
            "find /etc /var/lib/altnet -xdev \\( -name '.*altnet*' -o -name '*.tmp' -o -path '*altnet*stage' -o -path '*altnet*journal*' \\)",
        )
        assert left == "", f"{host}: {left}"
    lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok()


@pytest.mark.parametrize("mode", [[], ["--check"]], ids=["run", "check"])
def test_a_broken_template_leaves_the_old_configuration_running(roles: Path, mode: list[str]) -> None:
    before = {host: bird(host) for host in lab.addresses()}
    break_template(roles, "protocol device", "protokol device")
    done = lab.playbook("site.yml", *mode, *lab.FABRIC, ANSIBLE_ROLES_PATH=str(roles))
    assert done.status != 0
    message = re.search(r"/etc/bird/bird\.conf:(\d+)(:\d+)? .*", done.output)
    assert message, done.output[-3000:]
    lab.show(message[0])
    # The first host to refuse is any of them, and a relay's file has lines that another's has not.
    lines = {lab.ssh(host, "grep -n 'protocol device' /etc/bird/bird.conf").split(":")[0] for host in lab.addresses()}
    assert message[1] in lines
    assert "protokol device" in done.output
    assert {host: bird(host) for host in lab.addresses()} == before


def test_a_jinja_error_names_template_and_line(roles: Path) -> None:
    before = {host: bird(host) for host in lab.addresses()}
    line = break_template(roles, "protocol device", "{{ nobody_set_this }}\nprotocol device")
    done = lab.playbook("site.yml", *lab.FABRIC, ANSIBLE_ROLES_PATH=str(roles))
    assert done.status != 0
    assert "nobody_set_this" in done.output
    assert re.search(rf"bird\.conf\.j2:{line}\b", done.output), done.output[-3000:]
    assert {host: bird(host) for host in lab.addresses()} == before


def test_a_configuration_that_loses_all_sessions_is_rolled_back(roles: Path) -> None:
    """BIRD accepts it; the health gate does not."""
    before = {host: bird(host)[0] for host in lab.addresses()}
    break_template(roles, "enforce first as on;", "enforce first as on;\n\tdisabled;")
    done = lab.playbook("site.yml", *lab.FABRIC, "-e", "bird_health_timeout=5", ANSIBLE_ROLES_PATH=str(roles))
    assert done.status != 0
    told = re.search(r"transaction bird failed at health: .*", done.output)
    assert told, done.output[-3000:]
    lab.show(told[0])
    assert {host: bird(host)[0] for host in lab.addresses()} == before
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET


def test_a_first_installation_passes_the_same_gate() -> None:
    """No baseline: a daemon that is loaded is enough, and one that does not stay up is not."""
    lab.ssh("core1", "systemctl disable --now bird; rm -rf /var/lib/altnet/transaction/bird /etc/bird/bird.conf")
    refused = lab.playbook(
        "site.yml", "--limit", "core1", *lab.FABRIC, "-e", '{"bird_extra_config": "log \\"/no/such/place\\" all;"}'
    )
    assert refused.status != 0, refused.output
    assert "transaction bird failed at" in refused.output
    assert lab.ssh("core1", "ls /etc/bird/bird.conf 2>/dev/null; systemctl is-active bird; true").strip() in {
        "inactive",
        "failed",
    }
    assert lab.playbook("site.yml", "--limit", "core1", *lab.FABRIC).ok().changed["core1"] == 1
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()


#: What somebody did by hand: on which host, by which command. Each round is mended by one run.
ROUNDS: list[dict[str, tuple[str, str]]] = [
    {
        "an interface is deleted": ("fra", "ip link delete an0-nyc"),
        "forwarding is off": ("fra", "sysctl -qw net.ipv6.conf.all.forwarding=0"),
        "the pair key is another": (
            "sin",
            "wg genpsk > /run/psk; wg set an0-fra peer $(wg show an0-fra peers) preshared-key /run/psk; rm /run/psk",
        ),
        "BIRD is stopped and disabled": ("core2", "systemctl disable --now bird"),
        "the firewall is gone": ("laptop1", "nft delete table inet altnet"),
        "the loopback is gone": (
            "core1",
            "ip -6 addr del $(ip -6 -o addr show dev lo | awk '$4 !~ /^::1/ {print $4}') dev lo",
        ),
    },
    {
        "a stranger is a peer": ("fra", "wg set an0-nyc peer $(wg genkey | wg pubkey) allowed-ips fd00::99/128"),
        "a tunnel's unit is disabled": ("nyc", "systemctl disable wg-quick@an0-fra"),
        "a tunnel's file is gone": ("sin", "rm /etc/wireguard/an0-fra.conf"),
        "BIRD's file is edited": ("core2", "echo '# by hand' >> /etc/bird/bird.conf"),
        "the firewall's file is readable by nobody": ("laptop1", "chmod 0000 /etc/altnet/firewall.nft"),
    },
]


@pytest.mark.parametrize("wrecks", ROUNDS, ids=["live", "files"])
def test_what_was_changed_by_hand_is_mended_in_one_run(wrecks: dict[str, tuple[str, str]]) -> None:
    """Check mode says on which hosts, one run mends them and changes no other, the next has nothing to do."""
    for host, command in wrecks.values():
        lab.ssh(host, command)
    hosts = {host for host, _ in wrecks.values()}
    dry = lab.playbook("site.yml", "--check", *lab.FABRIC).ok()
    assert {name for name, count in dry.changed.items() if count} == hosts
    mended = lab.playbook("site.yml", *lab.FABRIC).ok()
    assert {name for name, count in mended.changed.items() if count} == hosts
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()


def test_a_firewall_that_shuts_the_operator_out_takes_itself_back() -> None:
    """The new rules close ssh. The control node does not get in anew, and the host restores the old rules alone."""
    shut = lab.playbook(
        "site.yml", "--limit", "core1", "--tags", "host", "-e", '{"base_ssh_ports": [2222], "base_confirm_timeout": 15}'
    )
    assert shut.status != 0
    lab.show(re.findall(r".*(?:restore|roll).*", shut.output)[:3])
    deadline = time.monotonic() + 60
    while "in" not in lab.ssh("core1", "echo in", check=False, timeout=15):
        assert time.monotonic() < deadline, "core1 is locked"
        time.sleep(1)
    assert "dport 22 accept" in lab.ssh("core1", "nft list chain inet altnet input")
    assert lab.playbook("site.yml").ok().changed == QUIET
