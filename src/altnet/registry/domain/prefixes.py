"""Prefixes and AS numbers of members who route.

A /56 is one of the network's own, and there are fewer than 256 (addressing.MEMBER_PREFIXES): then members bring a /48
by the algorithm of RFC 4193 §3.2.2. An AS number is the network's base with an offset that no host can have. What was
given back is not given to somebody else.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv6Network
from typing import Final

from ... import addressing
from ...errors import AltnetError, CapacityError
from .errors import Fault, RegistryError, refuse

SIZES: Final = (48, 56)
_ULA: Final = IPv6Network("fd00::/8")
_TRIES: Final = 16
_FULL: Final = "All of the network's /56 are given out"


def first_digits(prefix: str) -> str:
    """Return a prefix's first address in 32 hexadecimal digits, by which they sort."""
    return f"{int(IPv6Network(prefix).network_address):032x}"


def free_56(network: str, used: Collection[str]) -> str:
    """Return the network's next /56 that nobody has or had; RegistryError("conflict") where there is none left."""
    base = addressing.parse_prefix(network, allow_fc00=True)
    for index in range(addressing.MEMBER_PREFIXES.capacity):
        prefix = addressing.member_prefix(base, index)
        if prefix not in used:
            return prefix
    raise refuse("conflict", _FULL, "ask for a /48 of your own instead", at="size", code="used-up")


def new_48(network: str, used: Collection[str]) -> str:
    """Return a random /48 by RFC 4193 that is neither the network's nor anybody's."""
    for _ in range(_TRIES):
        prefix = addressing.generate_prefix()
        if prefix != network and prefix not in used:
            return prefix
    raise refuse("unavailable", "No free prefix was drawn", "try again", at="size", code="used-up")


def wished(prefix: str, size: int, network: str, used: Collection[str]) -> str:
    """Return a prefix that somebody asked for, in its one form; RegistryError where they cannot have it."""
    try:
        parsed = IPv6Network(prefix.strip())
    except ValueError:
        raise _wrong("This is no IPv6 prefix", "write it like fd12:3456:789a::/48") from None
    text = str(parsed)
    if parsed.prefixlen != size:
        raise _wrong(f"This is a /{parsed.prefixlen}, not a /{size}", f"ask for a /{size}")
    if not parsed.subnet_of(_ULA):
        raise _wrong("Members' prefixes are in fd00::/8 (RFC 4193)", "leave it out, and one is drawn")
    own = IPv6Network(network)
    if size == 56:
        base = addressing.parse_prefix(network, allow_fc00=True)
        ours = {addressing.member_prefix(base, index) for index in range(addressing.MEMBER_PREFIXES.capacity)}
        if text not in ours:
            raise _wrong(
                "This is none of the network's /56 for members", "leave it out, and the next free one is given"
            )
    elif parsed.overlaps(own):
        raise _wrong("This is the network's own prefix", "leave it out, and one is drawn")
    if text in used:
        raise refuse("conflict", "Somebody has this prefix, or had it", "leave it out", at="prefix", code="taken")
    return text


def next_asn(base: int, used: Collection[int]) -> int:
    """Return the next AS number for a member; RegistryError("conflict") where they are used up."""
    last = max(used, default=0)
    try:
        return addressing.member_asn(base, max(last - base - addressing.MEMBER_ASNS.first + 1, 0))
    except CapacityError:
        raise refuse("conflict", "All AS numbers for members are given out", code="used-up") from None


def reverse_zone(prefix: str) -> str:
    """Return the absolute name of a prefix's zone in ip6.arpa."""
    try:
        return f"{addressing.reverse_zone(prefix)}."
    except AltnetError as error:  # what is in the table was judged
        raise _wrong(str(error), "") from error


def _wrong(what: str, remedy: str) -> RegistryError:
    return RegistryError("invalid", (Fault("prefix", "prefix", what, remedy),))
