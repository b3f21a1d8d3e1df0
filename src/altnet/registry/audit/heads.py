"""The log's signed head: who has seen one notices when anything before it was changed."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..domain.model import Head
from . import chain

#: Begins what is signed, so that the key's signature of something else is none of a head.
_CONTEXT = b"altnet registry audit head 1\n"


def sign(key: Ed25519PrivateKey, number: int, digest: str, time: datetime) -> Head:
    """Return the signed head of a log that ends with the entry ``number``, whose hash is ``digest``."""
    return Head(number, digest, time, base64.b64encode(key.sign(_content(number, digest, time))).decode())


def verify(key: Ed25519PublicKey, head: Head) -> bool:
    """Say whether a head's signature is the key's."""
    try:
        key.verify(base64.b64decode(head.signature, validate=True), _content(head.number, head.hash, head.time))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def text(head: Head) -> str:
    """Return a head in one line, as it is published in the DNS and in git: ``n=12 t=2026-... h=... s=...``."""
    return f"n={head.number} t={chain.moment(head.time)} h={head.hash} s={head.signature}"


def parse(line: str) -> Head:
    """Return the head that :func:`text` wrote; raise ValueError for any other line."""
    fields = dict(part.partition("=")[::2] for part in line.strip().strip('"').split())
    try:
        time = datetime.fromisoformat(fields["t"].replace("Z", "+00:00"))
        return Head(int(fields["n"]), fields["h"], time, fields["s"])
    except KeyError as error:
        raise ValueError(f"a head of the audit log has no {error}") from None


def _content(number: int, digest: str, time: datetime) -> bytes:
    said = {"number": number, "hash": digest, "time": chain.moment(time)}
    return _CONTEXT + chain.canonical(said).encode()
