"""A network in a temporary directory, seen by Ansible's own inventory in this process or by ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PASSWORD = "the password of this network's vault"
SECRET = "Vq1hXJ0rS8mLx2cYp7TnKd4wZg9uBe6A" * 2
PREFIX = "fd12:3456:789a::/48"


def sealed(text: str, password: str = PASSWORD) -> str:
    """Return ``text`` encrypted for an inline ``!vault``."""
    vault = VaultLib([("default", VaultSecret(password.encode()))])
    return vault.encrypt(text.encode()).decode()


class World:
    """An inventory directory with the hosts fra, nyc and sin (relays) and core (none)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inventory = root / "mine"
        (self.inventory / "group_vars/all").mkdir(parents=True)
        self.ledger = self.inventory / "ledger.json"
        self.hosts: dict[str, dict[str, Any]] = {
            "core": {},
            "fra": {"altnet_endpoints": ["192.0.2.1"]},
            "nyc": {"altnet_endpoints": ["192.0.2.2"]},
            "sin": {"altnet_endpoints": ["192.0.2.3"]},
        }
        self.relays = ["fra", "nyc", "sin"]
        self.children: dict[str, list[str]] = {}
        self.network: dict[str, Any] = {"altnet_prefix": PREFIX}
        (root / "password").write_text(PASSWORD)
        self.vault(sealed(SECRET))
        self.write()

    def vault(self, text: str) -> None:
        """Write the vault; ``""`` removes it."""
        path = self.inventory / "group_vars/all/vault.yml"
        path.unlink(missing_ok=True)
        if text:
            path.write_text("altnet_master_secret: !vault |\n" + "".join(f"  {line}\n" for line in text.splitlines()))

    def write(self) -> None:
        """Write hosts and network variables as they are now."""
        groups = {"relays": self.relays, **self.children}
        children = {group: {"hosts": {name: {} for name in names}} for group, names in groups.items()}
        tree = {"all": {"hosts": self.hosts, "children": children}}
        (self.inventory / "hosts.yml").write_text(yaml.safe_dump(tree))
        (self.inventory / "group_vars/all/network.yml").write_text(yaml.safe_dump(self.network))

    def task_vars(self) -> dict[str, Any]:
        """Return what a task sees of the other hosts, from Ansible itself."""
        self.write()
        loader = DataLoader()
        if VaultSecretsContext.current(optional=True) is None:
            VaultSecretsContext.initialize(VaultSecretsContext([("default", VaultSecret(PASSWORD.encode()))]))
        manager = InventoryManager(loader, [str(self.inventory / "hosts.yml")])
        variables = VariableManager(loader, manager)
        return {"groups": manager.get_groups_dict(), "hostvars": HostVars(manager, variables, loader)}

    def play(self, playbook: Path | str, *arguments: str, **environment: str) -> Run:
        """Run a playbook of the repository, or one whose text is given."""
        self.write()
        if isinstance(playbook, str):
            path = self.root / "play.yml"
            path.write_text(playbook)
            playbook = path
        settings = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_ACTION_PLUGINS": f"{ROOT / 'action_plugins'}:{Path(__file__).parent / 'action_plugins'}",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.root / "password"),
            "ANSIBLE_LOCAL_TEMP": str(self.root / "tmp"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "HOME": str(self.root),
        }
        done = subprocess.run(
            [str(PLAYBOOK), "-i", str(self.inventory), str(playbook), *arguments],
            cwd=ROOT,
            env={**os.environ, **settings, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(self.root, done.returncode, done.stdout, done.stderr)


class Run:
    """How a run ended, and what it kept with KEEP."""

    def __init__(self, root: Path, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        kept = root / "kept.json"
        self.kept: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}

    @property
    def text(self) -> str:
        """All output."""
        return self.out + self.err
