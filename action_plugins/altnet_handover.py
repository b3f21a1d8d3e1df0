"""Ask a host whether traffic has moved: fills in its tunnels from this run's plan (library/altnet_handover.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir
from altnet.controller.failure import Refusal
from altnet.errors import Problem
from altnet.rotation import handovers


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module, unless there is nothing to ask."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        name = task_vars["inventory_hostname"]
        piece = rundir.read_slice(name)
        if piece is None:
            problem = Problem(name, "ledger.json", "the host is not in it, and so not in the plan", "run site.yml")
            raise Refusal([problem], "the host was not asked")
        args = {"pairs": handovers(piece), **self._task.args}
        if not args["pairs"]:
            return {"changed": False, "waiting": {}}
        result: dict[str, Any] = self._execute_module(
            module_name="altnet_handover", module_args=args, task_vars=task_vars
        )
        return result
