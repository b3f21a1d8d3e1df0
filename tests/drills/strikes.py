"""What breaks. Each strike works through a shell on the hosts, and its end takes it back, whatever happened within."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from acceptance import lab

from .shells import Shells

#: A strike: entered when it begins, left when it ends.
Strike = AbstractContextManager[None]
#: The ports of tunnels: 10000 + 2 * id + generation mod 2, for ids up to 11383.
TUNNELS = "10000-32767"
#: The rules have a table of their own, which no run touches.
TABLE = "inet altnet_drill"
#: How a command reaches the router in front of core2, which is no host of the network.
ROUTER = shlex.split(os.environ.get("LAB_NAT", "docker exec altnet-lab-natgw"))


def rules(incoming: Iterable[str], outgoing: Iterable[str]) -> str:
    """Return the command that loads rules for what comes in and goes out, before every other filter."""
    text = f"table {TABLE} {{}}\ndelete table {TABLE}\ntable {TABLE} {{\n"
    for hook, lines in (("input", incoming), ("output", outgoing)):
        text += f" chain {hook} {{ type filter hook {hook} priority -300; policy accept;\n"
        text += "".join(f"  {line}\n" for line in lines) + " }\n"
    return f"nft -f - <<'NFT'\n{text}}}\nNFT"


@contextlib.contextmanager
def dropping(shells: Shells, hosts: list[str], incoming: list[str], outgoing: list[str]) -> Iterator[None]:
    """Drop packets on hosts by rules of nftables; WireGuard does not mind that its own sending is refused."""
    try:
        shells.all(rules(incoming, outgoing), hosts)
        yield
    finally:
        shells.all(f"nft delete table {TABLE} 2>/dev/null || ! nft list table {TABLE} >/dev/null 2>&1", hosts)


def silent_link(shells: Shells, host: str, neighbour: str, share: int = 100) -> Strike:
    """A line that loses ``share`` percent of what goes through it, both ways, and says nothing about it."""
    ports = [shells.run(host, f"wg show {tunnel(host, neighbour)} listen-port").strip()]
    loss = "" if share == 100 else f"numgen random mod 100 < {share} "
    return dropping(
        shells, [host],
        [f"udp dport {port} {loss}drop" for port in ports],
        [f"udp sport {port} {loss}drop" for port in ports],
    )  # fmt: skip


def silent_hosts(shells: Shells, hosts: list[str]) -> Strike:
    """Hosts that the network hears nothing of any more, as if somebody had pulled their plugs."""
    return dropping(shells, hosts, [f"udp dport {TUNNELS} drop"], [f"udp sport {TUNNELS} drop"])


def tunnel(host: str, neighbour: str) -> str:
    """Return the newest interface of a host's tunnel with a neighbour."""
    hosts = lab.ledger()["hosts"]
    generations = hosts[host]["tunnels"].get(neighbour) or hosts[neighbour]["tunnels"].get(host)  # type: ignore[attr-defined]
    assert generations, f"{host} and {neighbour} have no tunnel"
    return f"an{generations[-1] % 2}-{hosts[neighbour]['label']}"


def links() -> list[tuple[str, str]]:
    """Return the pairs of hosts that have a tunnel, by the ledger."""
    hosts = lab.ledger()["hosts"]
    here = lab.addresses()
    return [
        (name, other)
        for name in here
        for other in hosts[name]["tunnels"]  # type: ignore[attr-defined]
        if other in here
    ]


#: Stops BIRD and the userspace tunnels for nine tenths of every 100 ms, as a control group's quota of 10 % does.
STARVE = """
import os, signal, subprocess, sys, time
names = ["bird", "wireguard-go"]
pids = [int(p) for n in names for p in subprocess.run(["pidof", n], capture_output=True, text=True).stdout.split()]
def tell(what):
    for pid in pids:
        try: os.kill(pid, what)
        except ProcessLookupError: pass
end = time.monotonic() + float(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
try:
    while time.monotonic() < end:
        tell(signal.SIGSTOP); time.sleep(0.09)
        tell(signal.SIGCONT); time.sleep(0.01)
finally:
    tell(signal.SIGCONT)
"""


@contextlib.contextmanager
def slow_host(shells: Shells, host: str) -> Iterator[None]:
    """Give BIRD, and WireGuard where it is a process, a tenth of the time."""
    program = shlex.quote(STARVE)
    pid = shells.run(host, f"python3 -c {program} 60 >/dev/null 2>&1 & echo $!").strip()
    try:
        yield
    finally:
        shells.run(host, f"kill {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.05; done", check=False)


@contextlib.contextmanager
def new_address(_: Shells) -> Iterator[None]:
    """Give the router in front of core2 another public address: every mapping of its NAT is another one at once."""
    router("10.77.0.2", "10.77.0.99")
    try:
        yield
    finally:
        router("10.77.0.99", "10.77.0.2")


def router(old: str, new: str) -> None:
    """Change the router's address; the kernel forgets the mappings that used the old one."""
    script = (
        f"dev=$(ip -4 -o addr show to {old}/32 | awk '{{print $2}}') && "
        "via=$(ip -4 route show default | cut -d' ' -f3) && "
        f'ip -4 addr del {old}/24 dev "$dev" && ip -4 addr add {new}/24 dev "$dev" && '
        'if [ -n "$via" ]; then ip -4 route replace default via "$via"; fi'
    )
    done = subprocess.run([*ROUTER, "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the router: {done.stderr}"


@contextlib.contextmanager
def clock_back(shells: Shells, host: str, seconds: int) -> Iterator[None]:
    """Set a host's clock back (chrony stopped), and right again at the end."""
    shells.run(host, "systemctl stop chrony 2>/dev/null; true")
    try:
        shells.run(host, f"date -s @$(($(date +%s) - {seconds})) >/dev/null")
        yield
    finally:
        shells.run(host, f"date -s @$(($(date +%s) + {seconds})) >/dev/null; systemctl start chrony 2>/dev/null; true")


#: Where a run and the services of the host write. On a container the disk is the machine's, so these get small ones.
WRITTEN = ("/etc/altnet", "/etc/bird", "/etc/wireguard", "/var/lib/altnet", "/root/.ansible")


@contextlib.contextmanager
def full_disk(shells: Shells, host: str) -> Iterator[None]:
    """Leave no free block where runs write: the whole disk of a machine, small file systems in a container."""
    container = "container=" in shells.run(host, "tr '\\0' '\\n' </proc/1/environ")
    fill = {True: small_disks, False: real_disk}[container]
    with fill(shells, host):
        yield


@contextlib.contextmanager
def small_disks(shells: Shells, host: str) -> Iterator[None]:
    """Cover each directory with a copy of itself that is full to the last block."""
    covered: list[str] = []
    try:
        for place in WRITTEN:
            shells.run(
                host,
                f"mkdir -p {place} && rm -rf /run/drill && cp -a {place} /run/drill && "
                f"mount -t tmpfs -o size=1m,mode=$(stat -c %a {place}) drill {place}",
            )
            covered.append(place)
            shells.run(host, f"cp -a /run/drill/. {place}/ && rm -rf /run/drill")
            shells.run(host, f"cat /dev/zero >{place}/.fill 2>/dev/null; true")
        yield
    finally:
        for place in reversed(covered):
            # What a run left there stays, as it would on a disk.
            shells.run(
                host,
                f"rm -f {place}/.fill && cp -a {place} /run/drill && umount {place} && "
                f"find {place} -mindepth 1 -delete && cp -a /run/drill/. {place}/ && rm -rf /run/drill",
            )


@contextlib.contextmanager
def real_disk(shells: Shells, host: str) -> Iterator[None]:
    """Take every free block of the root file system, root's reserve too."""
    try:
        shells.run(
            host,
            "fallocate -l $(($(stat -f -c '%f * %S' /))) /var/.fill 2>/dev/null; "
            "cat /dev/zero >>/var/.fill 2>/dev/null; true",
            timeout=120,
        )
        yield
    finally:
        shells.run(host, "rm -f /var/.fill")
