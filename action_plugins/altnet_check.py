"""Ask a host whom it reaches: fills in who is to be asked, from this run's plan (library/altnet_check.py)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir
from altnet.controller.failure import Refusal
from altnet.errors import Problem
from altnet.names_report import wanted_of
from altnet.services_report import ROOTS, people_of, sites_of


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module with every other host of the inventory as a target."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        name = task_vars["inventory_hostname"]
        piece, loopbacks = rundir.read_slice(name), rundir.read_loopbacks()
        if piece is None:
            problem = Problem(name, "ledger.json", "the host is not in it, and so not in the plan", "run site.yml")
            raise Refusal([problem], "the host was not asked")
        present = set(task_vars["groups"]["all"])
        targets = {other: address for other, address in loopbacks.items() if other != name and other in present}
        args = {
            "source": piece["loopback"],
            "targets": targets,
            "sessions": [session["protocol"] for session in piece["bgp"]],
            "tunnels": [tunnel["interface"] for tunnel in piece["tunnels"] if not tunnel["pending"]],
            "names": wanted_of(piece.get("dns"), {**targets, name: piece["loopback"]}),
            "people": people_of(piece, self.roots("directory_ca_file", task_vars)),
            "sites": sites_of(piece, self.roots("content_roots", task_vars)),
            **self._task.args,
        }
        result: dict[str, Any] = self._execute_module(module_name="altnet_check", module_args=args, task_vars=task_vars)
        return result

    def roots(self, variable: str, task_vars: dict[str, Any]) -> str:
        """Return the file that a role's variable names, as the role itself does where nobody has set it."""
        return str(self._templar.template(task_vars.get(variable, ROOTS)))
