"""Make, rotate, replace and judge the network's authority (documented in library/pki_authority.py)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet import ledger as ledgers
from altnet.addressing import DEFAULT_ASN_BASE, generate_prefix
from altnet.controller import rundir
from altnet.controller.failure import Refusal
from altnet.controller.network import inventory_of
from altnet.controller.trust import Authority
from altnet.controller.vaultfile import Vault
from altnet.errors import AltnetError, InventoryError, Problem
from altnet.pki import pem
from altnet.pki.overlap import STEPS
from altnet.pki.pem import PkiError
from altnet.pki.scope import Scope

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "ledger": {"type": "path"},
    "action": {"type": "str", "choices": ["make", "rotate", "replace", "judge"], "default": "judge"},
    "tlds": {"type": "list", "elements": "str", "default": []},
    "prefix": {"type": "str", "default": ""},
    "new_ledger": {"type": "bool", "default": False},
    "intermediate": {"type": "str", "default": ""},
    "step": {"type": "str", "choices": ["", *STEPS], "default": ""},
    "password_file": {"type": "path"},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what is asked on the control node; touch no host."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(ARGUMENTS)
        try:
            return self.carry_out(args, task_vars or {})
        except AltnetError as error:
            raise Refusal(error.problems, "the authority was not changed") from None
        except OSError as error:
            problem = Problem("", str(error.filename), f"cannot be written ({error.strerror})", "make it writable")
            raise Refusal([problem], "the authority was not changed") from None

    def carry_out(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one action."""
        directory = Path(args["directory"])
        password = Path(args["password_file"]) if args["password_file"] else None
        check_mode = bool(self._task.check_mode)
        vault = Vault(self._loader, password)
        if check_mode and password is not None and not password.exists():
            vault = Vault(None)
        authority = Authority(directory / "pki", vault, check_mode=check_mode)
        scope = self.scope(args, task_vars)
        step = ""
        if args["action"] == "make":
            authority.make(scope)
        elif args["action"] == "rotate":
            authority.rotate(args["intermediate"], scope)
        elif args["action"] == "replace":
            step = authority.step(args["step"], scope)
        findings = [] if check_mode and args["action"] == "make" else authority.findings(scope)
        if args["action"] == "judge":
            if not authority.roots():
                raise PkiError(finding.problem for finding in findings)
            for finding in findings:
                self._display.warning(str(finding.problem))
        return {
            "changed": bool(authority.changes),
            "changes": authority.changes,
            "step": step,
            "roots": [pem.fingerprint(root) for root in authority.roots()],
            "grave": [str(finding.problem) for finding in findings if finding.grave],
            "notices": [str(finding.problem) for finding in findings if not finding.grave],
            "diff": {"before": "", "after": "".join(f"{line}\n" for line in authority.changes)},
        }

    def scope(self, args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Scope:
        """Return the network's name space: what is given, else what inventory and ledger say."""
        tlds, prefix, path = (
            args["tlds"],
            args["prefix"],
            Path(args["ledger"] or Path(args["directory"], "ledger.json")),
        )
        text = rundir.read_ledger()
        found = ledgers.load(path) if text is None else ledgers.parse(text)
        piece = None if tlds else rundir.read_slice(str(task_vars["inventory_hostname"]))
        if piece is not None:  # the plan of this run; the inventory takes long to read in a large network
            tlds = [tld.removesuffix(".") for tld in piece["dns"]["tlds"]]
        elif not tlds:
            inventory = inventory_of(task_vars)
            tlds, prefix = list(inventory.tlds), prefix or inventory.prefix or ""
        if found is not None:
            prefix = found.prefix
        elif args["new_ledger"]:
            prefix = prefix or generate_prefix()
            if not self._task.check_mode:
                ledgers.save(path, ledgers.empty(prefix, DEFAULT_ASN_BASE))
        if not prefix:
            what = "there is no ledger yet, so the network's prefix is not known"
            raise InventoryError(Problem("", str(path), what, "set altnet_prefix, or run site.yml first"))
        return Scope(tuple(tlds), prefix)
