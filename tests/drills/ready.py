"""Is everything up? BFD comes some seconds after BGP, and a strike in between would measure BGP's hold time."""

from __future__ import annotations

import time

import yaml
from acceptance import lab

from .shells import Shells

LOOK = "birdc show protocols; birdc show bfd sessions; ip -6 route show proto bird | wc -l"


def sessions(text: str) -> tuple[int, int, int]:
    """Return how many BGP sessions there are, are established, and have BFD up."""
    lines = [line.split() for line in text.splitlines()]
    bgp = [line for line in lines if len(line) > 3 and line[1] == "BGP"]
    bfd = [line for line in lines if len(line) > 2 and line[0].startswith("fe80:") and line[2] == "Up"]
    return len(bgp), sum("Established" in line for line in bgp), len(bfd)


def down(shells: Shells, hosts: list[str] | None = None) -> dict[str, str]:
    """Return what is not up, by host."""
    told = shells.all(LOOK, hosts)
    seen = {host: sessions(text) for host, text in told.items()}
    return {
        host: f"{count} sessions, {up} established, {bfd} with BFD"
        for host, (count, up, bfd) in seen.items()
        if not count == up == bfd or count == 0
    }


def wait_until_up(shells: Shells, within: float = 90) -> float:
    """Wait until every session of every host is established and BFD is up on it; return the seconds it took."""
    start = time.monotonic()
    while missing := down(shells):
        assert time.monotonic() - start < within, f"not up after {within} s: {missing}"
        time.sleep(0.25)
    return time.monotonic() - start


def relays() -> list[str]:
    """Return the hosts that are relays, by the inventory."""
    return list(groups()["relays"]["hosts"])


def regions() -> dict[str, list[str]]:
    """Return the hosts of each region that has more than one."""
    found: dict[str, list[str]] = {}
    for group in groups().values():
        for host, variables in group["hosts"].items():
            # Groups that say what else a host does repeat its name alone.
            if "altnet_region" in variables:
                found.setdefault(variables["altnet_region"], []).append(host)
    return {region: hosts for region, hosts in found.items() if len(hosts) > 1}


def groups() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """Return the groups of the inventory's file."""
    loaded: dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]]
    loaded = yaml.safe_load((lab.INVENTORY / "hosts.yml").read_text())["lab"]
    return loaded["children"]
