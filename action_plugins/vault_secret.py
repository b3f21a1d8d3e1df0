"""Make a secret once, and keep it in an Ansible vault (documented in library/vault_secret.py)."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, get_file_vault_secret
from ansible.plugins.action import ActionBase

from altnet.controller.failure import Refusal
from altnet.errors import Problem

HEADER = """---
# Encrypted with ansible-vault. Every shared secret of the network is derived from this one: keep a copy offline.
"""


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to a new file that only its owner can read; never replace an existing one.

    Raises FileExistsError where there is one. A file half-written would never be completed later: none is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise


def refuse(variable: str, what: str, remedy: str) -> Refusal:
    """Return the error to raise; no secret was made."""
    return Refusal([Problem("", variable, what, remedy)], "no secret was made")


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make password and secret where they are missing."""
        super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "path": {"type": "path", "required": True},
                "variable": {"type": "str", "required": True},
                "password_file": {"type": "path", "required": True, "no_log": False},
                "bytes": {"type": "int", "default": 48},
            }
        )
        path, password_file = Path(args["path"]), Path(args["password_file"])
        if os.path.lexists(path):
            return {"changed": False, "path": str(path)}
        if self._task.check_mode:
            return {"changed": True, "path": str(path)}
        try:
            if not password_file.exists():
                write_private(password_file, secrets.token_urlsafe(32) + "\n")
            vault = VaultLib([("default", VaultSecret(self.password(password_file)))])
            sealed = vault.encrypt(base64.b64encode(secrets.token_bytes(args["bytes"]))).decode()
            lines = "".join(f"  {line}\n" for line in sealed.splitlines())
            write_private(path, f"{HEADER}{args['variable']}: !vault |\n{lines}")
        except OSError as error:
            raise refuse(str(error.filename), f"cannot be made ({error.strerror})", "make it writable") from None
        return {"changed": True, "path": str(path)}

    def password(self, path: Path) -> bytes:
        """Return the vault's password as ansible-playbook reads it: an executable file is run for it."""
        try:
            secret = get_file_vault_secret(filename=str(path), loader=self._loader)
            secret.load()
        except AnsibleError as error:
            reason = "" if "Invalid vault password" in str(error) else f" ({error})"
            mend = "remove it to have one made, or write a password into it"
            raise refuse(str(path), f"gives no vault password{reason}", mend) from None
        return bytes(secret.bytes)
