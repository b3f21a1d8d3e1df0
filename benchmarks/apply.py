"""Applying twenty tunnels: one call of our module's code beside wg-quick for each interface.

Real wg, wg-quick, ip and interfaces, in a namespace; on a kernel without WireGuard, wireguard-go for both. Only systemd
is played, in our favour by the few milliseconds of one `systemctl show`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from altnet.wireguard.keyfile import clamp
from altnet.wireguard.model import Paths, interface_of
from altnet.wireguard.runner import Done, HostRunner
from altnet.wireguard.tunnels import Wish, reconcile

from . import netns, network
from .figures import Figure, Report, median
from .measure import ROOT
from .measure import run as command

COUNT = 20
RUNS = 5
#: Each interface by itself, gently: what has not changed stays up.
QUICK = {
    "up": 'for conf in "$1"/*.conf; do wg-quick up "$conf"; done',
    "sync": 'for conf in "$1"/*.conf; do wg syncconf "$(basename "$conf" .conf)" <(wg-quick strip "$conf"); done',
    "down": 'for conf in "$1"/*.conf; do wg-quick down "$conf"; done',
}


class PlayedSystemd(HostRunner):
    """Runs commands; units do what wg-quick@.service does, and are active while their interface is there."""

    def __init__(self, confs: Path, log: Path) -> None:
        super().__init__()
        self._confs, self._log = confs, log

    def run(self, argv: Sequence[str], stdin: str | None = None) -> Done:
        """Run ``argv``; systemctl's verbs here."""
        if argv[0] != "systemctl":
            return super().run(argv, stdin)
        names = [name for word in argv[2:] if not word.startswith("--") and (name := interface_of(word))]
        if argv[1] == "show":
            return Done(0, "\n\n".join(map(self._shown, names)))
        if "--now" in argv:
            # To a file: wireguard-go stays, and would keep a pipe open.
            verb = "up" if argv[1] == "enable" else "down"
            for name in names:
                super().run(("sh", "-c", f"wg-quick {verb} {self._confs / name}.conf >>{self._log} 2>&1"))
        return Done(0)

    @staticmethod
    def _shown(name: str) -> str:
        state = "active" if Path("/sys/class/net", name).exists() else "inactive"
        return f"Id=wg-quick@{name}.service\nActiveState={state}\nUnitFileState=enabled"


def entries(variant: int) -> list[dict[str, Any]]:
    """Return the module's tunnels; another ``variant`` has other endpoints."""
    keys = network.public_keys([f"r{number:05d}" for number in range(2, COUNT + 2)])
    return [
        {
            "interface": f"an0-{name}", "neighbour": name, "generation": 0, "listen_port": 10000 + 2 * number,
            "local": "fe80::1", "public_key": own[0], "preshared_key": own[0], "keepalive": 0,
            "endpoint": f"192.0.2.{number + 100 * variant}:10002", "allowed_ips": ["fd00::/8", "fe80::/64"],
        }
        for number, (name, own) in enumerate(keys.items(), 2)
    ]  # fmt: skip


def run(report: Report) -> None:
    """Measure making, checking and changing."""
    netns.need("ip", "wg", "wg-quick", "sh", "mount")
    kernel = kernel_has_it()
    if not kernel:
        netns.need("wireguard-go")
        if not Path("/dev/net/tun").exists():
            report.without("apply", "the kernel has no WireGuard, and wireguard-go needs /dev/net/tun")
            return
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as path, netns.made(["apply"]) as (namespace,):
        home = Path(path)
        (home / "keys").mkdir(mode=0o700)
        (home / "keys" / "0.key").write_text(clamp(bytes(range(32))) + "\n")
        (home / "keys" / "0.key").chmod(0o600)
        ours = {
            "make": [module(namespace, home, 0, changed=True)],
            "no change": [module(namespace, home, 0, changed=False) for _ in range(RUNS)],
            "change": [module(namespace, home, variant % 2 + 1, changed=True) for variant in range(RUNS)],
        }
        quick(namespace, home, "down")
        theirs = {"make": [quick(namespace, home, "up")]}
        theirs["no change"] = [quick(namespace, home, "sync") for _ in range(RUNS)]
        theirs["change"] = []
        for variant in range(RUNS):
            for conf in (home / "conf").glob("*.conf"):
                old, new = (f"Endpoint = 192.0.2.{'12'[(variant + turn) % 2]}" for turn in (0, 1))
                conf.write_text(conf.read_text().replace(old, new))
            theirs["change"].append(quick(namespace, home, "sync"))
    where = "kernel" if kernel else "wireguard-go"
    for what, times in ours.items():
        one, other = median(times), median(theirs[what])
        goal = None if what == "make" else 1.0  # both call wg-quick as often
        report.add(
            f"apply {COUNT} tunnels ({where}), {what}",
            Figure("of processor, one module call", one, "s"),
            Figure("of processor, wg-quick for each interface", other, "s"),
            Figure("of its time", one / other, "", goal),
        )


def kernel_has_it() -> bool:
    """Say whether this kernel makes WireGuard devices."""
    with netns.made(["probe"]) as (namespace,):
        argv = ["ip", "-n", namespace, "link", "add", "probe", "type", "wireguard"]
        return subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode == 0


def module(namespace: str, home: Path, variant: int, *, changed: bool) -> float:
    """Return the processor seconds of one call in a process of its own, Python's start included."""
    seconds = inside(namespace, home, [sys.executable, "-m", "benchmarks.apply", str(home), str(variant)])
    result = json.loads((home / "log").read_text().splitlines()[-1])
    if result["changed"] != changed:
        raise RuntimeError(f"a run that was to say changed={changed} said {result}")
    return seconds


def quick(namespace: str, home: Path, verb: str) -> float:
    """Return the processor seconds of wg-quick for each interface."""
    return inside(namespace, home, ["bash", "-euc", QUICK[verb], "bash", str(home / "conf")])


def inside(namespace: str, home: Path, argv: list[str]) -> float:
    """Run a command in the namespace with a /run/wireguard of its own, kept by a mount on a directory of ours."""
    (home / "run").mkdir(exist_ok=True)
    script = f'mkdir -p /run/wireguard && mount --bind {home / "run"} /run/wireguard && exec "$@" >>{home / "log"} 2>&1'
    try:
        return command(netns.inside(namespace, "sh", "-c", script, "sh", *argv), cwd=ROOT).cpu
    except RuntimeError as error:
        raise RuntimeError(f"{error}: {(home / 'log').read_text()[-2000:]}") from None


def child(home: Path, variant: int) -> None:
    """One call of the module's code."""
    paths = Paths(keys=home / "keys", confs=home / "conf", wants=home / "wants")
    done = reconcile(PlayedSystemd(paths.confs, home / "log"), entries(variant), Wish(paths=paths))
    print(json.dumps(done.result()))


if __name__ == "__main__":
    child(Path(sys.argv[1]), int(sys.argv[2]))
