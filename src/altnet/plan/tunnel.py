"""One tunnel as one of its ends has to set it up, and the BGP session in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..addressing import link_local, listen_port
from ..inventory import Host
from ..ledger import GENERATION_MAX, Record
from ..secrets import pair_label

KEEPALIVE = 25
"""Seconds: shorter than the 30 that NATs commonly keep an idle UDP mapping."""


def allowed_towards_relay(*, fc00: bool) -> list[str]:
    """Return what may come from a relay: anything of the private internet, and its link-local addresses."""
    return sorted(("fc00::/7" if fc00 else "fd00::/8", "fe80::/64"))


def allowed_towards_host(host_id: int, addresses: Iterable[str]) -> list[str]:
    """Return what may come from a host that is no relay: its own addresses and nothing else."""
    return sorted((f"{link_local(host_id)}/128", *(f"{address}/128" for address in addresses)))


def interface_name(label: str, generation: int) -> str:
    """Return the name of the interface to the neighbour with that label, at most 15 characters."""
    return f"an{generation % 2}-{label}"


def tunnel(
    host: Host,
    record: Record,
    other: str,
    there: Host | None,
    neighbour: Record,
    *,
    generation: int,
    allowed: list[str],
) -> dict[str, Any]:
    """Return the tunnel to ``other``; ``there`` is None when the neighbour is not in the inventory.

    Pending means that one end's key of this generation is not in the ledger, so the tunnel cannot be built
    yet.
    """
    key = neighbour.keys.get(generation)
    return {
        "neighbour": other,
        "neighbour_id": neighbour.id,
        "neighbour_relay": neighbour.relay,
        "generation": generation,
        "interface": interface_name(neighbour.label, generation),
        "listen_port": listen_port(neighbour.id, generation),
        "endpoint": endpoint(host, there, listen_port(record.id, generation)),
        "keepalive": KEEPALIVE if host.nat else 0,
        "local": link_local(record.id),
        "remote": link_local(neighbour.id),
        "public_key": key,
        "pending": key is None or generation not in record.keys,
        "psk_label": pair_label(record.id, neighbour.id),
        "psk_epoch": generation,
        "allowed_ips": allowed,
    }


def endpoint(host: Host, there: Host | None, port: int) -> str | None:
    """Return where ``host`` finds ``there``, with the port on which that one listens for it, or None.

    Both ends use one address family, so that WireGuard, which follows the last address it heard from, has
    nothing to follow: one in which each can reach the other if there is one, IPv6 before IPv4.
    """
    if there is None:
        return None
    here_at, there_at = host.reachable, there.reachable
    usable = here_at & there_at or (here_at & there.families) | (there_at & host.families)
    family = "ipv6" if "ipv6" in usable else "ipv4"
    for address in there.endpoints:
        if (":" in address) == (family == "ipv6") and family in usable:
            return f"[{address}]:{port}" if family == "ipv6" else f"{address}:{port}"
    return None


def bgp_session(entry: dict[str, Any], *, relay: bool, asn: int) -> dict[str, Any]:
    """Return the BGP session in a tunnel; ``relay`` says whether we are one, ``asn`` is the neighbour's.

    Of two sessions with one neighbour that of the newer tunnel has the lower rank. A session keeps its rank for
    life: were it counted from the other one, every route would be set anew when that one comes, and when it goes.
    """
    return {
        "protocol": entry["interface"].replace("-", "_"),
        "interface": entry["interface"],
        "neighbour": entry["neighbour"],
        "local": entry["local"],
        "remote": entry["remote"],
        "remote_asn": asn,
        "kind": ("relay" if entry["neighbour_relay"] else "leaf") if relay else "uplink",
        "rank": GENERATION_MAX - entry["generation"],
    }
