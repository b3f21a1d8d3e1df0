"""Ask the host for a key, unless it has just told of it (library/pki_key.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import orders


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module where the probe's answer does not do."""
        super().run(tmp, task_vars)
        variables, args = task_vars or {}, dict(self._task.args)
        once = args.get("state", "present") != "present" or args.get("renew")
        order = None if once else orders.fingerprint("pki_key", args)
        known = orders.standing(self, variables, f"pki_key {args.get('name')}", order)
        if known is not None:
            return known
        result: dict[str, Any] = self._execute_module(
            module_name="pki_key", module_args={**args, "_order": order}, task_vars=variables
        )
        orders.executed(self._task, variables, result)
        return result
