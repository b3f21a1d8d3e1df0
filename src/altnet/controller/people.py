"""People and groups as the inventory declares them, judged before any host is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from altnet.directory.parse import ACCOUNTS, GROUPS, NO_KEY, is_public_key, parse
from altnet.errors import InventoryError, Problem
from altnet.gather import DIRECTORY, LOGINS

from .variables import names_of, set_by_inventory

EMERGENCY = "logins_emergency_keys"


def people_problems(task_vars: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with what is declared; a network has one directory, so all hosts declare the same."""
    providers = [str(name) for name in task_vars["groups"].get(DIRECTORY, ())]
    declared: dict[str, tuple[str, Any]] = {}
    for name in providers or names_of(task_vars):
        values = set_by_inventory(task_vars, name, {ACCOUNTS, GROUPS})
        for key, value in values.items():
            first, known = declared.setdefault(key, (name, value))
            if known != value:
                what = f"is not the same as on host {first}, and a network has one directory"
                yield Problem(name, key, what, "set it once, in group_vars/all")
    given = {key: value for key, (_, value) in declared.items() if value}
    if given and not providers:
        for key in sorted(given):
            yield Problem("", key, "is set, and no host holds people", "put a host into the group directory")
    try:
        parse(given.get(ACCOUNTS, []), given.get(GROUPS, []))
    except InventoryError as error:
        yield from error.problems


def logins_problems(task_vars: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with hosts on which operators are to log in by the directory."""
    hosts = [str(name) for name in task_vars["groups"].get(LOGINS, ())]
    if hosts and not task_vars["groups"].get(DIRECTORY):
        yield Problem(
            "", f"group {LOGINS}", "has hosts, and no host holds people", "put a host into the group directory"
        )
    for name in hosts:
        keys = set_by_inventory(task_vars, name, {EMERGENCY}).get(EMERGENCY) or []
        if not keys:
            what = "is empty, and nobody could log in while the directory is dead"
            yield Problem(name, EMERGENCY, what, "give a public key of OpenSSH, of a pair that is kept offline")
        for index, key in enumerate(keys):
            if not is_public_key(str(key).strip()):
                yield Problem(name, f"{EMERGENCY}[{index}]", *NO_KEY)
