"""What has to happen to each interface: a pure function of the desired tunnels and the live state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from . import conf
from .endpoint import is_automatic, on_link
from .model import OURS, Device, Link, Live, Paths, Peer, Tunnel, Unit

#: Without a handshake for this long a session is dead: REJECT_AFTER_TIME of the WireGuard paper, section 6.
STALE = 180
HIDDEN = "(hidden)"
_KINDS = {"wireguard", "tun"}

Action = Literal["create", "change", "restart", "remove"]


@dataclass(frozen=True)
class Difference:
    """One attribute that is not as it should be, in words; secrets are never among the words."""

    attribute: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """All that is wrong with one interface, and the way to mend it.

    ``create``: there is neither interface nor running unit. ``restart``: the unit believes it is up, or the
    interface does not answer, and has to be made anew. ``change``: the session lives on. ``remove``: the
    interface is ours and no longer wanted. ``conf`` is the configuration to write, ``strangers`` are peers to
    drop, ``surplus`` addresses to drop.
    """

    interface: str
    action: Action
    differences: tuple[Difference, ...]
    tunnel: Tunnel | None = None
    conf: str | None = field(default=None, repr=False)
    enable: bool = False
    strangers: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    @property
    def attributes(self) -> frozenset[str]:
        """The names of what differs."""
        return frozenset(one.attribute for one in self.differences)


def compute(
    tunnels: Sequence[Tunnel], live: Live, mtu: int, paths: Paths, pending: Collection[str] = ()
) -> tuple[Change, ...]:
    """Return the changes that turn ``live`` into ``tunnels``, sorted by interface; none where all is well.

    Interfaces of ``pending`` tunnels (a neighbour's key is not known yet) are neither made nor removed.
    """
    desired = {tunnel.interface for tunnel in tunnels}
    changes = [change for tunnel in tunnels if (change := _of_tunnel(tunnel, live, mtu, paths))]
    changes += [_removal(name, live) for name in stale(live) if name not in desired and name not in pending]
    return tuple(sorted(changes, key=lambda change: change.interface))


def stale(live: Live) -> list[str]:
    """Return the interfaces of ours that the host knows in any way: as a device, a unit or a file.

    A link that merely has a name like ours but is no WireGuard device is not ours.
    """
    units = {name for name, unit in live.units.items() if unit.active or unit.enabled or unit.failed}
    links = {name for name, link in live.links.items() if link.kind == "wireguard"}
    names = {*live.devices, *links, *live.confs, *units}
    return sorted(name for name in names if OURS.fullmatch(name))


def roamed(tunnel: Tunnel, live: Live) -> bool:
    """Say whether the neighbour speaks from another endpoint than the desired one and is left there.

    WireGuard follows a peer that moves. Its newer endpoint is undone only for a reason: the inventory names
    another endpoint than it did when the configuration was written, or the session is dead.
    """
    peer = _peer(live.devices.get(tunnel.interface), tunnel.public_key)
    if peer is None or tunnel.endpoint is None or peer.endpoint in {None, tunnel.endpoint}:
        return False
    written = live.confs.get(tunnel.interface)
    kept = written is not None and conf.recorded_endpoint(written.text) == tunnel.endpoint
    return kept and peer.handshake > 0 and live.now - peer.handshake <= STALE


def _of_tunnel(tunnel: Tunnel, live: Live, mtu: int, paths: Paths) -> Change | None:
    name = tunnel.interface
    unit = live.units.get(name, Unit())
    link, device = live.links.get(name), live.devices.get(name)
    text = conf.render(tunnel, mtu, paths)
    differences = list(_on_disk(name, text, live, unit))
    write = text if any(one.attribute == "conf" for one in differences) else None
    if link is None or device is None or link.kind not in _KINDS:
        broken = unit.active or link is not None or device is not None
        before = None if link is None else "does not answer as a WireGuard device"
        made = [Difference("interface", before, "up"), *_whole(tunnel, mtu), *differences]
        action: Action = "restart" if broken else "create"
        return Change(name, action, tuple(made), tunnel, write, not unit.enabled)
    strangers = tuple(peer.public_key for peer in device.peers if peer.public_key != tunnel.public_key)
    surplus = tuple(_surplus(tunnel, link))
    differences += [
        *_of_link(tunnel, link, mtu),
        *(Difference(f"address {address}", "present", None) for address in surplus),
        *_of_device(tunnel, device, live),
        *(Difference(f"peer {key}", "present", None) for key in strangers),
        *_of_peer(tunnel, live),
    ]
    if not differences:
        return None
    return Change(name, "change", tuple(differences), tunnel, write, not unit.enabled, strangers, surplus)


def _whole(tunnel: Tunnel, mtu: int) -> Iterator[Difference]:
    for attribute, value in (
        ("mtu", str(mtu)),
        ("address", on_link(tunnel.local)),
        ("listen port", str(tunnel.listen_port)),
        ("private key", f"{HIDDEN}, of generation {tunnel.generation}"),
        ("peer", tunnel.public_key),
        ("preshared key", HIDDEN),
        ("endpoint", tunnel.endpoint or "(the neighbour comes to us)"),
        ("allowed ips", ", ".join(tunnel.allowed_ips)),
        ("keepalive", _seconds(tunnel.keepalive)),
    ):
        yield Difference(attribute, None, value)


def _on_disk(name: str, text: str, live: Live, unit: Unit) -> Iterator[Difference]:
    found = live.confs.get(name)
    if found is None:
        yield Difference("conf", None, "present")
    elif found.text != text:
        yield Difference("conf", f"differs in {conf.differing(found.text, text)}", "as desired")
    elif not found.private:
        yield Difference("conf", "readable by others", "readable by root alone")
    if not unit.enabled:
        yield Difference("unit", "not enabled", "enabled")


def _of_link(tunnel: Tunnel, link: Link, mtu: int) -> Iterator[Difference]:
    if link.mtu != mtu:
        yield Difference("mtu", str(link.mtu), str(mtu))
    if not link.up:
        yield Difference("link", "down", "up")
    if on_link(tunnel.local) not in link.addresses:
        yield Difference("address", None, on_link(tunnel.local))


def _surplus(tunnel: Tunnel, link: Link) -> Iterable[str]:
    return (address for address in link.addresses if address != on_link(tunnel.local) and not is_automatic(address))


def _of_device(tunnel: Tunnel, device: Device, live: Live) -> Iterator[Difference]:
    if device.listen_port != tunnel.listen_port:
        yield Difference("listen port", str(device.listen_port), str(tunnel.listen_port))
    if device.fwmark:
        yield Difference("fwmark", hex(device.fwmark), "off")
    key = live.keys.get(tunnel.generation)
    if device.private_key is None or device.private_key != key:
        before = "(none)" if device.private_key is None else HIDDEN
        yield Difference("private key", before, f"{HIDDEN}, changed")


def _of_peer(tunnel: Tunnel, live: Live) -> Iterator[Difference]:
    peer = _peer(live.devices[tunnel.interface], tunnel.public_key)
    if peer is None:
        whole = {one.attribute: one for one in _whole(tunnel, 0)}
        for attribute in ("peer", "preshared key", "endpoint", "allowed ips", "keepalive"):
            yield whole[attribute]
        return
    if peer.preshared_key != tunnel.preshared_key:
        before = "(none)" if peer.preshared_key is None else HIDDEN
        yield Difference("preshared key", before, f"{HIDDEN}, changed")
    # Where the desired endpoint is None the neighbour comes to us, and where it came from is for it to say.
    if tunnel.endpoint not in {None, peer.endpoint} and not roamed(tunnel, live):
        yield Difference("endpoint", peer.endpoint, tunnel.endpoint)
    if peer.allowed_ips != tunnel.allowed_ips:
        yield Difference("allowed ips", ", ".join(peer.allowed_ips) or "(none)", ", ".join(tunnel.allowed_ips))
    if peer.keepalive != tunnel.keepalive:
        yield Difference("keepalive", _seconds(peer.keepalive), _seconds(tunnel.keepalive))


def _peer(device: Device | None, public_key: str) -> Peer | None:
    peers = device.peers if device else ()
    return next((peer for peer in peers if peer.public_key == public_key), None)


def _seconds(keepalive: int) -> str:
    return f"{keepalive} s" if keepalive else "off"


def _removal(name: str, live: Live) -> Change:
    unit = live.units.get(name, Unit())
    link = live.links.get(name)
    parts = [
        Difference("interface", ("up" if link.up else "down") if link else None, None),
        Difference("conf", "present" if name in live.confs else None, None),
        Difference("unit", _unit_words(unit), None),
    ]
    return Change(name, "remove", tuple(part for part in parts if part.before is not None))


def _unit_words(unit: Unit) -> str | None:
    words = [word for word in ("enabled", "active", "failed") if getattr(unit, word)]
    return ", ".join(words) or None
