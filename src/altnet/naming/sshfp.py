"""ssh host keys as names publish them (RFC 4255, RFC 6594, RFC 7479)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Final

ALGORITHMS: Final = {
    "ssh-rsa": 1,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "ssh-ed25519": 4,
}


def fingerprints(lines: Iterable[str]) -> dict[int, str]:
    """Return the SHA-256 fingerprint of each key, by its algorithm's number.

    ``lines`` are those of ``/etc/ssh/ssh_host_*_key.pub``. A line that is no key of a known type is passed over:
    what a host says about itself must not stop a run for all.
    """
    found: dict[int, str] = {}
    for line in sorted(lines):
        kind, _, rest = line.strip().partition(" ")
        if kind not in ALGORITHMS:
            continue
        try:
            raw = base64.b64decode(rest.partition(" ")[0], validate=True)
        except binascii.Error:
            continue
        # The key begins with its own type, after four bytes of length (RFC 4253 §6.6).
        if raw[4 : 4 + len(kind)] == kind.encode():
            found[ALGORITHMS[kind]] = hashlib.sha256(raw).hexdigest()
    return found
