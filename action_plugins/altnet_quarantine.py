"""Shut a host out in the ledger, and say who has to cut it off (documented in library/altnet_quarantine.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet import ledger as ledgers
from altnet.controller.failure import Refusal
from altnet.errors import AltnetError, LedgerError, Problem
from altnet.quarantine import interfaces, neighbours, quarantine


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Mark the host, unless in check mode, and return its neighbours."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        _, args = self.validate_argument_spec(
            {
                "ledger": {"type": "path", "required": True},
                "host": {"type": "str", "required": True},
                "force": {"type": "bool", "default": False},
            }
        )
        try:
            with ledgers.locked(Path(args["ledger"])):
                return self.quarantine(Path(args["ledger"]), args["host"], task_vars, force=args["force"])
        except AltnetError as error:
            raise Refusal(error.problems, "no host was touched") from None

    def quarantine(self, path: Path, name: str, task_vars: dict[str, Any], *, force: bool) -> dict[str, Any]:
        """Do the work; the ledger's lock is held."""
        if not name:
            mend = "-e quarantine_host=NAME, a host of the ledger"
            raise LedgerError(Problem("", "quarantine_host", "is not given", mend))
        before = ledgers.load(path)
        if before is None:
            raise LedgerError(Problem("", str(path), "there is no ledger yet, so there is no network", "run site.yml"))
        after = quarantine(before, name, force=force)
        if after != before and not self._task.check_mode:
            ledgers.save(path, after)
        around, present = neighbours(before, name), set(task_vars["groups"]["all"])
        outside = sorted(present.intersection(around).difference(task_vars["ansible_play_hosts_all"]))
        if outside:
            self._display.warning(
                f"this run leaves out neighbours of {name}, which stay connected with it: {', '.join(outside)}. "
                "Repeat the playbook without --limit."
            )
        absent = sorted(set(around) - present)
        if absent:
            self._display.warning(
                f"neighbours of {name} are not in the inventory and stay connected with it: {', '.join(absent)}. "
                "Put their lines back and repeat the playbook."
            )
        return {
            "changed": after != before,
            "neighbours": sorted(present.intersection(around)),
            "interfaces": interfaces(before, name),
            "diff": {
                "before_header": str(path),
                "after_header": str(path),
                "before": ledgers.dump(before),
                "after": ledgers.dump(after),
            },
        }
