"""What travels through a browser from one host's authenticator to another's: sealed, for one purpose, for a short time.

Fernet (AES-128-CBC with HMAC-SHA-256 and a time stamp) of python-cryptography does all of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

#: Longer than anything we seal; a browser may send what it likes.
LONGEST = 4096


class Seals:
    """Seals with the newest key, opens with all."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, purpose: str, **values: str) -> str:
        """Return a token that only :meth:`open` with the same purpose takes."""
        return self.fernet.encrypt(json.dumps({**values, "for": purpose}).encode()).decode()

    def open(self, purpose: str, token: str, lifetime: int) -> dict[str, Any] | None:
        """Return what was sealed, or None for a token that is forged, too old, or for another purpose."""
        if not token or len(token) > LONGEST:
            return None
        try:
            # Decoders pass over what they do not know. A token with one more "=" would be another one to whoever has
            # noted that this one was used.
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) != token.encode():
                return None
            values = json.loads(self.fernet.decrypt(token.encode(), ttl=lifetime))
        except (InvalidToken, ValueError):
            return None
        return dict(values) if values.pop("for", None) == purpose else None


def random() -> str:
    """Return a secret that nobody can guess."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """Return what is kept of a secret: enough to know it again."""
    return hashlib.sha256(text.encode()).hexdigest()
