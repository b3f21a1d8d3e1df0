"""Commands that mend a live interface without touching its session more than needed. Pure.

Secrets go through standard input only: arguments are visible to every user of the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .difference import Change
from .endpoint import on_link
from .model import Paths, Tunnel, unit_of

_PEER = frozenset({"peer", "preshared key", "endpoint", "allowed ips", "keepalive"})


@dataclass(frozen=True)
class Command:
    """Arguments and what to feed to standard input."""

    argv: tuple[str, ...]
    stdin: str | None = field(default=None, repr=False)


def mend(change: Change, mtu: int, paths: Paths) -> Iterator[Command]:
    """Yield the commands for a ``change``: the device first, then the link, its addresses last.

    MTU and link state come before addresses, because an MTU below 1280 or a link that is down has none.
    """
    tunnel, attributes = change.tunnel, change.attributes
    if tunnel is None:
        return
    name = tunnel.interface
    configured = _wg_set(change, tunnel, paths)
    if configured is not None:
        yield configured
    if "mtu" in attributes:
        yield Command(("ip", "link", "set", "dev", name, "mtu", str(mtu)))
    if "link" in attributes:
        yield Command(("ip", "link", "set", "dev", name, "up"))
    # Before ours is added: the same address with another length would swallow it.
    for address in change.surplus:
        family = "-6" if ":" in address else "-4"
        yield Command(("ip", family, "addr", "del", address, "dev", name))
    if attributes & {"address", "link", "mtu"}:
        # The kernel forgets the addresses of a link that goes down, or whose MTU falls below 1280.
        yield Command(("ip", "-6", "addr", "replace", on_link(tunnel.local), "dev", name))


def _wg_set(change: Change, tunnel: Tunnel, paths: Paths) -> Command | None:
    attributes = change.attributes
    argv: list[str] = []
    if "listen port" in attributes:
        argv += ["listen-port", str(tunnel.listen_port)]
    if "fwmark" in attributes:
        argv += ["fwmark", "0"]
    if "private key" in attributes:
        argv += ["private-key", str(paths.key(tunnel.generation))]
    for key in change.strangers:
        argv += ["peer", key, "remove"]
    stdin = None
    if attributes & _PEER:
        argv += ["peer", tunnel.public_key]
        if "preshared key" in attributes:
            argv += ["preshared-key", "/dev/stdin"]
            stdin = f"{tunnel.preshared_key}\n"
        if "endpoint" in attributes and tunnel.endpoint is not None:
            argv += ["endpoint", tunnel.endpoint]
        if "keepalive" in attributes:
            argv += ["persistent-keepalive", str(tunnel.keepalive)]
        if "allowed ips" in attributes:
            argv += ["allowed-ips", ",".join(tunnel.allowed_ips)]
    return Command(("wg", "set", tunnel.interface, *argv), stdin) if argv else None


def units(verb: tuple[str, ...], interfaces: list[str]) -> Command | None:
    """Return one systemctl call for many interfaces, None for none of them."""
    if not interfaces:
        return None
    return Command(("systemctl", *verb, *(unit_of(name) for name in interfaces)))


def delete(interface: str) -> Command:
    """Return the command that removes a link; a wireguard-go process ends with it."""
    return Command(("ip", "link", "delete", "dev", interface))
