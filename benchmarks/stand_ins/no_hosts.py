"""Hosts that answer at once: what is left of a run is Ansible's own part and that of our plugins.

Every task, include, variable, template and action plugin of a playbook runs as ever; only the module executions, which
are the hosts' part, are answered here with what a converged host answers. Enabled by the benchmarks alone.
"""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from benchmarks.network import public_keys

DOCUMENTATION = r"""
name: no_hosts
type: aggregate
short_description: Answer every module execution in the place of a converged host
description: For measurements of the control node. No host is reached, nothing is changed anywhere.
"""


def answer(module: str, args: dict[str, Any], host: str) -> dict[str, Any]:
    """Return what a converged host's module returns."""
    if module == "altnet_probe":
        facts = {
            "release": "trixie", "kernel_wireguard": True, "packages": args["packages"], "ra_interfaces": [],
            "foreign_drops": [], "sets_clock": True, "bgp_established": [], "time": time.time(), "stop": None,
            "problems": [], "asked_at": args["asked_at"],
        }  # fmt: skip
        return {"changed": False, "ansible_facts": {"altnet_host": facts}}
    if module == "wireguard_key":
        keys = {str(generation): key for generation, key in public_keys([host])[host].items()}
        return {"changed": False, "public_keys": keys, "placeholder": False}
    if module in {"transaction", "wireguard_tunnels"}:
        return {"changed": False}
    if module.rpartition(".")[2] in {"stat", "copy", "file"}:  # what the action plugin of `template` asks for
        return {"changed": False, "stat": {"exists": False}, "failed": False}
    return {"failed": True, "msg": f"no stand-in for the module {module}"}


def execute(
    self: Any,
    module_name: str | None = None,
    module_args: dict[str, Any] | None = None,
    tmp: object = None,  # noqa: ARG001 - Ansible's signature
    task_vars: dict[str, Any] | None = None,
    **_: object,
) -> dict[str, Any]:
    """Stand in for ActionBase._execute_module."""
    args = self._task.args if module_args is None else module_args
    return answer(str(module_name or self._task.action), args, str((task_vars or {})["inventory_hostname"]))


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Puts the stand-in in place before the first worker starts."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "no_hosts"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        ActionBase._execute_module = execute
        self.started: list[tuple[str, float]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """Note when a task begins."""
        self.started.append((task.get_name(), time.monotonic()))

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002
        """Print each task's seconds, the slowest first."""
        ends = [begun for _, begun in self.started[1:]] + [time.monotonic()]
        took = [(end - begun, name) for (name, begun), end in zip(self.started, ends, strict=True)]
        for seconds, name in sorted(took, reverse=True):
            self._display.display(f"task {seconds:8.2f} s {name}")
