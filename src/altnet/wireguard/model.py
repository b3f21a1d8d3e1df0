"""What a tunnel should be and what is there: plain data, secrets kept out of every representation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Only interfaces of this shape are ours: ``an``, the generation's parity, the neighbour's label.
OURS = re.compile(r"an[01]-[a-z0-9-]{1,11}")
UNIT_GLOB = "wg-quick@an[01]-*.service"
_UNIT = re.compile(r"wg-quick@(an[01]-[a-z0-9-]{1,11})\.service")


def unit_of(interface: str) -> str:
    """Return the systemd unit that brings an interface up."""
    return f"wg-quick@{interface}.service"


def interface_of(unit: str) -> str | None:
    """Return the interface of one of our units, None for any other unit."""
    found = _UNIT.fullmatch(unit)
    return found.group(1) if found else None


@dataclass(frozen=True)
class Paths:
    """Where things lie on a host."""

    keys: Path = Path("/etc/altnet/wireguard")
    confs: Path = Path("/etc/wireguard")
    wants: Path = Path("/etc/systemd/system/multi-user.target.wants")
    proc: Path = Path("/proc/net")
    tun: Path = Path("/dev/net/tun")
    orders: Path = Path("/var/lib/altnet/wireguard")

    def key(self, generation: int) -> Path:
        """Return the private key file of a generation."""
        return self.keys / f"{generation}.key"

    def conf(self, interface: str) -> Path:
        """Return the wg-quick configuration of an interface."""
        return self.confs / f"{interface}.conf"


@dataclass(frozen=True)
class Tunnel:
    """One desired tunnel: an interface of its own with exactly one peer.

    ``local`` is the link-local address without a prefix length, ``endpoint`` is ``address:port`` (IPv6 in
    brackets) or None where the neighbour has to come to us, ``keepalive`` is in seconds with 0 for none.
    """

    interface: str
    neighbour: str
    generation: int
    listen_port: int
    local: str
    public_key: str
    preshared_key: str = field(repr=False)
    endpoint: str | None
    allowed_ips: tuple[str, ...]
    keepalive: int


@dataclass(frozen=True)
class Peer:
    """A live peer; ``handshake`` is the Unix time of the last one, 0 for never."""

    public_key: str
    preshared_key: str | None = field(repr=False)
    endpoint: str | None
    allowed_ips: tuple[str, ...]
    handshake: int
    keepalive: int


@dataclass(frozen=True)
class Device:
    """A live WireGuard device as ``wg`` tells it."""

    private_key: str | None = field(repr=False)
    listen_port: int
    fwmark: int
    peers: tuple[Peer, ...] = ()


@dataclass(frozen=True)
class Link:
    """A live network interface as ``ip`` tells it; ``kind`` is ``wireguard``, ``tun``, ``veth`` or ``""``."""

    mtu: int
    up: bool
    kind: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """The state of a ``wg-quick@`` unit."""

    active: bool = False
    failed: bool = False
    enabled: bool = False
    masked: bool = False


@dataclass(frozen=True)
class ConfFile:
    """A wg-quick configuration as found; ``private`` says nobody but root can read it."""

    text: str = field(repr=False)
    private: bool


@dataclass(frozen=True)
class Live:
    """Everything that was read from the host, by interface name; ``keys`` are private keys by generation.

    ``devices`` and ``links`` hold foreign interfaces too (a port of theirs cannot be ours); ``units`` and
    ``confs`` only ours. ``now`` is the Unix time of the reading.
    """

    devices: Mapping[str, Device]
    links: Mapping[str, Link]
    units: Mapping[str, Unit]
    confs: Mapping[str, ConfFile]
    keys: Mapping[int, str] = field(repr=False)
    now: float
