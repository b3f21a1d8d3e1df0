"""Hand a host its own slice of the plan (documented in library/altnet_slice.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir
from altnet.controller.failure import Refusal
from altnet.errors import Problem


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the slice that altnet_allocation wrote."""
        super().run(tmp, task_vars)
        self.validate_argument_spec({})
        name = (task_vars or {})["inventory_hostname"]
        piece = rundir.read_slice(name)
        if piece is None:
            mend = "run site.yml for a new host; take a host that has left out of the inventory, or give it a new name"
            problem = Problem(name, "ledger.json", "the host is not in this run's plan", mend)
            raise Refusal([problem], "the host was not changed")
        return {"changed": False, "ansible_facts": {"altnet_slice": piece}}
