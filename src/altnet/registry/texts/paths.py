"""Where an object's file lies: no character and no name that any system refuses.

Names are A-labels in small letters, so that systems that fold case, or compose letters, keep them apart. A domain's
labels are turned around (``alt.garden``): so those of one ending stand together. What Windows takes for a device
(``con``, ``aux``, ``com1``) has an underscore at its end, which no name has.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Network
from typing import Final

DOMAINS, ACCOUNTS, PREFIXES, ASNS = "domains", "accounts", "prefixes", "asns"
INVITATIONS, TOKENS = "invitations", "tokens"
REGISTRY: Final = "registry"
HEAD: Final = "audit-head"
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)")


def safe(name: str) -> str:
    """Return a file's name for a name of small letters, digits, hyphens, dots and underscores."""
    return _DEVICES.sub(r"\1_", name)


def domain(name: str) -> str:
    """Return the path of an absolute domain's file."""
    return f"{DOMAINS}/{safe('.'.join(reversed(name.removesuffix('.').split('.'))))}"


def account(uid: str) -> str:
    """Return the path of an account's file."""
    return f"{ACCOUNTS}/{safe(uid)}"


def prefix(text: str) -> str:
    """Return the path of a prefix's file: its groups as far as it is long, and the length."""
    network = IPv6Network(text)
    groups = network.network_address.exploded.split(":")[: -(-network.prefixlen // 16)]
    return f"{PREFIXES}/{'-'.join(groups)}_{network.prefixlen}"


def asn(number: int | str) -> str:
    """Return the path of an AS number's file."""
    return f"{ASNS}/AS{number}"


def of(kind: str, about: str) -> str:
    """Return the path of an object by its kind and name, as the audit log has them."""
    if kind == "domain":
        return domain(about)
    if kind == "account":
        return account(about)
    if kind == "prefix":
        return prefix(about)
    if kind == "asn":
        return asn(about)
    return f"{kind}s/{safe(about)}"
