# SPDX-License-Identifier: GPL-3.0-or-later
"""Make entries of people and groups, and keep passwords apart from what may be shown (library/directory_entries.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import names, orders
from altnet.controller.failure import Refusal
from altnet.controller.variables import plain
from altnet.directory import wish
from altnet.directory.parse import parse
from altnet.directory.tree import Policy
from altnet.errors import InventoryError

#: What is made into entries here, and not handed on.
DECLARED = ("accounts", "groups", "services", "policy")


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Judge what is declared, move passwords into the hidden argument, run the module."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        given = plain(self._task.args)
        declared = {name: given.pop(name, None) for name in DECLARED}
        try:
            people = parse(declared["accounts"] or [], declared["groups"] or [])
        except InventoryError as error:
            raise Refusal(error.problems, "nobody was changed") from None
        base = given["base"]
        policy = Policy(**{name: int(value) for name, value in (declared["policy"] or {}).items()})
        given["entries"] = [entry.plain() for entry in wish.entries(people, base, policy)]
        given["peers"] = [{key: peer[key] for key in ("name", "uri")} for peer in given.get("peers") or []]
        given["secrets"] = json.dumps(wish.secrets(people, base, declared["services"] or {}), sort_keys=True)
        order = self._order(given, variables)
        known = orders.standing(self, variables, "directory_entries", order)
        if known is not None:
            return known
        result: dict[str, Any] = self._execute_module(
            "directory_entries", module_args={**given, "_order": order}, task_vars=variables
        )
        orders.executed(self._task, variables, result)
        return result

    def _order(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str | None:
        """Name the order by a key of the network's, as passwords are in it; what has consent has no name."""
        key = orders.secret_key(self._templar.template(variables.get(names.MASTER)))
        if key is None or given.get("prune_consent") or given.get("start_anew"):
            return None
        return orders.fingerprint("directory_entries", given, key)
