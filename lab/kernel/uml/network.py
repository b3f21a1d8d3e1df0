"""The kernel lab's copy of inventories/lab: the same hosts, with keys, vault and ledger of its own."""

from __future__ import annotations

import os
import shutil
import subprocess

from .host import CACHE
from .underlay import ROOT
from .wires import NAT_NAMESPACE, command

SOURCE = ROOT / "inventories" / "lab"
DIRECTORY = CACHE / "lab"
TOOLS = ROOT / ".venv" / "bin"
SSH = DIRECTORY / ".ssh"


def environment() -> dict[str, str]:
    """Return the environment in which Ansible's commands are about this network."""
    return {
        **os.environ,
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_INVENTORY": str(DIRECTORY),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(DIRECTORY / ".vault-password"),
        # The container lab's hosts have the same addresses: its connections must not serve here.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(SSH),
        # What tests/acceptance/lab.py goes by.
        "LAB_INVENTORY": str(DIRECTORY),
        "LAB_MACHINES": str(ROOT / "lab" / "kernel" / "machines.py"),
        # And tests/drills, which make the router forget whom it led.
        "LAB_NAT": f"ip netns exec {NAT_NAMESPACE}",
    }


def prepare() -> str:
    """Make or renew the copy; return the public key that may log in."""
    (DIRECTORY / "group_vars").mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCE / "hosts.yml", DIRECTORY)
    shutil.copy(SOURCE / "group_vars" / "lab.yml", DIRECTORY / "group_vars")
    SSH.mkdir(mode=0o700, exist_ok=True)
    key = SSH / "id_ed25519"
    if not key.exists():
        command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "altnet-kernel", "-f", str(key))
    vault, password = DIRECTORY / "group_vars" / "all" / "vault.yml", DIRECTORY / ".vault-password"
    if not vault.exists():
        what = f"path={vault} variable=altnet_master_secret password_file={password}"
        argv = [
            str(TOOLS / "ansible"), "-i", "localhost,", "-c", "local", "localhost", "-m", "vault_secret", "-a", what
        ]  # fmt: skip
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the vault cannot be made: {done.stdout}{done.stderr}")
    if not (DIRECTORY / "pki" / "root.pem").exists():
        what = f"directory={DIRECTORY} action=make new_ledger=true"
        argv = [str(TOOLS / "ansible"), "all[0]", "-m", "pki_authority", "-a", what]
        done = subprocess.run(argv, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the certificate authority cannot be made: {done.stdout}{done.stderr}")
    return key.with_suffix(".pub").read_text()


def forget(address: str) -> None:
    """Forget the ssh key and the open connections of a host that is new."""
    if (SSH / "known_hosts").exists():
        command("ssh-keygen", "-q", "-R", address, "-f", str(SSH / "known_hosts"))


def remove() -> None:
    """Remove keys, vault, certificate authority and ledger."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
