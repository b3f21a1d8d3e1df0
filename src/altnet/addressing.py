"""The arithmetic of addresses: one /48, and everything else from a host's id.

Nothing here reads a file or keeps state. Addresses are 128-bit integers until the moment they are written,
and are written in the canonical form of RFC 5952. The layout of the /48 is one table, :data:`RANGES`, from
which the reference page is generated.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import math
import os
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Literal

from .errors import AltnetError, CapacityError, Problem

PREFIX_LENGTH = 48
MAX_HOST_ID = 0x2C77
"""The last id: the port 10000 + 2·id + 1 stays below 32768, where the kernel's ephemeral range begins."""
DEFAULT_ASN_BASE = 4_200_000_000
MAX_ASN = 4_294_967_294
PORT_BASE = 10_000
KEY_BYTES = 32
_LINK_LOCAL = 0xFE80 << 112
_NTP_EPOCH = 2_208_988_800  # 1900-01-01 to 1970-01-01 in seconds, RFC 5905 §6


@dataclass(frozen=True)
class Range:
    """A stretch of one of the network's number spaces, both ends included.

    ``space`` says what ``first`` and ``last`` count: ``subnet`` the 16 bits that follow the /48,
    ``interface`` the low 64 bits of an address in the infrastructure /64, ``port`` UDP ports of a host,
    ``asn`` the distance from ``altnet_asn_base``. ``capacity`` is the number of things (not of numbers) that
    fit. ``remedy`` is what an operator does when it is used up.
    """

    name: str
    space: Literal["subnet", "interface", "port", "asn"]
    first: int
    last: int
    capacity: int
    description: str
    remedy: str = ""


_SECOND_NETWORK = "ids are never given out twice, so build a second network with its own prefix beside this one"

INFRASTRUCTURE = Range("infrastructure", "subnet", 0x0000, 0x0000, 1, "The /64 of loopbacks and services")
RELAY_SUBNETS = Range(
    "relay subnets", "subnet", 0x0001, MAX_HOST_ID, MAX_HOST_ID, "A relay's own /64, numbered like its id",
    _SECOND_NETWORK,
)  # fmt: skip
RESERVED = Range("reserved", "subnet", 0x2C78, 0x3FFF, 0, "Kept for later use")
DEVICES = Range("devices", "subnet", 0x4000, 0x4000, 1, "The /64 of members' devices, addressed by their keys")
DEVICES_RESERVED = Range("devices, reserved", "subnet", 0x4001, 0x40FF, 0, "Kept for more /64s of devices")
MEMBER_PREFIXES = Range(
    "member prefixes", "subnet", 0x4100, 0xFFFF, 191, "The /56s of members who route",
    "let members who route bring a /48 of their own (RFC 4193) instead of a /56 of the network's",
)  # fmt: skip
LOOPBACKS = Range(
    "loopbacks", "interface", 1, MAX_HOST_ID, MAX_HOST_ID, "A host's one address, numbered like its id",
    _SECOND_NETWORK,
)  # fmt: skip
SERVICES = Range(
    "services", "interface", 0x1_0001, 0x1_FFFF, 0xFFFF, "Addresses of services that live on one host",
    "retire services that are no longer used and give their numbers again",
)  # fmt: skip
ANYCAST = Range(
    "anycast", "interface", 0x2_0001, 0x2_FFFF, 0xFFFF, "Addresses that several hosts announce",
    "retire anycast services that are no longer used and give their numbers again",
)  # fmt: skip
PORTS = Range(
    "tunnel ports", "port", PORT_BASE + 2, PORT_BASE + 2 * MAX_HOST_ID + 1, MAX_HOST_ID,
    "Two UDP ports for each neighbour: 10000 + 2·id, and the next one while keys rotate", _SECOND_NETWORK,
)  # fmt: skip
ASNS = Range(
    "AS numbers",
    "asn",
    1,
    MAX_HOST_ID,
    MAX_HOST_ID,
    "altnet_asn_base + id (RFC 6996, 32 bits)",
    _SECOND_NETWORK,
)
MEMBER_ASNS = Range(
    "members' AS numbers", "asn", 0x1_0000, 0x1_FFFF, 0x1_0000, "Of members who route: no host can have them",
    "build a second network beside this one",
)  # fmt: skip

RANGES: tuple[Range, ...] = (
    INFRASTRUCTURE, RELAY_SUBNETS, RESERVED, DEVICES, DEVICES_RESERVED, MEMBER_PREFIXES,
    LOOPBACKS, SERVICES, ANYCAST, PORTS, ASNS, MEMBER_ASNS,
)  # fmt: skip
"""Every number space of a network. The ``subnet`` entries cover the /48 without a gap."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A network's /48: ``network`` is its first address as a 128-bit integer. See :func:`parse_prefix`."""

    network: int

    def __str__(self) -> str:
        return f"{format_address(self.network)}/{PREFIX_LENGTH}"


def format_address(value: int) -> str:
    """Write a 128-bit integer as an IPv6 address in the canonical form of RFC 5952."""
    return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))


def parse_prefix(text: str, *, allow_fc00: bool = False, variable: str = "altnet_prefix") -> Prefix:
    """Read a network's prefix: a /48 of fd00::/8 with no bits set behind it.

    ``allow_fc00`` admits fc00::/8 too, which RFC 4193 §3.2 leaves undefined. ``variable`` names the input in
    the :class:`AltnetError` raised for anything else.
    """
    remedy = "give a /48 such as fd12:3456:789a::/48, or leave altnet_prefix out and one is generated"
    try:
        interface = ipaddress.IPv6Interface(text)
    except (ValueError, TypeError):
        raise AltnetError(Problem("", variable, f"{text!r} is not an IPv6 prefix", remedy)) from None
    if "/" not in text or interface.network.prefixlen != PREFIX_LENGTH or interface.scope_id is not None:
        raise AltnetError(Problem("", variable, f"{text!r} is not a /{PREFIX_LENGTH}", remedy))
    value, network = int(interface.ip), int(interface.network.network_address)
    if value != network:
        what = f"{text!r} has bits set behind its /{PREFIX_LENGTH}"
        raise AltnetError(Problem("", variable, what, f"write {interface.network}"))
    if value >> 120 == 0xFC and not allow_fc00:
        what = f"{text!r} is in fc00::/8, which RFC 4193 leaves for a registry that does not exist"
        mend = "use a prefix of fd00::/8, or set altnet_allow_fc00 to true if you joined a network that uses it"
        raise AltnetError(Problem("", variable, what, mend))
    if value >> 121 != 0xFC >> 1:
        what = f"{text!r} is outside fd00::/8, the unique local addresses that a network may take for itself"
        raise AltnetError(Problem("", variable, what, remedy))
    return Prefix(value)


def eui64_from_mac(mac: int) -> int:
    """Return the EUI-64 of a 48-bit MAC address: ff:fe goes in the middle (RFC 4291, appendix A).

    The universal/local bit stays as it is: RFC 4193 asks for the EUI-64, not for the interface identifier
    that is made from it.
    """
    return (mac >> 24) << 40 | 0xFFFE << 24 | (mac & 0xFFFFFF)


def ntp_time(nanoseconds: int) -> int:
    """Return a Unix time in nanoseconds as a 64-bit NTP timestamp (RFC 5905 §6), which wraps in 2036."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return ((seconds + _NTP_EPOCH) & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def prefix_from(time_of_day: int, eui64: int) -> Prefix:
    """Make a prefix by the algorithm of RFC 4193 §3.2.2.

    ``time_of_day`` is a 64-bit NTP timestamp and ``eui64`` a 64-bit identifier of this machine. Their SHA-1
    gives the 40 bits of the global identifier, behind fd00::/8.
    """
    key = time_of_day.to_bytes(8, "big") + eui64.to_bytes(8, "big")
    global_id = hashlib.sha1(key, usedforsecurity=False).digest()[-5:]
    return Prefix(0xFD << 120 | int.from_bytes(global_id, "big") << 80)


def generate_prefix() -> str:
    """Make a new prefix from the time and this machine's MAC address, or random bits where it has none."""
    mac = uuid.getnode()
    invented = bool(mac >> 40 & 1)  # uuid sets the multicast bit when it found no MAC and made one up
    eui64 = int.from_bytes(os.urandom(8), "big") if invented else eui64_from_mac(mac)
    return str(prefix_from(ntp_time(time.time_ns()), eui64))


def _used_up(space: Range, asked: str) -> CapacityError:
    what = f"the range is used up: it has room for {space.capacity}, and {asked}"
    return CapacityError(Problem("", space.name, what, space.remedy))


def check_id(host_id: int, space: Range = LOOPBACKS) -> int:
    """Return ``host_id`` if it is one; raise :class:`CapacityError` past the last, ValueError below 1."""
    if host_id < 1:
        raise ValueError(f"a host id is 1 or more, not {host_id}")
    if host_id > MAX_HOST_ID:
        raise _used_up(space, f"number {host_id} was asked for")
    return host_id


def loopback(prefix: Prefix, host_id: int) -> str:
    """Return the one address of a host: ``::<id>`` in the infrastructure /64."""
    return format_address(prefix.network | check_id(host_id, LOOPBACKS))


def relay_subnet(prefix: Prefix, host_id: int) -> str:
    """Return the /64 of a relay: the subnet numbered like its id."""
    return f"{format_address(prefix.network | check_id(host_id, RELAY_SUBNETS) << 64)}/64"


def _indexed(prefix: Prefix, space: Range, index: int) -> str:
    if index < 1:
        raise ValueError(f"an index in {space.name} is 1 or more, not {index}")
    if index > space.capacity:
        raise _used_up(space, f"number {index} was asked for")
    return format_address(prefix.network | (space.first - 1 + index))


def service_address(prefix: Prefix, index: int) -> str:
    """Return the address of a service on one host: ``::1:<index>``, index from 1 to 65535."""
    return _indexed(prefix, SERVICES, index)


def anycast_address(prefix: Prefix, index: int) -> str:
    """Return an address that several hosts announce: ``::2:<index>``, index from 1 to 65535."""
    return _indexed(prefix, ANYCAST, index)


def device_subnet(prefix: Prefix) -> str:
    """Return the /64 in which members' devices have the addresses of their keys."""
    return f"{format_address(prefix.network | DEVICES.first << 64)}/64"


def member_prefix(prefix: Prefix, index: int) -> str:
    """Return the /56 number ``index`` (from 0) for a member who routes; CapacityError past the last."""
    if index < 0:
        raise ValueError(f"the index of a member's prefix is 0 or more, not {index}")
    if index >= MEMBER_PREFIXES.capacity:
        raise _used_up(MEMBER_PREFIXES, f"number {index + 1} was asked for")
    return f"{format_address(prefix.network | (MEMBER_PREFIXES.first + (index << 8)) << 64)}/56"


def link_local(host_id: int) -> str:
    """Return the address that a host has on every one of its tunnels: ``fe80::<id>``, in fe80::/64."""
    return format_address(_LINK_LOCAL | check_id(host_id))


def listen_port(neighbour_id: int, generation: int) -> int:
    """Return the UDP port on which a host listens for one neighbour and generation, below 32768."""
    return PORT_BASE + 2 * check_id(neighbour_id, PORTS) + generation % 2


def asn(base: int, host_id: int) -> int:
    """Return a host's AS number, ``base`` + id; CapacityError past the private range of RFC 6996."""
    number = base + check_id(host_id, ASNS)
    if number > MAX_ASN:
        what = f"AS number {number} is past {MAX_ASN}, the last private one of RFC 6996"
        raise CapacityError(Problem("", "altnet_asn_base", what, f"a new network may use {DEFAULT_ASN_BASE}"))
    return number


def member_asn(base: int, index: int) -> int:
    """Return the AS number ``index`` (from 0) for a member who routes; CapacityError past the last."""
    number = base + MEMBER_ASNS.first + index
    if index < 0:
        raise ValueError(f"the index of a member's AS number is 0 or more, not {index}")
    if index >= MEMBER_ASNS.capacity or number > MAX_ASN:
        raise _used_up(MEMBER_ASNS, f"number {index + 1} was asked for")
    return number


def router_id(host_id: int) -> str:
    """Return a host's BGP identifier: its id as four bytes, for example ``0.0.44.119``."""
    return socket.inet_ntop(socket.AF_INET, check_id(host_id).to_bytes(4, "big"))


def reverse_zone(network: str) -> str:
    """Return the ip6.arpa zone of an IPv6 network, without a dot at its end (RFC 3596 §2.5).

    The length must be a multiple of 4, because a label is a nibble; an address without one is a /128. Raises
    :class:`AltnetError` for anything else.
    """
    try:
        parsed = ipaddress.IPv6Network(network)
    except ValueError as error:
        problem = Problem("", "reverse zone", f"{network!r} is not an IPv6 network ({error})", "give a network")
        raise AltnetError(problem) from None
    nibbles, rest = divmod(parsed.prefixlen, 4)
    if rest:
        what = f"{network!r} does not end at a nibble, so no single zone of ip6.arpa is its reverse"
        raise AltnetError(Problem("", "reverse zone", what, "give a length that is a multiple of 4"))
    digits = f"{int(parsed.network_address):032x}"[:nibbles]
    return ".".join((*reversed(digits), "ip6", "arpa"))


def decode_key(public_key: str) -> bytes:
    """Return the 32 bytes of a WireGuard public key in base64; ValueError for any other text.

    Only the canonical spelling passes: base64 of 32 bytes has two spare bits, and one key must have one
    spelling.
    """
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"it has {len(raw)} bytes instead of {KEY_BYTES}")
    if base64.b64encode(raw).decode() != public_key:
        raise ValueError("its last character has spare bits set, so that it is a second spelling of another key")
    return raw


def is_reserved_identifier(identifier: int) -> bool:
    """Say whether RFC 5453 keeps a 64-bit interface identifier from hosts."""
    return (
        identifier == 0
        or 0x0200_5EFF_FE00_0000 <= identifier <= 0x0200_5EFF_FEFF_FFFF
        or 0xFDFF_FFFF_FFFF_FF80 <= identifier <= 0xFDFF_FFFF_FFFF_FFFF
    )


def key_identifier(public_key: str) -> int:
    """Return the interface identifier of a WireGuard public key: the first 64 bits of its SHA-256.

    All 64 bits are the hash's. The universal/local and group bits are not forced to a value: RFC 7136 gives
    them no meaning in an identifier that is opaque, and each one forced would halve the work of forging an
    address. Raises :class:`AltnetError` for what is no key, and for the one key in 2^40 whose identifier is
    reserved.
    """
    remedy = "take the public key as 'wg pubkey' prints it: 44 characters, the last of them '='"
    try:
        raw = decode_key(public_key)
    except ValueError as error:
        raise AltnetError(Problem("", "public key", f"{public_key!r} is no key: {error}", remedy)) from None
    identifier = int.from_bytes(hashlib.sha256(raw).digest()[:8], "big")
    if is_reserved_identifier(identifier):
        what = f"the address of {public_key!r} would be one that RFC 5453 reserves"
        raise AltnetError(Problem("", "public key", what, "make a new key"))
    return identifier


def key_address(public_key: str, subnet: str) -> str:
    """Return the address that a WireGuard public key has in a /64; AltnetError if either is not that."""
    try:
        network = ipaddress.IPv6Network(subnet)
    except ValueError as error:
        problem = Problem("", "subnet", f"{subnet!r} is not an IPv6 network ({error})", "give a /64")
        raise AltnetError(problem) from None
    if network.prefixlen != 64:
        raise AltnetError(Problem("", "subnet", f"{subnet!r} is not a /64", "give a /64"))
    return format_address(int(network.network_address) | key_identifier(public_key))


def collision_probability(count: int, bits: int = 64) -> float:
    """Return the chance that two of ``count`` random numbers of ``bits`` bits are one (RFC 4193 §3.2.3).

    With 64 bits: two of this many devices have one address. With 40: two of this many networks that join each
    other have one prefix. The RFC's approximation, 1 - exp(-count² / 2^(bits + 1)), is a little too high.
    """
    return -math.expm1(-(count**2) / 2 ** (bits + 1))
