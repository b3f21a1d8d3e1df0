"""The last order a host has fulfilled, kept on the host.

An order is what a module was asked for (its arguments, without secrets) and the fingerprint the control node gave it.
The host can so say by itself whether what it was last asked for still holds, by the same comparison with the live
system as the module's; and the control node need not ask for the same thing again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = 1


@dataclass(frozen=True)
class Order:
    """What was asked for; two orders with one fingerprint are the same."""

    fingerprint: str
    params: Mapping[str, Any]


def keep(path: Path, order: Order | None) -> None:
    """Remember ``order`` in ``path`` (mode 0600, in directories made with 0755); None forgets.

    Nothing is written where the same order is remembered already. What cannot be remembered, on a full disk, costs an
    execution and is no fault.
    """
    if order is None:
        path.unlink(missing_ok=True)
        return
    with contextlib.suppress(OSError):
        _write(path, order)


def _write(path: Path, order: Order) -> None:
    # Sorted: arguments come in any order, and the same order in other words would be written anew.
    known = {"schema": _SCHEMA, "fingerprint": order.fingerprint, "params": order.params}
    text = json.dumps(known, sort_keys=True) + "\n"
    if path.is_file() and path.read_text(errors="replace") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".altnet-{path.name}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    temporary.replace(path)


def recall(path: Path) -> Order | None:
    """Return the order remembered in ``path``; one that is damaged, or of another version, is none."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict) or value.get("schema") != _SCHEMA or not isinstance(value.get("params"), dict):
        return None
    return Order(str(value.get("fingerprint")), value["params"])
