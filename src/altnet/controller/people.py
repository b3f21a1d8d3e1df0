"""People and groups as the inventory declares them, judged before any host is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from altnet.directory.parse import ACCOUNTS, GROUPS, parse
from altnet.errors import InventoryError, Problem
from altnet.gather import DIRECTORY

from .variables import names_of, set_by_inventory


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
