"""The form in which PowerDNS's configuration holds its API key."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ..errors import AltnetError, Problem

_LEAST = 32
#: 2 to this power rounds: PowerDNS's own default makes words of people costly to guess, at some milliseconds for each
#: of a thousand requests. The key is 32 random bytes, which no number of rounds makes harder to guess.
_ROUNDS = 1


def api_hash(key: str) -> str:
    """Return PowerDNS's scrypt form of ``key``: always the same, so that a second run changes nothing."""
    if len(key) < _LEAST:
        what = f"the API key has {len(key)} characters, fewer than {_LEAST}"
        raise AltnetError(Problem("", "dns_authoritative_api_key", what, "derive it from the master secret"))
    salt = hmac.digest(key.encode(), b"altnet powerdns api key", hashlib.sha256)[:16]
    digest = hashlib.scrypt(key.encode(), salt=salt, n=1 << _ROUNDS, r=1, p=1, dklen=32)
    coded = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
    return f"$scrypt$ln={_ROUNDS},p=1,r=1${coded}"
