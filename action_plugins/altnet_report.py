"""Print the network, and fail if it is not as planned (documented in library/altnet_report.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir
from altnet.controller.failure import Refusal, last_line
from altnet.report import Seen, report


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the table; fail with the faults."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        _, args = self.validate_argument_spec({"check": {"type": "str", "required": True}})
        seen, silent, slices = dict[str, Seen](), dict[str, str](), {}
        for name in task_vars["ansible_play_hosts_all"]:
            piece = rundir.read_slice(name)
            if piece is None:
                continue
            slices[name] = piece
            result = task_vars["hostvars"][name].get(args["check"]) or {}
            if "reach" in result:
                seen[name] = Seen(**{key: result[key] for key in ("reach", "tunnels", "sessions", "problem", "names")})
            elif result.get("failed"):
                silent[name] = last_line(result)
        told = report(slices, seen, silent, rundir.read_quarantined())
        for line in told.lines:
            self._display.display(line)
        if told.faults:
            raise Refusal(told.faults, "the network is not as planned", {"faults": list(told.faults)})
        return {"changed": False, "faults": []}
