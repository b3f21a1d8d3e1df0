"""Check the inventory and the ledger before any host is touched (documented in library/altnet_preflight.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet import ledger as ledgers
from altnet.controller.failure import Refusal
from altnet.controller.preflight import problems
from altnet.errors import AltnetError, Problem


def quarantined_hosts(ledger: Path) -> set[str]:
    """Return who is shut out; a ledger that cannot be read is another check's to report."""
    try:
        loaded = ledgers.load(ledger)
    except AltnetError:
        return set()
    return loaded.quarantined if loaded else set()


def target_problems(args: Mapping[str, Any], names: Collection[str], shut: Collection[str]) -> list[Problem]:
    """Return what is wrong with the one host that a verb is about."""
    verb, target = args["verb"], args["target"]
    if not verb:
        return []
    if target not in names:
        what = f"{target} is no host of this inventory" if target else "is not given"
        return [Problem("", f"{verb}_host", what, f"-e {verb}_host=NAME, while its line is in the inventory")]
    if verb == "leave" and args["confirm"] != target:
        what = "leaving is for good, id and addresses are never given out again, and the name was not typed twice"
        return [Problem(target, "leave_confirm", what, f"if you mean it, add -e leave_confirm={target}")]
    if target in shut and verb == "drain":
        what = "is quarantined, so nobody sends through it"
        return [Problem(target, "drain_host", what, f"playbooks/release.yml -e release_host={target} lets it in again")]
    if target in shut and verb == "leave" and not args["dead"]:
        what = "is quarantined, so it is not asked to clean itself"
        return [Problem(target, "leave_host", what, "add -e leave_dead=true")]
    return []


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with every problem found."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "ledger": {"type": "path", "required": True},
                "verb": {"type": "str", "choices": ["", "drain", "leave", "promote", "release"], "default": ""},
                "target": {"type": "str", "default": ""},
                "confirm": {"type": "str", "default": ""},
                "dead": {"type": "bool", "default": False},
            }
        )
        assert task_vars is not None
        names, shut = task_vars["groups"]["all"], quarantined_hosts(Path(args["ledger"]))
        found = [str(problem) for problem in target_problems(args, names, shut)]
        # A removal that was interrupted is taken up again: its host counts as gone.
        leaving = [args["target"]] if args["verb"] == "leave" else []
        found = found or problems(task_vars, Path(args["ledger"]), leaving)
        if found:
            raise Refusal(found, "no host was touched")
        left_out = shut.intersection(names) - ({args["target"]} if args["verb"] in {"release", "leave"} else set())
        if left_out:
            self._display.warning(f"quarantined, and left out of this run: {', '.join(sorted(left_out))}.")
        return {"changed": False, "quarantined": sorted(left_out)}
