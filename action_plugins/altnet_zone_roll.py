"""Take a step of a zone's key roll (documented in library/altnet_zone_roll.py)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet import ledger as ledgers
from altnet import plan as plans
from altnet.controller import names, rolling, rundir
from altnet.controller.failure import Refusal
from altnet.controller.network import inventory_of
from altnet.errors import AltnetError
from altnet.naming.anchors import DsOf

ARGUMENTS = {
    "ledger": {"type": "path", "required": True},
    "zone": {"type": "str", "required": True},
    "step": {"type": "str", "choices": list(rolling.STEPS), "required": True},
    "ttl": {"type": "int"},
    "wait": {"type": "bool", "default": False},
    "wait_max": {"type": "int", "default": 14400},
    "gone": {"type": "list", "elements": "str", "default": []},
    "seen_from": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Take the step, write the ledger unless in check mode, and leave every host's slice for altnet_slice."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        _, args = self.validate_argument_spec(ARGUMENTS)
        zone = args["zone"].lower().removesuffix(".")
        try:
            taken = self.once(args, zone, task_vars)
            left = taken["wait"]
            if left and args["wait"] and not self._task.check_mode and left <= args["wait_max"]:
                self._display.display(f"zone {zone}: waiting {left} s")
                # Outside the ledger's lock: whoever only reads it is not kept.
                time.sleep(left)
                taken = self.once(args, zone, task_vars)
            elif left:
                self._display.display(f"zone {zone}: the next step is due in {left} s; run this again then")
        except AltnetError as error:
            raise Refusal(error.problems, "the ledger was not changed") from None
        return taken

    def once(self, args: Mapping[str, Any], zone: str, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Take the step if it is due."""
        path = Path(args["ledger"])
        with ledgers.locked(path):
            before = self.before(path)
            if before is None:
                raise rolling.no_ledger(path)
            inventory = inventory_of(task_vars, without={name for name, host in before.hosts.items() if host.left})
            timing = rolling.timing_of(rolling.zone_of(inventory, before, zone), args["ttl"])
            ds_of = names.ds_of(task_vars)
            assert ds_of is not None  # there is the zone, so there are servers
            concerned, gone = rolling.members(inventory, before), args["gone"]
            running = task_vars["ansible_play_hosts"]
            problems = list(rolling.unreached(concerned, task_vars["ansible_play_hosts_all"], gone))
            now, lines, wait, due = int(time.time()), tuple[str, ...](), 0, True
            after = before
            if args["step"] == "confirm":
                seen = {name: task_vars["hostvars"][name].get(args["seen_from"]) for name in running}
                problems = problems or list(rolling.unseen(concerned, seen, gone))
            if problems:
                raise Refusal(problems, "the roll stays where it is")
            if args["step"] == "confirm":
                after, line = rolling.confirm(before, zone, now=now, timing=timing, ds_of=ds_of)
                self._display.display(line)
            else:
                taken = rolling.take(args["step"], before, zone, ds_of, now=now, timing=timing)
                after, lines, wait, due = taken.ledger, taken.changes, taken.wait, taken.due
            for line in lines:
                self._display.display(f"ledger: {line}")
            self.write(inventory, after, zone, ds_of)
            changed = after != before
            if changed and not self._task.check_mode:
                ledgers.save(path, after)
        return {
            "changed": changed,
            "changes": list(lines),
            "wait": wait,
            "due": due,
            "diff": {
                "before_header": str(path),
                "after_header": str(path),
                "before": ledgers.dump(before),
                "after": ledgers.dump(after),
            },
        }

    def before(self, path: Path) -> ledgers.Ledger | None:
        """Return the ledger; in check mode as the steps before this one would have left it."""
        text = rundir.read_ledger() if self._task.check_mode else None
        return ledgers.load(path) if text is None else ledgers.parse(text)

    def write(self, inventory: Any, ledger: ledgers.Ledger, zone: str, ds_of: DsOf) -> None:
        """Write this run's ledger, each host's slice, and what hosts should have."""
        rundir.write_ledger(ledgers.dump(ledger))
        plan = plans.compute(inventory, ledger)
        for name in plan.names:
            piece = plan.slice(name)
            anchored = zone in piece["dns"]["zones_anchored"]
            rundir.write_slice(name, piece)
        rundir.write_zone_keys(rolling.wanted(ledger, zone, anchored=anchored, ds_of=ds_of))
