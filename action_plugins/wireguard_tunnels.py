"""Derive the pair keys on the control node and hand them to the module (library/wireguard_tunnels.py).

The master secret is read from the task's variables and not from its arguments, and the derived keys go to the
host as arguments that the module hides: neither appears in a result, a registered variable or a log.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from altnet.controller import orders
from altnet.errors import AltnetError
from altnet.secrets import derive

MASTER = "wireguard_master_secret"
PASSED = (
    "interface",
    "neighbour",
    "generation",
    "listen_port",
    "local",
    "public_key",
    "endpoint",
    "allowed_ips",
    "keepalive",
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill in the pair keys, leave out pending tunnels, run the module unless all of it is known to hold."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        given = dict(self._task.args)
        entries = given.pop("tunnels", None) or []
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise AnsibleActionFail(
                f"wireguard_tunnels: tunnels: expected a list of tunnels, got {type(entries).__name__}"
            )
        ready, pending = [], []
        if given.get("state", "present") == "present":
            ready = [entry for entry in entries if not entry.get("pending", False)]
            pending = [entry["interface"] for entry in entries if entry.get("pending", False)]
        master = self._master(variables) if ready else ""
        tunnels = [self._tunnel(entry, number, master) for number, entry in enumerate(ready)]
        arguments = {**given, "tunnels": tunnels, "pending": pending}
        # The probe looks in the usual directory only.
        order = None if "directory" in given else orders.fingerprint("wireguard_tunnels", arguments)
        known = orders.standing(self, variables, "wireguard_tunnels", order)
        if known is not None:
            return known
        result: dict[str, Any] = self._execute_module(
            module_name="wireguard_tunnels", module_args={**arguments, "_order": order}, task_vars=variables
        )
        orders.executed(self._task, variables, result)
        return result

    def _master(self, variables: Mapping[str, Any]) -> str:
        master = self._templar.template(variables.get(MASTER, ""))
        if not isinstance(master, str) or not master:
            raise AnsibleActionFail(
                f"{MASTER}: it is empty, and the pair keys are derived from it. "
                "Remedy: give the network's master secret from its vault."
            )
        return str(master)

    @staticmethod
    def _tunnel(entry: Mapping[str, Any], number: int, master: str) -> dict[str, Any]:
        try:
            key = derive(master, str(entry["psk_label"]), int(entry["psk_epoch"]), 32)
        except KeyError as missing:
            raise AnsibleActionFail(
                f"wireguard_tunnels[{number}]: {missing} is missing. "
                "Remedy: take the tunnels from the plan as they are."
            ) from None
        except AltnetError as error:
            raise AnsibleActionFail(f"wireguard_tunnels[{number}]: {error}") from None
        return {
            **{name: entry[name] for name in PASSED if entry.get(name) is not None},
            "preshared_key": base64.b64encode(key).decode("ascii"),
        }
