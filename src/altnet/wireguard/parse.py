"""Readers of what ``wg``, ``ip``, ``systemctl`` and /proc print."""

from __future__ import annotations

import json
from typing import Any

from .endpoint import endpoint, network
from .model import Device, Link, Peer, Unit, interface_of

_INTERFACE_FIELDS = 5
_PEER_FIELDS = 9


def wg_dump(text: str) -> dict[str, Device]:
    """Read ``wg show all dump`` (wg(8)): one line for a device, one for each of its peers, tab separated.

    Raises ValueError for a line of neither shape, without quoting it: it may hold a private key.
    """
    heads: dict[str, tuple[str | None, int, int]] = {}
    peers: dict[str, list[Peer]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t")
        if len(fields) == _INTERFACE_FIELDS:
            name, private, _public, port, mark = fields
            heads[name] = (_none(private), int(port), 0 if mark == "off" else int(mark, 0))
            peers.setdefault(name, [])
        elif len(fields) == _PEER_FIELDS and fields[0] in peers:
            peers[fields[0]].append(_peer(fields))
        else:
            msg = f"wg show all dump: line {number} has {len(fields)} fields"
            raise ValueError(msg)
    return {name: Device(private, port, mark, tuple(peers[name])) for name, (private, port, mark) in heads.items()}


def _none(field: str) -> str | None:
    return None if field == "(none)" else field


def _peer(fields: list[str]) -> Peer:
    _name, public, preshared, where, allowed, handshake, _received, _sent, keepalive = fields
    return Peer(
        public_key=public,
        preshared_key=_none(preshared),
        endpoint=None if where == "(none)" else _spelled(where),
        allowed_ips=() if allowed == "(none)" else tuple(sorted(network(one) for one in allowed.split(","))),
        handshake=int(handshake),
        keepalive=0 if keepalive == "off" else int(keepalive),
    )


def _spelled(where: str) -> str:
    try:
        return endpoint(where)
    except ValueError:
        return where


def ip_addresses(text: str) -> dict[str, Link]:
    """Read ``ip -j -d addr show``; addresses come as ``address/length``."""
    links = {}
    for entry in json.loads(text or "[]"):
        if entry.get("ifname"):
            links[str(entry["ifname"])] = _link(entry)
    return links


def _link(entry: dict[str, Any]) -> Link:
    addresses = [
        f"{address['local']}/{address['prefixlen']}" for address in entry.get("addr_info", []) if "local" in address
    ]
    return Link(
        mtu=int(entry.get("mtu", 0)),
        up="UP" in entry.get("flags", []),
        kind=str(entry.get("linkinfo", {}).get("info_kind", "")),
        addresses=tuple(addresses),
    )


def systemctl_show(text: str) -> dict[str, Unit]:
    """Read ``systemctl show --property=Id,ActiveState,UnitFileState``: our units, by interface."""
    units = {}
    for block in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        interface = interface_of(values.get("Id", ""))
        if interface:
            active, file = values.get("ActiveState", ""), values.get("UnitFileState", "")
            units[interface] = Unit(
                active=active in {"active", "activating", "reloading"},
                failed=active == "failed",
                enabled=file == "enabled",
                masked=file.startswith("masked"),
            )
    return units


def udp_ports(text: str) -> set[int]:
    """Return the local ports of /proc/net/udp or udp6 (proc_net(5): second column, port in hex)."""
    ports = set()
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 1 and ":" in fields[1]:
            ports.add(int(fields[1].rsplit(":", 1)[1], 16))
    return ports
