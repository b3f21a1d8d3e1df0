"""Shared secrets: each is derived from the one master by its label and its epoch.

HKDF with SHA-256 (RFC 5869). Raising one label's epoch makes one new secret and leaves all others alone;
whoever learns a derived secret learns nothing about the master or its other children.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from .errors import AltnetError, Problem

MASTER_MIN_LENGTH = 32
_HASH_BYTES = 32
_MAX_LENGTH = 255 * _HASH_BYTES
_SALT = b"altnet"
_MAKE_ONE = "put the output of 'openssl rand -base64 48' into the vault as altnet_master_secret"


def extract(salt: bytes, material: bytes) -> bytes:
    """Return the 32-byte pseudorandom key of input key material (RFC 5869 §2.2)."""
    return hmac.digest(salt or bytes(_HASH_BYTES), material, hashlib.sha256)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    """Return ``length`` bytes of output for a pseudorandom key and its context (RFC 5869 §2.3)."""
    if not 0 < length <= _MAX_LENGTH:
        raise ValueError(f"HKDF-SHA256 gives 1 to {_MAX_LENGTH} bytes, not {length}")
    output = block = b""
    for counter in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(key, block + info + bytes((counter,)), hashlib.sha256)
        output += block
    return output[:length]


def _master_bytes(master: str | bytes) -> bytes:
    # A vaulted block scalar ends with a newline and an inline one does not: both must give the same secrets.
    raw = master.strip().encode() if isinstance(master, str) else master
    characters = len(master.strip()) if isinstance(master, str) else len(master)
    if characters < MASTER_MIN_LENGTH:
        what = f"the master secret has {characters} characters, fewer than {MASTER_MIN_LENGTH}"
        raise AltnetError(Problem("", "altnet_master_secret", what, _MAKE_ONE))
    return raw


def _info(label: str, epoch: int) -> bytes:
    # The label's length stands before it and the epoch has a fixed width, so no two pairs share an encoding.
    if not label or len(label.encode()) > 0xFFFF:
        raise ValueError("a secret's label has 1 to 65535 bytes")
    if not 0 <= epoch < 1 << 64:
        raise AltnetError(Problem("", f"secret {label}", f"has epoch {epoch}", "use a whole number from 0 on"))
    raw = label.encode()
    return b"altnet secret 1" + len(raw).to_bytes(2, "big") + raw + epoch.to_bytes(8, "big")


def derive(master: str | bytes, label: str, epoch: int, length: int = 32) -> bytes:
    """Return the secret of ``label`` in its ``epoch`` (from 0): ``length`` bytes, at most 8160.

    ``master`` has at least 32 characters; white space around a string is not part of it. Raises
    :class:`AltnetError` for a master that is too short and for a negative epoch, ValueError for a wrong
    length.
    """
    return expand(extract(_SALT, _master_bytes(master)), _info(label, epoch), length)


def derive_base64(master: str | bytes, label: str, epoch: int, length: int = 32) -> str:
    """Return what :func:`derive` does, in base64."""
    return base64.b64encode(derive(master, label, epoch, length)).decode()


def pair_label(one: int, other: int) -> str:
    """Return the label of two hosts' pair key; the order of the ids makes no difference."""
    return f"wireguard/psk/{min(one, other)}-{max(one, other)}"


def wireguard_psk(master: str | bytes, label: str, epoch: int) -> str:
    """Return a pair's preshared key in base64: label of :func:`pair_label`, the generation as its epoch."""
    return derive_base64(master, label, epoch, 32)
