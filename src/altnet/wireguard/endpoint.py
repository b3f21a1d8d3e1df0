"""Endpoints and addresses in one spelling, so that equal things compare equal."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_interface, ip_network

_ENDPOINT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})")
#: Host ids are smaller than this, so no tunnel's own link-local has a longer identifier.
_OWN_IDENTIFIERS = 1 << 16


def endpoint(value: str) -> str:
    """Return ``192.0.2.2:10002`` or ``[2001:db8::2]:10002`` in its canonical spelling.

    A zone (``fe80::1%eth0``), which ``wg`` prints for link-local underlays, is kept. Raises ValueError.
    """
    found = _ENDPOINT.fullmatch(value)
    if not found:
        msg = f"{value!r} is not an address and a port"
        raise ValueError(msg)
    port = int(found["port"])
    if not 0 < port < 65536:
        msg = f"{value!r} has a port outside 1..65535"
        raise ValueError(msg)
    address = ip_address(found["six"] or found["four"])
    bracketed = isinstance(address, IPv6Address)
    return f"[{address}]:{port}" if bracketed else f"{address}:{port}"


def network(value: str) -> str:
    """Return an allowed prefix in its canonical spelling. Raises ValueError."""
    return str(ip_network(value, strict=False))


def on_link(local: str) -> str:
    """Return a link-local address with the prefix length that tunnels use."""
    return f"{local}/64"


def is_automatic(address: str) -> bool:
    """Say whether an interface address (``fe80::…/64``) was made by the kernel.

    A wireguard-go interface is a tun device, and the kernel gives each tun device a random link-local beside
    ours. It does no harm (BIRD is told its local address) and comes back whenever the link goes up, so it is
    neither removed nor counted. Ours are told apart by their identifier, which is a small host id.
    """
    parsed = ip_interface(address)
    return parsed.ip.is_link_local and parsed.version == 6 and int(parsed.ip) & (2**64 - 1) >= _OWN_IDENTIFIERS
