"""Files that Ansible's vault encrypts: made once, written whole, read with the passwords of this run."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, get_file_vault_secret

from altnet.errors import AltnetError, Problem


class VaultFileError(AltnetError):
    """A vault cannot be opened or made."""


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


def replace_private(path: Path, text: str) -> None:
    """Write ``text`` to a file that only its owner can read, in place of whatever is there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_private(temporary, text)
    temporary.replace(path)


def password_of(path: Path, loader: Any) -> bytes:
    """Return a vault's password as ansible-playbook reads it: an executable file is run for it."""
    try:
        secret = get_file_vault_secret(filename=str(path), loader=loader)
        secret.load()
    except AnsibleError as error:
        reason = "" if "Invalid vault password" in str(error) else f" ({error})"
        mend = "remove it to have one made, or write a password into it"
        raise VaultFileError(Problem("", str(path), f"gives no vault password{reason}", mend)) from None
    return bytes(secret.bytes)


def make_password(path: Path) -> None:
    """Make a vault's password file, unless there is one."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")


class Vault:
    """The vault of this run: by ``password_file`` where one is given, else by the passwords that Ansible was given."""

    def __init__(self, loader: Any, password_file: Path | None = None) -> None:
        self.loader = loader
        known = list(getattr(getattr(loader, "_vault", None), "secrets", None) or [])
        if password_file is not None and password_file.exists():
            known = [("default", VaultSecret(password_of(password_file, loader)))]
        self._secrets = known

    def seal(self, text: str, where: Path) -> str:
        """Return ``text`` encrypted. ``where`` it is to be written is for the error."""
        if not self._secrets:
            mend = "give the password of this network's vault: --vault-password-file or ANSIBLE_VAULT_PASSWORD_FILE"
            raise VaultFileError(Problem("", str(where), "cannot be encrypted without a password", mend))
        return str(VaultLib(self._secrets[:1]).encrypt(text).decode())

    def open(self, path: Path) -> str | None:
        """Return the text in an encrypted file, None where there is no such file."""
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return str(VaultLib(self._secrets).decrypt(sealed).decode())
        except AnsibleError:
            mend = "give the password of this network's vault: --vault-password-file or ANSIBLE_VAULT_PASSWORD_FILE"
            what = "cannot be decrypted by any password that was given"
            raise VaultFileError(Problem("", str(path), what, mend)) from None
