# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the desired zones, and keep their private keys apart from what may be shown (library/pdns_zones.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from altnet.controller import names, rundir
from altnet.controller.variables import plain
from altnet.errors import AltnetError


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill in what is left out, move the keys into the hidden argument, run the module."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        given = {**self._planned(variables), **self._task.args}
        zones = given["zones"] if "zones" in given else desired(variables)
        if not isinstance(zones, list) or not all(isinstance(zone, Mapping) for zone in zones):
            raise AnsibleActionFail("pdns_zones: zones: not a list of zones. Remedy: give the desired set as it is.")
        given["keys"] = json.dumps({zone.get("name"): plain(zone["keys"]) for zone in zones if zone.get("keys")})
        given["zones"] = [{key: value for key, value in zone.items() if key != "keys"} for zone in zones]
        # No standing order depends on what zones there are, so none ends by a change.
        result: dict[str, Any] = self._execute_module("pdns_zones", module_args=given, task_vars=variables)
        return result

    def _planned(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the plan says of the primary: of the host that the task is delegated to, whatever the limit."""
        name = self._task.delegate_to or variables["inventory_hostname"]
        piece = rundir.read_slice(str(name)) or {}
        names = piece.get("dns") or {}
        if names.get("role") != "primary":
            return {}
        return {"address": piece["loopback"], "secondaries": names["secondaries"]}


def desired(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the network's zones; their private keys are in it."""
    try:
        return list(names.desired(variables))
    except AltnetError as error:
        raise AnsibleActionFail(str(error)) from None
