"""A live mesh: one BIRD with its real generated configuration for each relay, veth pairs in place of the tunnels.

Every instance runs in a network namespace of its own; what counts is the kernel's routing table there, which BIRD
fills: a relay is complete when the loopbacks of all others are in it.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from altnet.plan import compute

from . import netns, network
from .figures import Figure, Report, median
from .measure import processor, proportional, status
from .render import BirdConf

SIZES = (100, 300)
PATIENCE = 120.0
LINKS = 10
RELAYS = 5
PING_EVERY = 0.01
DROP_IN = 'table inet cut {{ chain in {{ type filter hook prerouting priority -350; iifname "{0}" drop; }}; }}'
DROP_OUT = 'table inet cut {{ chain out {{ type filter hook postrouting priority 350; oifname "{0}" drop; }}; }}'
_ROUTE = re.compile(rb"^(fd123456789a0{16}[0-9a-f]{4}) 80 .* (an[01]-\S+)$", re.MULTILINE)


@dataclass
class Relay:
    """One relay of the mesh; ``process`` is its BIRD."""

    piece: dict[str, Any]
    namespace: str
    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The host's name."""
        return str(self.piece["name"])

    @property
    def loopback(self) -> bytes:
        """The loopback as the kernel prints it."""
        return f"fd123456789a{self.piece['id']:020x}".encode()

    @property
    def neighbours(self) -> dict[str, str]:
        """The interface to each neighbour, by the neighbour's name."""
        return {entry["neighbour"]: entry["interface"] for entry in self.piece["tunnels"]}

    def start(self) -> None:
        """Start BIRD, in the foreground so that its process is ours."""
        files = ("-c", self.directory / f"{self.name}.conf", "-s", self.directory / f"{self.name}.ctl")
        self.process = netns.start(self.namespace, "/usr/sbin/bird", "-f", *files)

    def routes(self) -> dict[bytes, bytes]:
        """Return the interface by which each loopback is reached, from the kernel."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.namespace}: BIRD ended with {self.process.returncode}")
        return dict(_ROUTE.findall(Path(f"/proc/{self.process.pid}/net/ipv6_route").read_bytes()))

    def drop(self, interface: str, *rules: str) -> None:
        """Drop on an interface (``an*`` for all) what the rules say."""
        text = "\n".join(rules).format(interface)
        subprocess.run(netns.inside(self.namespace, "nft", "-f", "-"), input=text.encode(), check=True, timeout=30)


def run(report: Report) -> None:
    """Measure each size."""
    netns.need("ip", "nft", "bird", "ping", "sysctl")
    version = subprocess.run(["bird", "--version"], capture_output=True, text=True, check=False).stderr.split()[-1]
    for size in SIZES:
        with ExitStack() as stack:
            if not stack.enter_context(netns.room_for_neighbours(64 * size)):
                report.without(f"mesh, {size} relays", "the neighbour table (gc_thresh3) is too small, and not ours")
                continue
            start = time.monotonic()
            relays = stack.enter_context(mesh(size))
            built = time.monotonic() - start
            measure(report, f"mesh, {size} relays (BIRD {version})", relays, built)


@contextmanager
def mesh(size: int) -> Iterator[list[Relay]]:
    """Build the network of ``size`` relays up to the point where BIRD is all that is missing."""
    known = network.inventory(network.relays(size))
    plan = compute(known, network.ledger(known))
    bird_conf = BirdConf()
    with log_socket(), tempfile.TemporaryDirectory(prefix="altnet-bench-") as path, netns.made(plan.names) as names:
        relays = [Relay(plan.slice(name), full, Path(path)) for name, full in zip(plan.names, names, strict=True)]
        netns.batch(links(relays))
        for relay in relays:
            (Path(path) / f"{relay.name}.conf").write_text(bird_conf.text(relay.piece))
            netns.batch(addresses(relay), relay.namespace)
            forwarding = netns.inside(relay.namespace, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
            subprocess.run(forwarding, check=True, timeout=30)
        try:
            yield relays
        finally:
            for relay in relays:
                if relay.process is not None:
                    relay.process.kill()
                    relay.process.wait(timeout=30)


@contextmanager
def log_socket(path: Path = Path("/dev/log")) -> Iterator[None]:
    """Take what BIRD logs, where the machine has nobody who does.

    Else the C library writes every line to the console, and a hundred processes wait for one serial line.
    """
    if path.exists():
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taker:
        taker.bind(str(path))
        try:
            threading.Thread(target=_take, args=(taker,), daemon=True).start()
            yield
        finally:
            path.unlink()
            with contextlib.suppress(OSError):
                taker.shutdown(socket.SHUT_RDWR)


def _take(taker: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while taker.recv(65536):
            pass


def links(relays: list[Relay]) -> Iterator[str]:
    """Yield ip's commands for a veth pair in place of each tunnel, with the tunnel's names at both ends."""
    by_name = {relay.name: relay for relay in relays}
    for relay in relays:
        for entry in relay.piece["tunnels"]:
            other = by_name[entry["neighbour"]]
            if relay.piece["id"] < other.piece["id"]:
                there = next(x for x in other.piece["tunnels"] if x["neighbour"] == relay.name)
                ends = f"{entry['interface']} netns {relay.namespace}", f"{there['interface']} netns {other.namespace}"
                yield f"link add {ends[0]} mtu 1420 type veth peer name {ends[1]} mtu 1420"


def addresses(relay: Relay) -> Iterator[str]:
    """Yield ip's commands for the plan's addresses, and no others."""
    yield f"addr add {relay.piece['loopback']}/128 dev lo nodad"
    for entry in relay.piece["tunnels"]:
        yield f"link set {entry['interface']} addrgenmode none"
        yield f"addr add {entry['local']}/64 dev {entry['interface']} nodad"
        yield f"link set {entry['interface']} up"


def measure(report: Report, subject: str, relays: list[Relay], built: float) -> None:
    """Start every BIRD, wait for every route, then break links and relays."""
    start = time.monotonic()
    for relay in relays:
        relay.start()
    last = time.monotonic()
    converged = wait_complete(relays, relays) - last
    pids = [relay.process.pid for relay in relays if relay.process is not None]
    report.add(
        f"{subject}, start",
        Figure(
            "from the last start until everybody has every route", converged, "s", 2 if len(relays) == 100 else None
        ),
        Figure("for the starts", last - start, "s"),
        Figure("of processor for all BIRDs", sum(map(processor, pids)), "s"),
        Figure("for the namespaces and links", built, "s"),
    )
    resident = [status(pid, "VmRSS") for pid in pids]
    report.add(
        f"{subject}, memory of one BIRD",
        Figure("resident at most", max(resident), "MB", 8),
        Figure("in the middle", median(resident), "MB"),
        Figure("proportional in the middle", median([proportional(pid) for pid in pids]), "MB"),
    )
    step = len(relays) // LINKS
    around, silent = zip(*(dead_link(relays, relays[index * step]) for index in range(LINKS)), strict=True)
    report.add(
        f"{subject}, a link dies silently ({LINKS} times)",
        Figure("until both ends route around it, at most", max(around), "s", 1),
        Figure("in the middle", median(around), "s"),
        Figure("without an answer to pings, at most", max(silent), "s", 1),
        Figure("in the middle", median(silent), "s"),
    )
    alive = list(relays)
    doomed = [relays[index * len(relays) // RELAYS + step // 2] for index in range(RELAYS)]
    times = [dead_relay(alive, relay) for relay in doomed]
    around, forgotten = zip(*times, strict=True)
    report.add(
        f"{subject}, a relay dies silently ({RELAYS} times)",
        Figure("until its neighbours route around it, at most", max(around), "s", 1),
        Figure("in the middle", median(around), "s"),
        Figure("until nobody has a route to it, at most", max(forgotten), "s"),
    )


def wait_complete(relays: list[Relay], wanted: list[Relay]) -> float:
    """Return the time at which every one of ``relays`` has a route to every one of ``wanted``.

    They are asked one after the other: who has everything is not asked again until all have, so that asking
    takes nothing from those who still work.
    """
    deadline = time.monotonic() + PATIENCE
    loopbacks = {relay.loopback for relay in wanted}
    while True:
        for relay in relays:
            for _ in netns.until(deadline, 0.01):
                if loopbacks <= {relay.loopback, *relay.routes()}:
                    break
        end = time.monotonic()
        if all(loopbacks <= {relay.loopback, *relay.routes()} for relay in relays):
            return end


def dead_link(relays: list[Relay], one: Relay) -> tuple[float, float]:
    """Drop everything on a relay's first tunnel; return the seconds until both ends are around it, and of silence."""
    name, interface = next(iter(one.neighbours.items()))
    other = next(relay for relay in relays if relay.name == name)
    # The shortest path between the two is the tunnel itself.
    argv = ("ping", "-6", "-D", "-n", "-i", f"{PING_EVERY}", "-w", "4", "-I", one.piece["loopback"])
    ping = subprocess.Popen(
        netns.inside(one.namespace, *argv, other.piece["loopback"]), stdout=subprocess.PIPE, text=True
    )
    time.sleep(0.5)
    start = time.monotonic()
    # Where it arrives: a sender would be told of what is dropped on its own way out.
    ends = ((one, interface), (other, other.neighbours[one.name]))
    for relay, gone in ends:
        relay.drop(gone, DROP_IN)
    for relay, gone in ends:
        for _ in netns.until(start + PATIENCE):
            routes = relay.routes()
            if len(routes) == len(relays) - 1 and gone.encode() not in routes.values():
                break
    around = time.monotonic() - start
    answered = [float(text) for text in re.findall(r"^\[([0-9.]+)\] \d+ bytes", ping.communicate(timeout=30)[0], re.M)]
    return around, max(after - before for before, after in itertools.pairwise(answered))


def dead_relay(alive: list[Relay], dead: Relay) -> tuple[float, float]:
    """Drop everything a relay sends and gets, and take it out of ``alive``.

    Returns the seconds until its neighbours have all their routes elsewhere, and until nobody has one to it.
    """
    alive.remove(dead)
    neighbours = [relay for relay in alive if dead.name in relay.neighbours]
    start = time.monotonic()
    dead.drop("an*", DROP_IN, DROP_OUT)
    wanted = {relay.loopback for relay in alive}
    for relay in neighbours:
        gone = relay.neighbours[dead.name].encode()
        for _ in netns.until(start + PATIENCE):
            routes = relay.routes()
            if gone not in routes.values() and wanted <= {relay.loopback, *routes}:
                break
    around = time.monotonic() - start
    for relay in alive:
        for _ in netns.until(start + PATIENCE):
            if dead.loopback not in relay.routes():
                break
    return around, time.monotonic() - start
