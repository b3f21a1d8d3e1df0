"""The plan of this run, on the control node: one file for each host, read by that host's tasks alone.

The files lie in the run's own temporary directory, which Ansible makes for each ansible-playbook process, shares
with its workers and removes at the end.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812 - Ansible's own name for it


def directory(*parts: str) -> Path:
    """Return (and make) a directory of this run's plan."""
    path = Path(C.DEFAULT_LOCAL_TMP, "altnet-plan", *parts)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write(path: Path, value: object) -> None:
    """Write ``value`` as JSON, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value))
    os.replace(temporary, path)  # noqa: PTH105 - the atomic one, by its name


def read(path: Path) -> Any:
    """Return the JSON value in ``path``, None where there is no such file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


def write_slice(name: str, piece: dict[str, Any]) -> None:
    """Keep host ``name``'s slice."""
    write(directory("slices") / f"{name}.json", piece)


def read_slice(name: str) -> dict[str, Any] | None:
    """Return host ``name``'s slice, None for a host that is not in the plan (or before there is one)."""
    piece: dict[str, Any] | None = read(directory("slices") / f"{name}.json")
    return piece


def write_loopbacks(loopbacks: dict[str, str]) -> None:
    """Keep every host's loopback, by name: whom to ask in an end-to-end check."""
    write(directory() / "loopbacks.json", loopbacks)


def write_quarantined(hosts: dict[str, dict[str, Any]]) -> None:
    """Keep what is known of the hosts that are shut out, by name: a report names them."""
    write(directory() / "quarantined.json", hosts)


def read_quarantined() -> dict[str, dict[str, Any]]:
    """Return what is known of the hosts that are shut out, by name."""
    hosts: dict[str, dict[str, Any]] = read(directory() / "quarantined.json") or {}
    return hosts


def read_loopbacks() -> dict[str, str]:
    """Return every host's loopback, by name."""
    loopbacks: dict[str, str] = read(directory() / "loopbacks.json") or {}
    return loopbacks


def write_ledger(text: str) -> None:
    """Keep the ledger as this run has it, which in check mode is not what the file says."""
    write(directory() / "ledger.json", text)


def read_ledger() -> str | None:
    """Return the text of this run's ledger, None before there is one."""
    text: str | None = read(directory() / "ledger.json")
    return text


def write_zone_keys(wanted: dict[str, Any]) -> None:
    """Keep what every host should have of the zone whose key changes."""
    write(directory() / "zone-keys.json", wanted)


def read_zone_keys() -> dict[str, Any] | None:
    """Return what every host should have of the zone whose key changes, None where none does."""
    wanted: dict[str, Any] | None = read(directory() / "zone-keys.json")
    return wanted


def note_change(name: str) -> None:
    """Remember that something was changed on host ``name`` in this run; what it said before holds no more."""
    (directory("changed") / name).touch()
    (directory("answers") / f"{name}.json").unlink(missing_ok=True)


def was_changed(name: str) -> bool:
    """Say whether something was changed on host ``name`` in this run."""
    return (directory("changed") / name).exists()


def write_answers(name: str, facts: dict[str, Any]) -> None:
    """Keep what host ``name`` said of its orders after it was changed."""
    write(directory("answers") / f"{name}.json", facts)


def read_answers(name: str) -> dict[str, Any] | None:
    """Return what host ``name`` said since it was changed last, None where it was not asked since."""
    facts: dict[str, Any] | None = read(directory("answers") / f"{name}.json")
    return facts
