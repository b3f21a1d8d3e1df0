"""Make a secret once, and keep it in an Ansible vault (documented in library/vault_secret.py)."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from altnet.controller.failure import Refusal
from altnet.controller.vaultfile import Vault, VaultFileError, make_password, write_private
from altnet.errors import Problem

HEADER = """---
# Encrypted with ansible-vault. Every shared secret of the network is derived from this one: keep a copy offline.
"""


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
            make_password(password_file)
            secret = base64.b64encode(secrets.token_bytes(args["bytes"])).decode()
            sealed = Vault(self._loader, password_file).seal(secret, path)
            lines = "".join(f"  {line}\n" for line in sealed.splitlines())
            write_private(path, f"{HEADER}{args['variable']}: !vault |\n{lines}")
        except VaultFileError as error:
            raise Refusal(error.problems, "no secret was made") from None
        except OSError as error:
            raise refuse(str(error.filename), f"cannot be made ({error.strerror})", "make it writable") from None
        return {"changed": True, "path": str(path)}
