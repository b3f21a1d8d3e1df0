"""Two hosts in network namespaces of this machine, with the real wg, wg-quick, ip and wireguard-go.

Only systemd is played: its units do what ``wg-quick@.service`` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from wireguard_fakes import FakeUnit, entry, key

from altnet.wireguard import keys
from altnet.wireguard.model import Paths, interface_of
from altnet.wireguard.runner import Done, HostRunner
from altnet.wireguard.tunnels import Outcome, Wish, reconcile

TOOLS = ("wg", "wg-quick", "wireguard-go", "ip", "unshare", "nsenter", "ping")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
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
]


class Namespace:
    """A host: a network namespace with its own /run/wireguard, and units that call wg-quick."""

    def __init__(self, root: Path, number: int) -> None:
        self.paths = Paths(keys=root / "keys", confs=root / "conf", wants=root / "wants")
        self.number = number
        self.units: dict[str, FakeUnit] = {}
        self.log: list[tuple[str, ...]] = []
        self._output = root / "output"
        self._plain = HostRunner(timeout=30)
        script = "mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && echo up && exec cat"
        command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script]
        self.holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == "up\n"

    def sh(self, *argv: str, stdin: str | None = None) -> Done:
        return self._plain.run(("nsenter", "-t", str(self.holder.pid), "-n", "-m", *argv), stdin)

    def must(self, command: str) -> str:
        done = self.sh(*command.split())
        assert done.code == 0, (command, done.err)
        return done.out

    def run(self, argv: Sequence[str], stdin: str | None = None) -> Done:
        self.log.append(tuple(argv))
        if argv[0] == "systemctl":
            return self._systemctl(argv[1], [one for one in argv[2:] if not one.startswith("--")], argv)
        return Done(0) if argv[0] == "journalctl" else self.sh(*argv, stdin=stdin)

    def _systemctl(self, verb: str, names: list[str], argv: Sequence[str]) -> Done:
        if verb == "show":
            return Done(0, "\n\n".join(self._properties(name) for name in names if "[" not in name))
        for name in names:
            unit = self.units.setdefault(name, FakeUnit())
            if verb in {"enable", "disable"}:
                unit.enabled = f"{verb}d"
            if verb in {"restart", "disable"} and unit.active == "active":
                self._quick("down", name)
                unit.active = "inactive"
            if verb == "restart" or (verb == "enable" and "--now" in argv and unit.active != "active"):
                unit.active = "active" if self._quick("up", name) == 0 else "failed"
        return Done(0)

    def _properties(self, name: str) -> str:
        unit = self.units.get(name, FakeUnit())
        return f"Id={name}\nActiveState={unit.active}\nUnitFileState={unit.enabled}"

    def _quick(self, verb: str, unit: str) -> int:
        # To a file: wireguard-go stays and would keep a pipe open.
        conf = self.paths.conf(interface_of(unit) or "")
        return self.sh("sh", "-c", f"wg-quick {verb} {conf} >>{self._output} 2>&1").code

    def bring(self, entries: list[dict[str, Any]], *, check: bool = False, **wish: Any) -> Outcome:
        self.log.clear()
        return reconcile(self, entries, Wish(paths=self.paths, **wish), check_mode=check)

    def close(self) -> None:
        self.sh("sh", "-c", "for one in /run/wireguard/*.sock; do rm -f $one; done")  # ends wireguard-go
        self.holder.kill()
        self.holder.wait()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Namespace, Namespace]]:
    hosts = []
    try:
        for number in (1, 2):
            root = tmp_path / str(number)
            root.mkdir()
            hosts.append(Namespace(root, number))
        one, two = hosts
        one.must(f"ip link add under type veth peer name under netns {two.holder.pid}")
        for host in hosts:
            host.must(f"ip addr add 192.0.2.{host.number}/24 dev under")
            host.must("ip link set under up")
            host.must("ip link set lo up")
        yield one, two
    finally:
        for host in hosts:
            host.close()


def tunnels(host: Namespace, other: Namespace, publics: dict[int, str], **changed: Any) -> list[dict[str, Any]]:
    return [
        entry(
            "peer",
            other.number,
            local=f"fe80::{host.number}",
            public_key=publics[other.number],
            preshared_key=key("the pair"),
            endpoint=f"192.0.2.{other.number}:{10000 + 2 * host.number}",
            **changed,
        )
    ]


def reach(host: Namespace, other: Namespace) -> bool:
    for _ in range(20):
        if host.sh("ping", "-c1", "-W1", f"fe80::{other.number}%an0-peer").code == 0:
            return True
        time.sleep(0.1)
    return False


WRECKS = [
    "ip link set dev an0-peer mtu 1300",
    "ip link set dev an0-peer mtu 1200",
    "ip link set dev an0-peer down",
    "ip addr flush dev an0-peer",
    "ip addr add fe80::77/64 dev an0-peer",
    "wg set an0-peer listen-port 4444 fwmark 9",
    f"wg set an0-peer peer {key('stranger')} allowed-ips fd00::/8",
    "wg set an0-peer private-key /dev/null",
    "wg set an0-peer peer {peer} remove",
    "wg set an0-peer peer {peer} preshared-key /dev/null persistent-keepalive 9",
    "ip link delete dev an0-peer",
    "rm /run/wireguard/an0-peer.sock",
]


def test_two_hosts(pair: tuple[Namespace, Namespace]) -> None:
    one, two = pair
    made = {host: keys.ensure(host, host.paths, [0], prune=False, check_mode=False) for host in pair}
    publics = {host.number: made[host].public[0] for host in pair}
    assert keys.ensure(one, one.paths, [0], prune=False, check_mode=False).public == {0: publics[1]}
    wanted = {one: tunnels(one, two, publics), two: tunnels(two, one, publics)}
    for host in pair:
        assert host.bring(wanted[host], check=True).result()["created"] == ["an0-peer"]
        done = host.bring(wanted[host])
        assert done.result()["created"] == ["an0-peer"]
        assert not host.bring(wanted[host]).changes
    assert reach(one, two)
    assert one.bring(wanted[one]).backend in {"kernel", "userspace"}

    for wreck in WRECKS:
        one.must(wreck.format(peer=publics[2]))
        if wreck.startswith("rm"):
            time.sleep(0.3)  # wireguard-go watches its socket and ends
        checked = one.bring(wanted[one], check=True)
        assert checked.changes, wreck
        assert one.bring(wanted[one]).changes == checked.changes, wreck
        assert not one.bring(wanted[one]).changes, wreck
        assert reach(one, two), wreck

    # A changed pair key and a new interface beside it leave the link's process and session in place.
    before = one.must("wg show an0-peer latest-handshakes")
    index = one.must("ip -o link show dev an0-peer").split(":")[0]
    one.bring([{**wanted[one][0], "keepalive": 25}])
    assert one.must("wg show an0-peer latest-handshakes") == before
    assert one.must("ip -o link show dev an0-peer").split(":")[0] == index
    assert one.bring([]).result()["removed"] == ["an0-peer"]
    assert one.sh("ip", "link", "show", "dev", "an0-peer").code != 0
    assert not list(one.paths.confs.iterdir())
    assert not one.bring([]).changes
