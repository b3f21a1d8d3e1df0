"""wg-quick configurations: written for each tunnel, read back for the endpoint they recorded.

The format is that of wg-quick(8). ``Table = off`` keeps wg-quick from adding routes (BIRD does), and the
private key is set from its own file after the interface is up, so that no second copy of it exists.
"""

from __future__ import annotations

from collections.abc import Iterator

from .endpoint import endpoint, on_link
from .model import Paths, Tunnel


def render(tunnel: Tunnel, mtu: int, paths: Paths) -> str:
    """Return the configuration of one tunnel; it holds the preshared key, so the file has mode 0600."""
    lines = [
        f"# Tunnel to {tunnel.neighbour}, generation {tunnel.generation}. Altnet undoes changes.",
        "[Interface]",
        f"Address = {on_link(tunnel.local)}",
        f"ListenPort = {tunnel.listen_port}",
        f"MTU = {mtu}",
        "Table = off",
        f"PostUp = wg set %i private-key {paths.key(tunnel.generation)}",
        "",
        "[Peer]",
        f"PublicKey = {tunnel.public_key}",
        f"PresharedKey = {tunnel.preshared_key}",
        f"AllowedIPs = {', '.join(tunnel.allowed_ips)}",
    ]
    if tunnel.endpoint is not None:
        lines.append(f"Endpoint = {tunnel.endpoint}")
    if tunnel.keepalive:
        lines.append(f"PersistentKeepalive = {tunnel.keepalive}")
    return "\n".join(lines) + "\n"


def settings(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (section, key, value) of a wg-quick configuration, sections and keys in lower case."""
    section = ""
    for line in text.splitlines():
        stripped = line.split("#", 1)[0].strip()
        if stripped.startswith("["):
            section = stripped.strip("[]").lower()
        elif "=" in stripped:
            key, _, value = stripped.partition("=")
            yield section, key.strip().lower(), value.strip()


def recorded_endpoint(text: str) -> str | None:
    """Return the endpoint that a configuration was written with, None where it has none."""
    for section, key, value in settings(text):
        if (section, key) == ("peer", "endpoint"):
            try:
                return endpoint(value)
            except ValueError:
                return None
    return None


def differing(found: str, wanted: str) -> str:
    """Return which settings of two configurations differ, by name only: values may be secret."""
    ones, others = ({*settings(text)} for text in (found, wanted))
    return ", ".join(sorted({key for _, key, _ in ones ^ others})) or "comments"
