"""Networks of any size: an inventory as an operator would write it, made by arithmetic."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from typing import Any

from altnet.allocate import allocate
from altnet.inventory import Inventory, parse
from altnet.ledger import Ledger

PREFIX = "fd12:3456:789a::/48"
REGIONS = ("africa", "america", "asia", "europe", "oceania")
_FIRST = int(ipaddress.IPv4Address("10.0.0.0"))


def host_variables(number: int) -> dict[str, Any]:
    """Return the variables of relay ``number``: one public address, one of five regions."""
    address = str(ipaddress.IPv4Address(_FIRST + number))
    return {"altnet_endpoints": [address], "altnet_region": REGIONS[number % len(REGIONS)]}


def relays(count: int) -> dict[str, dict[str, Any]]:
    """Return ``count`` relays with their variables."""
    return {f"r{number:05d}": host_variables(number) for number in range(1, count + 1)}


def topology(strategy: str = "bounded") -> dict[str, Any]:
    """Return the topology; bounded is what `auto` comes to at these sizes."""
    return {"strategy": strategy, "degree": 6}


def inventory(hosts: dict[str, dict[str, Any]], strategy: str = "bounded") -> Inventory:
    """Return the typed inventory of a network of relays."""
    return parse({"altnet_topology": topology(strategy), "altnet_prefix": PREFIX}, hosts, list(hosts))


def public_keys(names: list[str]) -> dict[str, dict[int, str]]:
    """Return well-formed public keys, as hosts would report them; nobody has the private halves."""
    return {name: {0: base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()} for name in names}


def ledger(known: Inventory, before: Ledger | None = None) -> Ledger:
    """Return the ledger after everybody's key has been recorded."""
    return allocate(known, before, keys=public_keys(list(known.hosts)), new_prefix=str).ledger
