"""What the kernel lab has to be, from the same description that the container lab is made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
DESCRIPTION = ROOT / "lab" / "underlay.yml"


@dataclass(frozen=True)
class Network:
    """A wire: the bridge has the first address of each subnet."""

    name: str
    ipv4: IPv4Network
    ipv6: IPv6Network | None

    @property
    def bridge(self) -> list[str]:
        """Return the bridge's own addresses, with prefix lengths."""
        return [f"{net.network_address + 1}/{net.prefixlen}" for net in (self.ipv4, self.ipv6) if net]


@dataclass(frozen=True)
class Link:
    """A machine's end of a wire."""

    network: Network
    ipv4: IPv4Interface
    ipv6: IPv6Interface | None


@dataclass(frozen=True)
class Machine:
    """A host of the lab, or (with ``nat_inside``) the router in front of one."""

    name: str
    image: str
    links: tuple[Link, ...]
    gateway: str
    nat_inside: str

    @property
    def address(self) -> str:
        """Return the address at which it is reached by ssh."""
        return str(self.links[0].ipv4.ip)

    @property
    def mac(self) -> str:
        """Return a hardware address that no other machine has: its IPv4 address in it."""
        return "02:00:" + ":".join(f"{byte:02x}" for byte in self.links[0].ipv4.ip.packed)

    @property
    def machine_id(self) -> str:
        """Return a machine-id(5) that is the machine's own and the same at every boot."""
        return hashlib.sha256(f"altnet-kernel {self.name}".encode()).hexdigest()[:32]


def read(path: Path = DESCRIPTION) -> tuple[list[Network], list[Machine]]:
    """Return the wires and the machines that lab/underlay.yml describes."""
    loaded = yaml.safe_load(path.read_text())
    networks = {}
    for name, subnets in loaded["lab_networks"].items():
        ipv6 = IPv6Network(subnets["ipv6"]) if "ipv6" in subnets else None
        networks[name] = Network(name.removeprefix("altnet-lab-"), IPv4Network(subnets["ipv4"]), ipv6)
    machines = []
    for name, host in loaded["lab_hosts"].items():
        env = host.get("env", {})
        links = tuple(
            link(networks[network], addresses, with_ipv6=env.get("LAB_FAMILIES") != "ipv4")
            for network, addresses in host["networks"].items()
        )
        gateway = env.get("LAB_GATEWAY") or str(links[0].network.ipv4.network_address + 1)
        machines.append(Machine(name, host["image"], links, gateway, env.get("LAB_NAT_INSIDE", "")))
    return list(networks.values()), machines


def link(network: Network, addresses: dict[str, str], *, with_ipv6: bool) -> Link:
    """Return a machine's end of ``network``, with the prefix lengths from there."""
    ipv4 = IPv4Interface(f"{addresses['ipv4']}/{network.ipv4.prefixlen}")
    if not with_ipv6 or network.ipv6 is None or "ipv6" not in addresses:
        return Link(network, ipv4, None)
    return Link(network, ipv4, IPv6Interface(f"{addresses['ipv6']}/{network.ipv6.prefixlen}"))
