"""Keys as text and key files as found: what is a key, and what to say of a file that holds none."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from ..errors import Problem
from .errors import WireguardError, problem

#: What stands for a public key in check mode until the key is born; never valid base64.
PLACEHOLDER = "(to be made on this host)"


def is_key(value: str) -> bool:
    """Say whether ``value`` is a WireGuard key: 32 bytes in canonical base64, not all zero."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) == 32 and any(raw) and base64.b64encode(raw).decode() == value


def clamp(raw: bytes) -> str:
    """Return 32 bytes as a private key in base64, clamped as RFC 7748 section 5 says.

    Devices clamp what they are given, so only clamped keys can be compared with live ones.
    """
    key = bytearray(raw)
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return base64.b64encode(bytes(key)).decode("ascii")


def read_key(path: Path) -> str | None:
    """Return the private key in a file, clamped, or None where there is none. Raises WireguardError."""
    if not path.is_symlink() and not path.exists():
        return None
    key = "" if path.is_symlink() or not path.is_file() else path.read_text("ascii", "replace").strip()
    if not is_key(key):
        raise WireguardError(_corrupt(path))
    return clamp(base64.b64decode(key))


def _corrupt(path: Path) -> Problem:
    remedy = (
        f"restore {path} from a backup, or remove it and run again: the host then gets a new key, and its "
        "tunnels come back when its neighbours have run too"
    )
    return problem(str(path), "it does not hold a WireGuard private key", remedy)
