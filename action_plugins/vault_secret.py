"""Make a secret once, and keep it in an Ansible vault (documented in library/vault_secret.py)."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.action import ActionBase

HEADER = "---\n# Encrypted with ansible-vault. Every shared secret of the network is derived from this one: keep a copy offline.\n"


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to a new file that only its owner can read; never replace an existing one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


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
        if path.exists():
            return {"changed": False, "path": str(path)}
        if self._task.check_mode:
            return {"changed": True, "path": str(path)}
        if not password_file.exists():
            write_private(password_file, secrets.token_urlsafe(32) + "\n")
        password = password_file.read_bytes().strip()
        if not password:
            raise AnsibleActionFail(f"{password_file} is empty: remove it to have one made, or write a password into it")
        vault = VaultLib([("default", VaultSecret(password))])
        sealed = vault.encrypt(base64.b64encode(secrets.token_bytes(args["bytes"]))).decode()
        lines = "".join(f"  {line}\n" for line in sealed.splitlines())
        write_private(path, f"{HEADER}{args['variable']}: !vault |\n{lines}")
        return {"changed": True, "path": str(path)}
