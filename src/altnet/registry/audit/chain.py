"""The log's chain: each entry's hash takes the one before it in, so that nothing can be changed unnoticed.

``hash = SHA-256(hash before || canonical JSON)``, where the hash before is 32 bytes (zeros before the first entry) and
the canonical JSON is an object of everything else of the entry: keys sorted, no blanks, UTF-8 as it is, times as
``2026-11-27T14:00:00Z``. Anybody can compute it again from an export.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Final

from ..domain.model import Entry

#: What stands before the first entry.
START: Final = "0" * 64


def canonical(value: object) -> str:
    """Return JSON that has one form only; raise TypeError or ValueError for what JSON has no form for."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def moment(time: datetime) -> str:
    """Return a time as it is hashed."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def content(entry: Entry) -> str:
    """Return the canonical JSON of an entry, without its hash."""
    return canonical(
        {
            "number": entry.number,
            "time": moment(entry.time),
            "actor": entry.actor,
            "via": entry.via,
            "client": entry.client,
            "action": entry.action,
            "kind": entry.kind,
            "object": entry.object,
            "detail": entry.detail,
        }
    )


def digest(before: str, entry: Entry) -> str:
    """Return the hash of an entry after the one with the hash ``before``."""
    return hashlib.sha256(bytes.fromhex(before) + content(entry).encode()).hexdigest()
