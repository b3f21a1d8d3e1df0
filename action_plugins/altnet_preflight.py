"""Check the inventory and the ledger before any host is touched (documented in library/altnet_preflight.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller.failure import Refusal
from altnet.controller.preflight import problems


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with every problem found."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "ledger": {"type": "path", "required": True},
                "leaving": {"type": "list", "elements": "str", "default": []},
            }
        )
        found = problems(task_vars or {}, Path(args["ledger"]), args["leaving"])
        if found:
            raise Refusal(found, "no host was touched")
        return {"changed": False}
