"""Check the inventory and the ledger before any host is touched (documented in library/altnet_preflight.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller.failure import Refusal
from altnet.controller.preflight import problems
from altnet.errors import Problem


def target_problems(args: Mapping[str, str], names: Collection[str]) -> list[Problem]:
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
                "verb": {"type": "str", "choices": ["", "drain", "leave"], "default": ""},
                "target": {"type": "str", "default": ""},
                "confirm": {"type": "str", "default": ""},
            }
        )
        assert task_vars is not None
        found = [str(problem) for problem in target_problems(args, task_vars["groups"]["all"])]
        # A removal that was interrupted is taken up again: its host counts as gone.
        leaving = [args["target"]] if args["verb"] == "leave" else []
        found = found or problems(task_vars, Path(args["ledger"]), leaving)
        if found:
            raise Refusal(found, "no host was touched")
        return {"changed": False}
