"""The kernel lab's wires: bridges in one network namespace, the NAT router in another, and a way out for apt.

Nothing of it is in the machine's own namespace, so a container lab with the same addresses may run beside it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from .underlay import Machine, Network

NAMESPACE = "altnet-kernel"
NAT_NAMESPACE = "altnet-kernel-nat"
#: The interface by which slirp4netns, a process in the machine's own namespace, carries what leaves the lab.
UPLINK = "uplink"
#: Hosts of user-mode Linux do not take segments that the sender's card was to cut.
NO_SEGMENTS = "gso_max_segs 1 gso_max_size 1500"
#: The lab's networks do not reach each other but by the NAT router; what leaves has this machine's address.
RULES = """
table inet lab {
  chain forward {
    type filter hook forward priority filter
    iifname "underlay" oifname "inside" drop
    iifname "inside" oifname "underlay" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "uplink" masquerade
  }
}
"""
#: Like a home router: what starts inside gets a mapping, nothing starts from outside.
NAT_RULES = """
table ip lab_nat {{
  chain forward {{
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    ip saddr {inside} accept
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat
    ip saddr {inside} ip daddr != {inside} masquerade random
  }}
}}
"""


def command(*argv: str, text: str | None = None, check: bool = True) -> str:
    """Run a command and return its output; a failure shows what it said."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


def inside(namespace: str, *argv: str, text: str | None = None) -> str:
    """Run a command in a network namespace."""
    return command("ip", "netns", "exec", namespace, *argv, text=text)


def links(namespace: str, lines: Iterable[str]) -> None:
    """Run ip(8) commands in a namespace, all in one process."""
    command("ip", "-n", namespace, "-batch", "-", text="\n".join(lines) + "\n")


def exists(namespace: str = NAMESPACE) -> bool:
    """Return whether a network namespace is there."""
    return (Path("/run/netns") / namespace).exists()


def up(networks: Iterable[Network], machines: Iterable[Machine]) -> None:
    """Make namespaces, bridges, the router, the way out and every host's plug."""
    for namespace in (NAMESPACE, NAT_NAMESPACE):
        command("ip", "netns", "add", namespace)
        # Where the machine's docker has bridges filtered, frames between hosts would pass the rules for packets.
        settings = ["net.ipv4.ip_forward=1"]
        look = "cd /proc/sys/net/bridge && ls bridge-nf-call-* || true"
        settings += [f"net.bridge.{name}=0" for name in inside(namespace, "sh", "-c", look).split()]
        inside(namespace, "sysctl", "-q", "-w", *settings)
    lines = ["link set lo up"]
    for network in networks:
        lines.append(f"link add {network.name} type bridge mcast_snooping 0")
        lines += [f"address add {address} dev {network.name} nodad" for address in network.bridge]
        lines.append(f"link set {network.name} up")
    for machine in machines:
        lines += router_plugs(machine) if machine.nat_inside else plug(machine)
    links(NAMESPACE, lines)
    inside(NAMESPACE, "nft", "-f", "-", text=RULES)
    for machine in machines:
        if machine.nat_inside:
            router(machine)
    way_out()


def plug(machine: Machine) -> list[str]:
    """Return the commands for a host's cable: p-NAME in the bridge, h-NAME for the host's process to hold."""
    outer, inner = f"p-{machine.name}", f"h-{machine.name}"
    bridge = machine.links[0].network.name
    return [
        f"link add {outer} type veth peer name {inner}",
        f"link set {outer} {NO_SEGMENTS} addrgenmode none master {bridge} up",
        # The namespace itself is not to answer on the host's end.
        f"link set {inner} {NO_SEGMENTS} addrgenmode none arp off up",
    ]


def router_plugs(machine: Machine) -> list[str]:
    """Return the commands for the router's two cables, whose far ends go to its namespace."""
    lines = []
    for number, link in enumerate(machine.links):
        outer = f"p-{machine.name}{number}"
        lines.append(f"link add {outer} type veth peer name eth{number} netns {NAT_NAMESPACE}")
        lines.append(f"link set {outer} {NO_SEGMENTS} addrgenmode none master {link.network.name} up")
    return lines


def router(machine: Machine) -> None:
    """Give the NAT router its addresses and rules."""
    lines = ["link set lo up"]
    for number, link in enumerate(machine.links):
        lines.append(f"link set eth{number} {NO_SEGMENTS} up")
        lines += [f"address add {address} dev eth{number} nodad" for address in (link.ipv4, link.ipv6) if address]
    links(NAT_NAMESPACE, [*lines, f"route add default via {machine.gateway}"])
    inside(NAT_NAMESPACE, "nft", "-f", "-", text=NAT_RULES.format(inside=machine.nat_inside))


def way_out() -> None:
    """Start the process that carries what leaves the lab, for apt on a host that has nothing yet."""
    reader, writer = os.pipe()
    argv = [
        "slirp4netns", "--configure", "--mtu=1500", "--disable-host-loopback", f"--ready-fd={writer}",
        "--netns-type=path", f"/run/netns/{NAMESPACE}", UPLINK,
    ]  # fmt: skip
    subprocess.Popen(
        argv, pass_fds=[writer], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader, "rb") as ready:
        if ready.read(1) != b"1":
            raise SystemExit("slirp4netns did not start: the lab has no way out. Does /dev/net/tun exist?")


def processes() -> set[int]:
    """Return every process that is in one of the lab's namespaces or serves it, without this one's ancestors."""
    found = set()
    for namespace in (NAMESPACE, NAT_NAMESPACE):
        if exists(namespace):
            found |= {int(pid) for pid in command("ip", "netns", "pids", namespace, check=False).split()}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            argv = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if argv[0].endswith(b"slirp4netns") and f"/run/netns/{NAMESPACE}".encode() in argv:
            found.add(int(path.parent.name))
    return found - ancestors()


def ancestors() -> set[int]:
    """Return this process and those above it."""
    pid, found = os.getpid(), set()
    while pid > 0:
        found.add(pid)
        status = Path(f"/proc/{pid}/status").read_text()
        pid = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
    return found


def kill(pids: set[int], patience: float = 10) -> None:
    """End processes without asking, and wait until they are gone."""
    # A session's leader is a host's kernel: first, or it would tell its console of every process it loses.
    for pid in sorted(pids, key=lambda pid: not leads(pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + patience
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise SystemExit(f"processes {sorted(pid for pid in pids if alive(pid))} do not end")
        time.sleep(0.02)


def leads(pid: int) -> bool:
    """Return whether a process leads its session."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def down() -> None:
    """End everything in the namespaces and remove them, whoever made them."""
    kill(processes())
    for namespace in (NAMESPACE, NAT_NAMESPACE):
        if exists(namespace):
            command("ip", "netns", "delete", namespace)
