"""Throughput and memory between two hosts: our tunnel, nebula and yggdrasil, both ends on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from altnet.wireguard.keyfile import clamp

from . import netns
from .apply import kernel_has_it
from .figures import Figure, Report
from .measure import AbsentError, status

SECONDS = 3
RUNS = 3  # the best counts: what else the machine does only ever takes away
MTU = 1420
PATIENCE = 20.0


@dataclass(frozen=True)
class Pair:
    """Two hosts with a network between them; ``home`` is for files."""

    one: str
    two: str
    home: Path


@dataclass(frozen=True)
class Way:
    """A way from one to the other: the address of the second, and the programs whose memory counts."""

    address: str
    processes: tuple[subprocess.Popen[bytes], ...] = ()


def run(report: Report) -> None:
    """Measure each, the bare network first."""
    netns.need("ip", "iperf3", "wg", "sh", "ping")
    backend = "kernel" if kernel_has_it() else "wireguard-go"
    ours = measure(report, "bare veth", bare, None) and measure(report, f"our tunnel ({backend})", wireguard, None)
    for name, way in (("nebula", nebula), ("yggdrasil", yggdrasil)):
        measure(report, name, way, ours)


def measure(report: Report, name: str, way: Callable[[Pair], Way], ours: float | None) -> float | None:
    """Measure one way in namespaces of its own; return its throughput, None where it cannot be had."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="altnet-bench-") as home,
            netns.made(["one", "two"]) as (one, two),
        ):
            netns.batch([f"link add under netns {one} type veth peer name under netns {two}"])
            for number, host in ((1, one), (2, two)):
                netns.batch([f"addr add 192.0.2.{number}/24 dev under", "link set under up"], host)
            path = way(Pair(one, two, Path(home)))
            wait_for(one, path.address)
            speed = max(iperf(Pair(one, two, Path(home)), path.address) for _ in range(RUNS))
            memory = [status(process.pid, "VmRSS") for process in path.processes]
    except AbsentError as error:
        report.without(f"data plane, {name}", str(error))
        return None
    figures = [Figure("", speed / 1e9, "Gbit/s")]
    if memory:
        figures.append(Figure("at an end after it", max(memory), "MB"))
    if ours:
        figures.append(Figure("of our throughput", speed / ours, "", 1))
    report.add(f"data plane, {name}", *figures)
    return speed


def bare(_: Pair) -> Way:
    """Nothing between them."""
    return Way("192.0.2.2")


def wireguard(pair: Pair) -> Way:
    """Configure a tunnel as our role does: MTU, AllowedIPs, addresses."""
    keys = {one: clamp(one.encode().ljust(32, b"-")) for one in (pair.one, pair.two)}
    publics = {
        one: subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout.strip()
        for one, key in keys.items()
    }
    kernel, processes = kernel_has_interface(pair), []
    for number, (host, other) in enumerate(((pair.one, pair.two), (pair.two, pair.one)), 1):
        if not kernel:
            netns.need("wireguard-go")
            own = pair.home / str(number)
            own.mkdir()
            # Its sockets lie in one directory of the machine, by the interface's name: each end has its own.
            script = f"mkdir -p /run/wireguard && mount --bind {own} /run/wireguard && exec wireguard-go -f an0-peer"
            processes.append(netns.start(host, "sh", "-c", script))
            wait_until((own / "an0-peer.sock").exists)
        conf = pair.home / f"{number}.conf"
        conf.write_text(
            f"[Interface]\nPrivateKey = {keys[host]}\nListenPort = 1000{number}\n[Peer]\nPublicKey = {publics[other]}\n"
            f"AllowedIPs = fd00::/8, fe80::/64\nEndpoint = 192.0.2.{3 - number}:1000{3 - number}\n"
        )
        mount = (
            f"mkdir -p /run/wireguard; mount --bind {pair.home / str(number)} /run/wireguard; " if not kernel else ""
        )
        subprocess.run(netns.inside(host, "sh", "-ec", f"{mount}wg setconf an0-peer {conf}"), check=True, timeout=30)
        netns.batch(
            [
                f"addr add fd12:3456:789a::{number}/128 dev lo nodad",
                f"addr add fe80::{number}/64 dev an0-peer nodad",
                f"link set an0-peer mtu {MTU} up",
                f"route add fd12:3456:789a::{3 - number}/128 dev an0-peer src fd12:3456:789a::{number}",
            ],
            host,
        )
    return Way("fd12:3456:789a::2", tuple(processes))


def kernel_has_interface(pair: Pair) -> bool:
    """Make the kernel's interfaces at both ends, and say whether it has any."""
    argv = [["ip", "-n", host, "link", "add", "an0-peer", "type", "wireguard"] for host in (pair.one, pair.two)]
    return all(subprocess.run(one, capture_output=True, timeout=60, check=False).returncode == 0 for one in argv)


def nebula(pair: Pair) -> Way:
    """Two nebula hosts, the first a lighthouse, the same MTU as ours."""
    netns.need("nebula", "nebula-cert")

    def cert(*argv: str) -> None:
        subprocess.run(["nebula-cert", *argv], cwd=pair.home, check=True, capture_output=True, timeout=30)

    cert("ca", "-name", "bench")
    processes = []
    for number, host in ((1, pair.one), (2, pair.two)):
        cert("sign", "-name", f"host{number}", "-ip", f"198.51.100.{number}/24")
        lighthouse = "  am_lighthouse: true" if number == 1 else "  hosts: [198.51.100.1]"
        (pair.home / f"{number}.yml").write_text(
            f"pki: {{ca: {pair.home}/ca.crt, cert: {pair.home}/host{number}.crt, key: {pair.home}/host{number}.key}}\n"
            'static_host_map: {"198.51.100.1": ["192.0.2.1:4242"]}\n'
            f"lighthouse:\n{lighthouse}\nlisten: {{host: 0.0.0.0, port: 4242}}\n"
            f"tun: {{dev: nebula1, mtu: {MTU}}}\npunchy: {{punch: false}}\n"
            "firewall:\n  outbound: [{port: any, proto: any, host: any}]\n"
            "  inbound: [{port: any, proto: any, host: any}]\n"
        )
        processes.append(netns.start(host, "nebula", "-config", pair.home / f"{number}.yml"))
    return Way("198.51.100.2", tuple(processes))


def yggdrasil(pair: Pair) -> Way:
    """Two yggdrasil nodes, the second calls the first, the same MTU as ours."""
    netns.need("yggdrasil")
    processes, address = [], ""
    for number, host in ((1, pair.one), (2, pair.two)):
        plain = subprocess.run(
            ["yggdrasil", "-genconf", "-json"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        settings = json.loads(plain)
        settings |= {"IfMTU": MTU, "MulticastInterfaces": [], "AdminListen": "none", "IfName": "ygg0"}
        settings |= {"Listen": ["tls://192.0.2.1:4243"]} if number == 1 else {"Peers": ["tls://192.0.2.1:4243"]}
        conf = pair.home / f"{number}.json"
        conf.write_text(json.dumps(settings))
        processes.append(netns.start(host, "yggdrasil", "-useconffile", conf))
        argv = ["yggdrasil", "-useconffile", str(conf), "-address"]
        address = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    return Way(address, tuple(processes))


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    for _ in netns.until(time.monotonic() + PATIENCE, 0.05):
        if true():
            return


def wait_for(namespace: str, address: str) -> None:
    """Wait until an address answers."""
    ping = netns.inside(namespace, "ping", "-c", "1", "-W", "1", address)
    wait_until(lambda: subprocess.run(ping, capture_output=True, timeout=10, check=False).returncode == 0)


def iperf(pair: Pair, address: str) -> float:
    """Return the bits a second of one TCP stream."""
    server = netns.start(pair.two, "iperf3", "-s", "-1")
    try:
        argv = netns.inside(pair.one, "iperf3", "-J", "-t", str(SECONDS), "-O", "1", "-c", address)
        for _ in netns.until(time.monotonic() + PATIENCE, 0.2):
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
            answer = json.loads(done.stdout or "{}")
            if "error" not in answer:
                return float(answer["end"]["sum_received"]["bits_per_second"])
            if not re.search("refused|connect", answer["error"]):
                raise RuntimeError(f"iperf3: {answer['error']}")
    finally:
        server.kill()
        server.wait(timeout=30)
    raise RuntimeError("iperf3 did not begin")
