"""A host in memory that understands the commands of altnet.wireguard; its files are real, in a directory."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from altnet.wireguard import conf
from altnet.wireguard.model import Paths, interface_of
from altnet.wireguard.runner import MISSING, Done


def key(name: str) -> str:
    """A key that is the same in each run; clamped, so that it does as a private one too."""
    raw = bytearray(hashlib.sha256(name.encode()).digest())
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return base64.b64encode(bytes(raw)).decode()


def public_of(private: str) -> str:
    return key(f"public {private}")


def entry(label: str = "fra", number: int = 2, **changed: Any) -> dict[str, Any]:
    """One element of the module's ``tunnels``, seen from host 1."""
    return {
        "interface": f"an0-{label}",
        "neighbour": label,
        "generation": 0,
        "listen_port": 10000 + 2 * number,
        "local": "fe80::1",
        "public_key": key(f"public {label}"),
        "preshared_key": key(f"pair {label}"),
        "endpoint": f"192.0.2.{number}:10002",
        "allowed_ips": ["fd00::/8", "fe80::/64"],
        "keepalive": 0,
        **changed,
    }


@dataclass
class FakePeer:
    psk: str | None = None
    endpoint: str | None = None
    allowed: list[str] = field(default_factory=list)
    handshake: int = 0
    keepalive: int = 0


@dataclass
class FakeInterface:
    kind: str = "wireguard"
    mtu: int = 1420
    up: bool = True
    addresses: list[str] = field(default_factory=list)
    private: str | None = None
    port: int = 0
    fwmark: int = 0
    peers: dict[str, FakePeer] = field(default_factory=dict)


@dataclass
class FakeUnit:
    active: str = "inactive"
    enabled: str = "disabled"


class FakeHost:
    """Behaves like wg, ip, systemctl with wg-quick@ units, and unshare; ``log`` has every command it ran."""

    def __init__(self, root: Path, *, kernel: bool = True) -> None:
        self.paths = Paths(
            keys=root / "altnet/wireguard",
            confs=root / "etc",
            wants=root / "wants",
            proc=root / "proc",
            tun=root / "tun",
            orders=root / "orders" / "wireguard",
        )
        self.paths.tun.parent.mkdir(parents=True, exist_ok=True)
        self.paths.tun.touch()
        self.kernel = kernel
        self.installed = True
        self.interfaces: dict[str, FakeInterface] = {}
        self.units: dict[str, FakeUnit] = {}
        self.log: list[tuple[str, ...]] = []
        self.stdin: list[str] = []
        self.broken: set[str] = set()  # units that fail to start

    def born(self, generation: int = 0, name: str = "own") -> None:
        self.paths.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.paths.key(generation)
        path.write_text(key(name) + "\n")
        path.chmod(0o600)

    def run(self, argv: Any, stdin: str | None = None) -> Done:
        self.log.append(tuple(argv))
        if stdin is not None:
            self.stdin.append(stdin)
        if argv[0] == "wg" and not self.installed:
            return Done(MISSING, err="wg: not installed")
        try:
            return getattr(self, f"_{argv[0]}")(list(argv[1:]), stdin)
        except LookupError as error:
            return Done(1, err=f"no such thing: {error}")

    @property
    def changing(self) -> list[tuple[str, ...]]:
        """Commands that are not reading."""
        reading = (("wg", "show"), ("ip", "-j"), ("systemctl", "show"), ("unshare", "--net"))
        return [argv for argv in self.log if argv[:2] not in reading]

    # --- wg -------------------------------------------------------------------------------------------------

    def _wg(self, argv: list[str], stdin: str | None) -> Done:
        if argv == ["pubkey"]:
            return Done(0, public_of((stdin or "").strip()) + "\n")
        if argv[0] == "show":
            return Done(0, self._dump())
        assert argv[0] == "set"
        self._wg_set(self.interfaces[argv[1]], argv[2:], stdin)
        return Done(0)

    def _dump(self) -> str:
        lines = []
        for name, one in self.interfaces.items():
            if one.kind not in {"wireguard", "tun"}:
                continue
            public = public_of(one.private) if one.private else "(none)"
            mark = hex(one.fwmark) if one.fwmark else "off"
            lines.append([name, one.private or "(none)", public, str(one.port), mark])
            for peer_key, peer in one.peers.items():
                allowed = ",".join(peer.allowed) or "(none)"
                tail = [str(peer.handshake), "0", "0", str(peer.keepalive or "off")]
                lines.append([name, peer_key, peer.psk or "(none)", peer.endpoint or "(none)", allowed, *tail])
        return "".join("\t".join(line) + "\n" for line in lines)

    def _wg_set(self, one: FakeInterface, words: list[str], stdin: str | None) -> None:
        peer = FakePeer()
        while words:
            word, value = words.pop(0), words.pop(0)
            if word == "peer" and words[:1] == ["remove"]:
                words.pop(0)
                one.peers.pop(value, None)
            elif word == "peer":
                peer = one.peers.setdefault(value, FakePeer())
            elif word in {"listen-port", "fwmark", "private-key"}:
                given = Path(value).read_text().strip() if word == "private-key" else int(value)
                setattr(one, {"listen-port": "port", "fwmark": "fwmark"}.get(word, "private"), given)
            else:
                if word == "preshared-key":
                    assert value == "/dev/stdin"
                    value = (stdin or "").strip()
                self._wg_set_peer(one, peer, word, value)

    def _wg_set_peer(self, one: FakeInterface, peer: FakePeer, word: str, value: str) -> None:
        match word:
            case "preshared-key" | "presharedkey":
                peer.psk = value
            case "endpoint":
                peer.endpoint = value
            case "persistent-keepalive" | "persistentkeepalive":
                peer.keepalive = int(value)
            case "allowed-ips" | "allowedips":
                peer.allowed = value.replace(" ", "").split(",")
                for other in one.peers.values():  # cryptokey routing: a prefix has one owner
                    if other is not peer:
                        other.allowed = [prefix for prefix in other.allowed if prefix not in peer.allowed]
            case _:
                raise AssertionError(word)

    # --- ip -------------------------------------------------------------------------------------------------

    def _ip(self, argv: list[str], _stdin: str | None) -> Done:
        match argv:
            case ["-j", "-d", "addr", "show"]:
                return Done(0, json.dumps([self._shown(name) for name in self.interfaces]))
            case ["link", "set", "dev", name, "mtu", mtu]:
                self.interfaces[name].mtu = int(mtu)
            case ["link", "set", "dev", name, "up"]:
                self.interfaces[name].up = True
            case ["link", "delete", "dev", name]:
                del self.interfaces[name]
            case ["-6", "addr", "replace", address, "dev", name]:
                one = self.interfaces[name]
                assert one.up
                assert one.mtu >= 1280
                if address not in one.addresses:
                    one.addresses.append(address)
            case [_, "addr", "del", address, "dev", name]:
                self.interfaces[name].addresses.remove(address)
            case _:
                raise AssertionError(argv)
        return Done(0)

    def _shown(self, name: str) -> dict[str, Any]:
        one = self.interfaces[name]
        pairs = [address.split("/") for address in one.addresses]
        return {
            "ifname": name,
            "mtu": one.mtu,
            "flags": ["NOARP", *(["UP"] if one.up else [])],
            "linkinfo": {"info_kind": one.kind},
            "addr_info": [{"local": local, "prefixlen": int(length)} for local, length in pairs],
        }

    def _unshare(self, argv: list[str], _stdin: str | None) -> Done:
        assert argv[0] == "--net"
        return Done(0) if self.kernel else Done(2, err="Error: Unknown device type.")

    # --- systemctl ------------------------------------------------------------------------------------------

    def _systemctl(self, argv: list[str], _stdin: str | None) -> Done:
        verb, names = argv[0], [name for name in argv[1:] if not name.startswith("--")]
        if verb == "show":
            names = sorted({name for name in names if "[" not in name} | set(self._loaded()))
            return Done(0, "\n\n".join(self._properties(name) for name in names) + "\n")
        failed = []
        for name in names:
            unit = self.units.setdefault(name, FakeUnit())
            if verb in {"enable", "disable"}:
                unit.enabled = f"{verb}d"
            if verb == "reset-failed":
                unit.active = "inactive" if unit.active == "failed" else unit.active
            if verb in {"restart", "disable"} and unit.active == "active":
                self._down(name)
            if verb == "restart" or (verb == "enable" and "--now" in argv and unit.active != "active"):
                failed += [] if self._up(name) else [name]
        return Done(1, err=f"Job for {failed} failed") if failed else Done(0)

    def _loaded(self) -> list[str]:
        return [name for name, unit in self.units.items() if unit.active != "inactive"]

    def _properties(self, name: str) -> str:
        unit = self.units.get(name, FakeUnit())
        return f"Id={name}\nActiveState={unit.active}\nUnitFileState={unit.enabled}"

    def _up(self, unit: str) -> bool:
        """Do what wg-quick up does."""
        name = interface_of(unit) or ""
        path = self.paths.conf(name)
        if name in self.interfaces or not path.exists() or unit in self.broken:
            self.units[unit].active = "failed"
            return False
        one = FakeInterface(kind="wireguard" if self.kernel else "tun")
        settings = list(conf.settings(path.read_text()))
        own = {word: value for section, word, value in settings if section == "interface"}
        assert own.keys() == {"address", "listenport", "mtu", "table", "postup"}
        assert own["table"] == "off"
        assert own["postup"].startswith("wg set %i private-key ")
        one.addresses = [own["address"]]
        one.port, one.mtu = int(own["listenport"]), int(own["mtu"])
        one.private = Path(own["postup"].split()[-1]).read_text().strip()
        peer = FakePeer()
        for section, word, value in settings:
            if (section, word) == ("peer", "publickey"):
                peer = one.peers.setdefault(value, FakePeer())
            elif section == "peer":
                self._wg_set_peer(one, peer, word, value)
        if one.kind == "tun":
            one.addresses.append("fe80::4c5d:1f22:9a0b:7e11/64")
        self.interfaces[name] = one
        self.units[unit].active = "active"
        return True

    def _down(self, unit: str) -> None:
        """Do what wg-quick down does: nothing without a configuration."""
        name = interface_of(unit) or ""
        good = name in self.interfaces and self.paths.conf(name).exists()
        if good:
            del self.interfaces[name]
        self.units[unit].active = "inactive" if good else "failed"

    def _journalctl(self, _argv: list[str], _stdin: str | None) -> Done:
        return Done(0, f"Line unrecognized: `PresharedKey={key('leaked')}'\n")

    # --- what the tests do to it ------------------------------------------------------------

    def shake_hands(self, name: str, *, ago: int = 30, endpoint: str | None = None) -> None:
        for peer in self.interfaces[name].peers.values():
            peer.handshake = int(time.time()) - ago
            peer.endpoint = endpoint or peer.endpoint
