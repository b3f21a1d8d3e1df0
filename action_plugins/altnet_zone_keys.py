"""Ask a host for a zone's keys: fills in what this run's roll wants there (library/altnet_zone_keys.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir
from altnet.controller.failure import Refusal
from altnet.errors import Problem


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        name = task_vars["inventory_hostname"]
        piece, wanted = rundir.read_slice(name), rundir.read_zone_keys()
        if piece is None or wanted is None:
            problem = Problem(name, "ledger.json", "the host is not in this run's plan", "run site.yml")
            raise Refusal([problem], "the host was not asked")
        planned = {**wanted, "address": piece["loopback"], "resolver": piece["dns"]["resolver"]}
        result: dict[str, Any] = self._execute_module(
            module_name="altnet_zone_keys", module_args={**planned, **self._task.args}, task_vars=task_vars
        )
        return result
