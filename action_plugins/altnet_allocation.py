"""Bring the ledger up to date and make the plan (documented in library/altnet_allocation.py)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from altnet import ledger as ledgers
from altnet import plan as plans
from altnet.addressing import generate_prefix
from altnet.allocate import allocate, drain, leave
from altnet.collector import set_aside
from altnet.controller import apps, content, names, registry, rotation, rundir
from altnet.controller.failure import Refusal
from altnet.controller.network import inventory_of
from altnet.errors import AltnetError, LedgerError, Problem
from altnet.inventory import Inventory
from altnet.naming import sshfp
from altnet.naming.promote import promote
from altnet.quarantine import quarantine, release, stranded
from altnet.wireguard.keyfile import PLACEHOLDER

ARGUMENTS = {
    "ledger": {"type": "path", "required": True},
    "public_keys_from": {"type": "str", "default": ""},
    "update": {"type": "bool", "default": True},
    "leave": {"type": "list", "elements": "str", "default": []},
    "drain": {"type": "list", "elements": "str", "default": []},
    "undrain": {"type": "list", "elements": "str", "default": []},
    "rotation": {"type": "str", "choices": ["", *rotation.STEPS], "default": ""},
    "handover_from": {"type": "str", "default": ""},
    "quarantine": {"type": "list", "elements": "str", "default": []},
    "release": {"type": "list", "elements": "str", "default": []},
    "same_keys": {"type": "bool", "default": False},
    "dns_primary": {"type": "str", "default": ""},
}


def stand_in(name: str, generation: int) -> str:
    """Return a well-formed public key for one that check mode cannot make, told apart by its value alone."""
    return base64.b64encode(hashlib.sha256(f"not born yet: {name} {generation}".encode()).digest()).decode()


def reported_keys(task_vars: Mapping[str, Any], variable: str) -> dict[str, dict[int, str]]:
    """Return the public keys hosts registered under ``variable`` in this run, by host and generation."""
    keys: dict[str, dict[int, str]] = {}
    for name in task_vars["ansible_play_hosts_all"] if variable else ():
        result = task_vars["hostvars"][name].get(variable) or {}
        if result.get("public_keys"):
            keys[name] = {
                int(g): stand_in(name, int(g)) if key == PLACEHOLDER else str(key)
                for g, key in result["public_keys"].items()
            }
    return keys


def reported_host_keys(task_vars: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """Return the fingerprints of the ssh host keys of the hosts that this run's probe looked at."""
    facts = {name: task_vars["hostvars"][name].get("altnet_host") or {} for name in task_vars["ansible_play_hosts_all"]}
    return {name: sshfp.fingerprints(found.get("ssh_host_keys") or ()) for name, found in facts.items()}


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Allocate, write the ledger unless in check mode, and leave every host's slice for altnet_slice."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        _, args = self.validate_argument_spec(ARGUMENTS)
        try:
            with ledgers.locked(Path(args["ledger"])):
                return self.allocate(args, task_vars)
        except AltnetError as error:
            raise Refusal(error.problems, "the ledger was not changed") from None
        except OSError as error:
            raise AnsibleActionFail(
                f"the network: {args['ledger']}: {error.strerror}. Remedy: make it writable."
            ) from error

    def allocate(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the work; the ledger's lock is held."""
        path = Path(args["ledger"])
        before = ledgers.load(path)
        gone = {name for name, record in before.hosts.items() if record.left} if before else set[str]()
        # A removal that was interrupted is taken up again while the host's line is still in the inventory.
        leaving = {*args["leave"], *gone.intersection(args["drain"])}
        inventory = inventory_of(task_vars, without=leaving)
        keys = reported_keys(task_vars, args["public_keys_from"])
        running: list[str] = task_vars["ansible_play_hosts_all"]
        handovers = {name: task_vars["hostvars"][name].get(args["handover_from"]) for name in running}
        after, changes = before, list[str]()
        if args["update"]:
            after, changes = self.update(args, before, inventory, keys, task_vars)
            if args["rotation"]:
                step = rotation.take(args["rotation"], after, running, keys, handovers)
                after, changes = step.ledger, [*changes, *step.changes]
        if after is None:
            raise LedgerError(
                Problem("", str(path), "there is no ledger yet, so there is no network", "run site.yml first")
            )
        rundir.write_ledger(ledgers.dump(after))
        plan = plans.compute(inventory, after)
        placed, sites = apps.placed_of(task_vars, inventory), content.sites_of(task_vars, inventory)
        self.apps = apps.parts(placed, inventory, after)
        self.sites = content.parts(sites, inventory, after)
        self.registry = registry.parts(placed, sites, inventory)
        touched = self.write(plan, None if before is None else plans.compute(inventory, before), keys)
        text_before = "" if before is None else ledgers.dump(before)
        text_after = ledgers.dump(after)
        changed = text_before != text_after
        if changed and not self._task.check_mode:
            ledgers.save(path, after)
        self.warn_of(stranded(after, plan.names) if args["quarantine"] else [])
        # While keys rotate, whoever is left behind is told at the end, and has a working tunnel until then.
        self.tell(changes, [] if args["rotation"] else sorted(set(touched).difference(running)))
        if args["rotation"] == "finish":
            self.conclude(after, running, handovers)
        return {
            "changed": changed,
            "changes": changes,
            "touched": touched,
            "quarantined": sorted(after.quarantined.intersection(task_vars["groups"]["all"])),
            "left": sorted(gone.intersection(task_vars["groups"]["all"])),
            "diff": {
                "before_header": str(path),
                "after_header": str(path),
                "before": text_before,
                "after": text_after,
            },
        }

    def update(
        self,
        args: Mapping[str, Any],
        ledger: ledgers.Ledger | None,
        inventory: Inventory,
        keys: Mapping[str, Mapping[int, str]],
        task_vars: Mapping[str, Any],
    ) -> tuple[ledgers.Ledger, list[str]]:
        """Return the ledger with what is asked for, and what is new in it."""
        gone = {name for name, record in ledger.hosts.items() if record.left} if ledger else set[str]()
        changes: list[str] = []
        for name in args["leave"]:
            if ledger is not None:
                ledger = leave(ledger, name)
                changes.append(f"host {name}: left; its id stays a tombstone")
        for drained, hosts in ((True, args["drain"]), (False, args["undrain"])):
            for name in hosts:
                if ledger is not None and name not in gone:
                    ledger = drain(ledger, name, drained)
        if ledger is not None:
            ledger = self.shut_out(ledger, args, changes)
        if ledger is not None and args["dns_primary"]:
            ledger, before = promote(ledger, inventory, args["dns_primary"]), ledger
            changes += [f"host {ledger.dns_primary}: is the primary of the zones"] if ledger != before else []
        allocation = allocate(
            inventory,
            ledger,
            keys=keys,
            new_prefix=generate_prefix,
            host_keys=reported_host_keys(task_vars),
            ds_of=names.ds_of(task_vars),
        )
        return allocation.ledger, [*changes, *allocation.changes]

    def shut_out(self, ledger: Any, args: Mapping[str, Any], changes: list[str]) -> Any:
        """Return the ledger with hosts quarantined and released, as asked."""
        for name in args["quarantine"]:
            # Whether it is the last relay was asked when the neighbours were made to cut.
            ledger, before = quarantine(ledger, name, force=True), ledger
            changes += [f"host {name}: quarantined"] if ledger != before else []
        for name in args["release"]:
            ledger, before = release(ledger, name, same_keys=args["same_keys"]), ledger
            changes += [f"host {name}: released"] if ledger != before else []
        return ledger

    def warn_of(self, hosts: list[str]) -> None:
        """Say who has no way left."""
        if hosts:
            self._display.warning(
                f"no relay is left through which these hosts could reach the others: {', '.join(hosts)}. Add a relay "
                "that they can reach, or give them an endpoint."
            )

    def tell(self, changes: Iterable[str], left_out: list[str]) -> None:
        """Print what the ledger gained, and whom a limited run leaves with an outdated part of the plan."""
        for change in changes:
            self._display.display(f"ledger: {change}")
        if left_out:
            self._display.warning(
                f"this run leaves out hosts whose part of the plan has changed: {', '.join(left_out)}. They still have "
                "to run: repeat the playbook without --limit, or with these hosts in it."
            )

    def conclude(self, ledger: ledgers.Ledger, running: list[str], handovers: Mapping[str, Any]) -> None:
        """Print how far the rotation is; fail where a host of this run should be further."""
        line, warning = rotation.summary(ledger, running)
        self._display.display(line)
        if warning:
            self._display.warning(warning)
        problems = list(rotation.stuck(ledger, running, handovers))
        if problems:
            raise Refusal(problems, "what is done is kept, and the same command goes on from here")

    @set_aside()
    def write(self, plan: Any, previous: Any, keys: Mapping[str, Mapping[int, str]]) -> list[str]:
        """Write each host's slice for this run; return the hosts whose slice is new or not what it was."""
        stand_ins = {
            stand_in(name, generation): f"(to be made on {name})"
            for name, generations in keys.items()
            for generation, key in generations.items()
            if key == stand_in(name, generation)
        }
        touched = []
        known: Iterable[str] = set() if previous is None else set(previous.names)
        loopbacks = {}
        for name in plan.names:
            piece = plan.slice(name)
            if name not in known or previous.slice(name) != piece:
                touched.append(name)
            for tunnel in piece["tunnels"]:
                tunnel["public_key"] = stand_ins.get(tunnel["public_key"], tunnel["public_key"])
            if name in self.sites:
                piece["content"] = self.sites[name]
            if name in self.apps:
                piece["apps"] = self.apps[name]
            if name in self.registry:
                piece["registry"] = self.registry[name]
            loopbacks[name] = piece["loopback"]
            rundir.write_slice(name, piece)
        rundir.write_loopbacks(loopbacks)
        rundir.write_quarantined(plan.quarantined())
        return touched
