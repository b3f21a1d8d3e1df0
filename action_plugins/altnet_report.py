"""Print the network, and fail if it is not as planned (documented in library/altnet_report.py)."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import certificates, rundir
from altnet.controller.failure import Refusal, last_line
from altnet.controller.trust import Authority
from altnet.controller.vaultfile import Vault
from altnet.pki.scope import Scope
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
        held: dict[str, dict[str, Any]] = {}
        for name in task_vars["ansible_play_hosts_all"]:
            piece = rundir.read_slice(name)
            if piece is None:
                continue
            slices[name] = piece
            result = task_vars["hostvars"][name].get(args["check"]) or {}
            if "reach" in result:
                seen[name] = Seen(**{key.name: result[key.name] for key in fields(Seen)})
            elif result.get("failed"):
                silent[name] = last_line(result)
            held[name] = result.get("certificates") or {}
        told = report(slices, seen, silent, rundir.read_quarantined())
        for line in told.lines:
            self._display.display(line)
        faults = [*told.faults, *certificates.faults(held, datetime.now(UTC))]
        if any(held.values()):
            faults += self.authority(task_vars, slices)
        if faults:
            raise Refusal(faults, "the network is not as planned", {"faults": faults})
        return {"changed": False, "faults": []}

    def authority(self, task_vars: dict[str, Any], slices: dict[str, dict[str, Any]]) -> list[str]:
        """Return what fails by the state of the network's authority, and warn of what soon will."""
        piece = next(iter(slices.values()))
        scope = Scope(tuple(tld.removesuffix(".") for tld in piece["dns"]["tlds"]), piece["prefix"])
        findings = Authority(Path(task_vars["inventory_dir"], "pki"), Vault(None)).findings(scope)
        for finding in findings:
            if not finding.grave:
                self._display.warning(str(finding.problem))
        return [str(finding.problem) for finding in findings if finding.grave]
