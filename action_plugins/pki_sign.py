"""Sign a host's certificate where another one is due (documented in library/pki_sign.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller import rundir, signing
from altnet.controller.failure import Refusal
from altnet.controller.network import inventory_of
from altnet.controller.trust import Authority
from altnet.controller.variables import plain
from altnet.controller.vaultfile import Vault
from altnet.errors import AltnetError, Problem
from altnet.naming.model import RRSet
from altnet.pki import pem

ARGUMENTS = {
    "directory": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "default": []},
    "given": {"type": "list", "elements": "str", "default": []},
    "kind": {"type": "str", "choices": ["leaf", "issuer"], "default": "leaf"},
    "born": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Judge and sign on the control node; the host is not asked."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        host = variables["inventory_hostname"]
        directory = Path(args["directory"]) / "pki"
        authority = Authority(directory, Vault(self._loader), check_mode=bool(self._task.check_mode))
        try:
            found = self.sign(authority, args, variables)
        except AltnetError as error:
            named = [Problem(one.host or host, one.variable, one.what, one.remedy) for one in error.problems]
            raise Refusal(named, f"no certificate {args['name']} was signed") from None
        except OSError as error:
            problem = Problem(host, str(error.filename), f"cannot be written ({error.strerror})", "make it writable")
            raise Refusal([problem], f"no certificate {args['name']} was signed") from None
        for warning in found.warnings:
            self._display.warning(warning)
        issued = {
            "certificate": found.certificate,
            "expires": found.expires.isoformat() if found.expires else "",
            "roots": pem.text(*authority.roots()),
        }
        return {
            "changed": bool(authority.changes),
            "reason": found.reason,
            "diff": {"before": "", "after": "".join(f"{line}\n" for line in authority.changes)},
            "ansible_facts": {"altnet_issued": {**(variables.get("altnet_issued") or {}), args["name"]: issued}},
        }

    def sign(self, authority: Authority, args: dict[str, Any], variables: dict[str, Any]) -> signing.Signed:
        """Return the certificate that the host should have."""
        host, born = variables["inventory_hostname"], plain(args["born"])
        if args["kind"] == "issuer":
            return signing.issuer(authority, host, args["name"], born)
        piece = rundir.read_slice(host)
        if piece is None:
            mend = "run site.yml, or the whole play with its plan"
            raise AltnetError(Problem(host, "ledger.json", "the host is not in this run's plan", mend))
        tlds = [tld.removesuffix(".") for tld in piece["dns"]["tlds"]]
        subject = signing.Subject(piece, tlds, args["given"], lambda: declared(variables))
        return signing.leaf(authority, subject, args["name"], args["names"], born)


def declared(variables: dict[str, Any]) -> list[RRSet]:
    """Return the records that the inventory declares."""
    return [entry for zone in inventory_of(variables).zones for entry in zone.rrsets]
