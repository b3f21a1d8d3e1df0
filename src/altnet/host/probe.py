"""One look at a host before anything is changed on it: what it is, what it has, what is missing."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..transaction import order
from ..wireguard import kernel
from ..wireguard.runner import HostRunner, Runner
from . import resolution
from .standing import Once, standing
from .state import bgp_sessions

#: Debian releases that the roles are tested on.
SUPPORTED = {"12": "bookworm", "13": "trixie"}
#: While this file exists, every play refuses the host; its text is the reason shown.
STOP_FILE = Path("/etc/altnet/stop")


def os_release(text: str) -> dict[str, str]:
    """Parse os-release(5) into its assignments, quotes removed."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip().strip("\"'") for key, _, value in pairs}


def output(*argv: str) -> str:
    """Return a command's output; empty where there is no such command, as on a system that is not Debian."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def kernel_wireguard(runner: Runner | None = None) -> bool:
    """Return whether the kernel makes WireGuard devices."""
    return kernel.probe(runner or HostRunner()).kernel


def installed(packages: Iterable[str]) -> list[str]:
    """Return those of ``packages`` that dpkg says are installed."""
    names = sorted(set(packages))
    if not names:
        return []
    lines = output("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names).splitlines()
    present = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in names if name in present]


def router_advertisement_interfaces(root: Path = Path("/proc/sys/net/ipv6/conf")) -> list[str]:
    """Return the interfaces on which the kernel has to go on listening to router advertisements.

    A kernel that forwards stops listening and drops the default route it got that way, unless accept_ra is 2. An
    interface counts where it is 2 already (so that a second look finds what the first one led to), or where it is
    1 and there is such a route. Where it is 0 somebody else listens (systemd-networkd), and nothing is to be done.
    """
    try:
        routes = json.loads(output("ip", "-6", "-j", "route", "show", "default") or "[]")
    except ValueError:
        routes = []
    learnt = [route for route in routes if route.get("protocol") == "ra"]
    hops = {str(hop["dev"]) for route in learnt for hop in (route, *route.get("nexthops", ())) if "dev" in hop}
    found = []
    for path in sorted(root.glob("*/accept_ra")):
        name = path.parent.name
        with contextlib.suppress(OSError):
            value = path.read_text().strip()
            if name not in {"all", "default"} and (value == "2" or (value == "1" and name in hops)):
                found.append(name)
    return found


def foreign_drops() -> list[str]:
    """Return the filter chains of others, as ``family table chain``, whose policy is to drop."""
    try:
        rows = json.loads(output("nft", "-j", "list", "chains") or "{}").get("nftables", [])
    except ValueError:
        return []
    chains = [row["chain"] for row in rows if "chain" in row]
    return sorted(
        f"{chain['family']} {chain['table']} {chain['name']}"
        for chain in chains
        if chain.get("policy") == "drop"
        and chain.get("hook") in {"input", "forward"}
        and chain["family"] in {"inet", "ip", "ip6"}
        and (chain["family"], chain["table"]) != ("inet", "altnet")
        # A family that the underlay's tunnels and the fabric do not use together: forwarded IPv4 is not ours.
        and (chain["family"], chain["hook"]) != ("ip", "forward")
    )


def sets_clock(status: Path = Path("/proc/self/status")) -> bool:
    """Return whether this host may set its clock (CAP_SYS_TIME, bit 25); a container's host keeps it otherwise."""
    effective = next((line.split()[1] for line in status.read_text().splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> 25 & 1)


def ipv6_disabled(root: Path = Path("/proc/sys/net/ipv6/conf")) -> bool:
    """Return whether new interfaces would have no IPv6."""
    try:
        return any((root / scope / "disable_ipv6").read_text().strip() == "1" for scope in ("all", "default"))
    except OSError:
        return True


def stop_reason(path: Path = STOP_FILE) -> str | None:
    """Return the stop file's text, ``"no reason given"`` for an empty one, None where there is none.

    One that cannot be read stops as well.
    """
    try:
        return path.read_text(errors="replace").strip() or "no reason given"
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"the reason cannot be read ({error.strerror})"


def ssh_host_keys(directory: Path = Path("/etc/ssh")) -> list[str]:
    """Return the public keys by which ssh clients know this host, each as type and key without its comment."""
    found = []
    for path in sorted(directory.glob("ssh_host_*_key.pub")):
        with contextlib.suppress(OSError):
            found.append(" ".join(path.read_text(errors="replace").split()[:2]))
    return found


def orders() -> dict[str, Any]:
    """Return under ``standing`` which orders hold, as ``probe`` does, and nothing else."""
    return {"standing": standing(Once(HostRunner()))}


def probe(packages: Iterable[str], release_file: Path = Path("/etc/os-release")) -> dict[str, Any]:
    """Return the facts, and under ``problems`` what keeps Altnet from running here: ``{variable, what, remedy}``."""
    release = os_release(release_file.read_text(errors="replace")) if release_file.is_file() else {}
    problems = []
    runner = Once(HostRunner())

    def problem(variable: str, what: str, remedy: str) -> None:
        problems.append({"variable": variable, "what": what, "remedy": remedy})

    if release.get("ID") != "debian" or release.get("VERSION_ID") not in SUPPORTED:
        problem(
            "ansible_host",
            f"runs {release.get('PRETTY_NAME', 'an unknown system')}, which is not supported",
            "install Debian " + " or ".join(f"{number} ({name})" for number, name in SUPPORTED.items()),
        )
    if not Path("/run/systemd/system").is_dir():
        problem("ansible_host", "is not run by systemd", "boot it with systemd as init")
    if ipv6_disabled():
        problem(
            "net.ipv6.conf.all.disable_ipv6",
            "IPv6 is switched off in the kernel, and the fabric is IPv6",
            "set net.ipv6.conf.all.disable_ipv6 and net.ipv6.conf.default.disable_ipv6 to 0",
        )
    if os.geteuid() != 0:
        problem(
            "ansible_user",
            "is not root and did not become root",
            "set ansible_user to root, or ansible_become to true",
        )
    return {
        "release": release.get("VERSION_CODENAME", ""),
        "kernel_wireguard": kernel_wireguard(runner),
        "packages": installed(packages),
        "ra_interfaces": router_advertisement_interfaces(),
        "foreign_drops": foreign_drops(),
        "sets_clock": sets_clock(),
        "resolv_conf": resolution.before(),
        "nameservers": resolution.nameservers(),
        "ssh_host_keys": ssh_host_keys(),
        "bgp_established": [name for name, state in bgp_sessions().items() if state == "Established"],
        "time": time.time(),
        "stop": stop_reason(),
        "problems": problems,
        "transactions": order.known(),
        "standing": standing(runner),
    }
