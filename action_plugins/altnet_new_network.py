"""Make the inventory directory of a new network (documented in library/altnet_new_network.py)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

from altnet import ledger as ledgers
from altnet.addressing import generate_prefix, parse_prefix
from altnet.errors import AltnetError, Problem

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "prefix": {"type": "str", "default": ""},
    "allow_fc00": {"type": "bool", "default": False},
    "asn_base": {"type": "int", "default": 4_200_000_000},
    "files": {"type": "dict", "default": {}},
    "marker": {"type": "str", "default": "group_vars/all/network.yml"},
}
LEDGER = "ledger.json"
#: At the marker's top; an operator who takes it out only loses the right to run this again.
MARK = "playbooks/init.yml"


def former_prefix(marker: Path) -> str:
    """Return the prefix in a network.yml that is there already, ``""`` where there is none."""
    found = re.search(r"^altnet_prefix:\s*[\"']?([0-9a-fA-F:]+/\d+)", marker.read_text(), re.MULTILINE)
    return found[1] if found else ""


def check_directory(directory: Path, marker: Path) -> None:
    """Refuse a directory that is neither new, nor empty, nor one of ours; AltnetError says what it is."""
    if directory.exists() and not directory.is_dir():
        what, remedy = f"{directory} is no directory", "name a new one"
    elif not directory.is_dir() or not any(directory.iterdir()):
        return
    elif not marker.is_file() or MARK not in marker.read_text()[:200]:
        what = f"{directory} exists and is no inventory that this playbook made"
        remedy = "name a new directory; nothing in this one was changed"
    else:
        return
    raise AltnetError(Problem("", "init_directory", what, remedy))


def choose_prefix(asked: str, former: str, *, allow_fc00: bool) -> str:
    """Return the network's prefix: what stands there already, else what was asked for, else a new one."""
    if asked:
        asked = str(parse_prefix(asked, allow_fc00=allow_fc00, variable="init_prefix"))
    if asked and former and asked != former:
        what = f"{asked} is asked for, and the directory has {former} already"
        raise AltnetError(Problem("", "init_prefix", what, "leave init_prefix out, or name a new directory"))
    return former or asked or generate_prefix()


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make what is missing; fail before anything is made where the directory is something else."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(ARGUMENTS)
        try:
            return self.make(args, task_vars or {})
        except AltnetError as error:
            return {"failed": True, "msg": str(error)}
        except OSError as error:
            problem = Problem("", str(error.filename), f"cannot be made ({error.strerror})", "make it writable")
            return {"failed": True, "msg": str(problem)}

    def make(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Make the marker, the other files, and the ledger last, which is what an empty network is."""
        directory = Path(os.path.abspath(args["directory"]))  # noqa: PTH100 - a symbolic link stays one
        marker = directory / args["marker"]
        check_directory(directory, marker)
        former = former_prefix(marker) if marker.is_file() else ""
        prefix = choose_prefix(args["prefix"], former, allow_fc00=args["allow_fc00"])
        facts = {
            "name": directory.name,
            "directory": args["directory"],
            "prefix": prefix,
            "asn_base": args["asn_base"],
            "allow_fc00": args["allow_fc00"],
        }
        order = sorted(args["files"], key=lambda path: path != args["marker"])
        texts = {directory / path: self.render(args["files"][path], facts, task_vars) for path in order}
        texts[directory / LEDGER] = ledgers.dump(ledgers.empty(prefix, args["asn_base"]))
        missing = {path: text for path, text in texts.items() if not path.exists()}
        if not self._task.check_mode:
            for path, text in missing.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x") as file:
                    file.write(text)
        return {
            "changed": bool(missing),
            "prefix": prefix,
            "created": [str(path.relative_to(directory)) for path in missing],
            "diff": [
                {"before_header": str(path), "after_header": str(path), "before": "", "after": text}
                for path, text in missing.items()
            ],
        }

    def render(self, template: str, facts: dict[str, Any], task_vars: dict[str, Any]) -> str:
        """Return a template's text."""
        source = self._find_needle("templates", template)
        templar = self._templar.copy_with_new_env(available_variables={**task_vars, "new_network": facts})
        text = trust_as_template(self._loader.get_text_file_contents(source))
        return str(templar.template(text, escape_backslashes=False, overrides={"trim_blocks": True}))
