# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the desired zones, and keep their private keys apart from what may be shown (library/pdns_zones.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from altnet.controller import names, orders, rundir
from altnet.controller.failure import Refusal
from altnet.controller.variables import plain
from altnet.errors import AltnetError
from altnet.naming import keys as dnssec
from altnet.naming.anchors import epochs
from altnet.naming.desired import keys_of as zones_keys
from altnet.naming.model import Key
from altnet.powerdns.held import KeysOf, merged
from altnet.powerdns.registered import SECRET_LABEL
from altnet.secrets import derive_base64


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
        held = given.pop("held", None) or []
        if held:
            zones, problems = merged(zones, plain(held), keys_of(variables), members_keys(variables))
            if problems:
                raise Refusal(problems, "no zone was changed")
        given["keys"] = json.dumps({zone.get("name"): plain(zone["keys"]) for zone in zones if zone.get("keys")})
        given["zones"] = [{key: value for key, value in zone.items() if key != "keys"} for zone in zones]
        order, host = self._order(given, variables), self._task.delegate_to
        known = orders.standing(self, variables, "pdns_zones", order, host)
        if known is not None:
            return known
        result: dict[str, Any] = self._execute_module(
            "pdns_zones",
            module_args={**given, "_order": order, "_host": str(host or variables["inventory_hostname"])},
            task_vars=variables,
        )
        orders.executed(self._task, variables, result, host)
        return result

    def _order(self, given: Mapping[str, Any], variables: Mapping[str, Any]) -> str | None:
        """Name the order by a key of the network's, as private keys are in it; what is done once has no name."""
        key = orders.secret_key(self._templar.template(variables.get(names.MASTER)))
        if key is None or given.get("settle"):
            return None
        return orders.fingerprint("pdns_zones", given, key)

    def _planned(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the plan says of the primary: of the host that the task is delegated to, whatever the limit."""
        name = self._task.delegate_to or variables["inventory_hostname"]
        piece = rundir.read_slice(str(name)) or {}
        names = piece.get("dns") or {}
        if names.get("role") != "primary":
            return {}
        return {"address": piece["loopback"], "secondaries": names["secondaries"]}


def keys_of(variables: Mapping[str, Any]) -> KeysOf:
    """Return what gives any zone's keys, as master secret and ledger have them, and their DNSKEY records."""
    ledger, master = names.ledger_of(variables), names.master_of(variables)
    private = zones_keys(ledger, master)

    def found(zone: str) -> tuple[list[dict[str, Any]], list[str]]:
        bare = zone.removesuffix(".")
        public = [dnssec.dnskey(master, bare, number).to_text() for number in epochs(ledger, bare)]
        return [asdict(key) for key in private(bare)[0]], public

    return found


def members_keys(variables: Mapping[str, Any]) -> KeysOf:
    """Return what gives the key of any zone of the registry's, and its DNSKEY record."""
    secret = derive_base64(names.master_of(variables), SECRET_LABEL, 0)

    def found(zone: str) -> tuple[list[dict[str, Any]], list[str]]:
        bare = zone.removesuffix(".")
        return [asdict(Key(dnssec.private_text(secret, bare, 0)))], [dnssec.dnskey(secret, bare, 0).to_text()]

    return found


def desired(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the network's zones; their private keys are in it."""
    try:
        return list(names.desired(variables))
    except AltnetError as error:
        raise AnsibleActionFail(str(error)) from None
