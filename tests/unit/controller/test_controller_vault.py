"""A master secret is made once, and only its owner and the vault's password open it."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import yaml
from controller_world import PLAYBOOK, ROOT, World

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - vault_secret: {path: "{{ path }}", variable: altnet_master_secret, password_file: "{{ password }}"}
"""


def arguments(path: Path, password: Path) -> list[str]:
    return ["-i", "localhost,", "-e", f"path={path}", "-e", f"password={password}", "-vvv", "--diff"]


def opened(path: Path, password: Path) -> str:
    text = yaml.load(path.read_text(), Loader=yaml.BaseLoader)["altnet_master_secret"]
    sealed = path.with_name("sealed")
    sealed.write_text(text)
    command = [str(PLAYBOOK.with_name("ansible-vault")), "view", "--vault-password-file", str(password), str(sealed)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_a_secret(world: World) -> None:
    path, password = world.root / "new/group_vars/all/vault.yml", world.root / "new/.password"
    run = world.play(PLAY, *arguments(path, password), "--check")
    assert run.code == 0, run.text
    assert "changed=1" in run.out
    assert not (world.root / "new").exists()

    run = world.play(PLAY, *arguments(path, password))
    assert run.code == 0, run.text
    assert "changed=1" in run.out
    assert [stat.S_IMODE(file.stat().st_mode) for file in (path, password)] == [0o600, 0o600]
    secret, word = opened(path, password), password.read_text().strip()
    assert len(secret) == 64
    assert secret not in run.text
    assert word not in run.text
    assert "$ANSIBLE_VAULT" not in run.text

    before = path.read_bytes(), password.read_bytes()
    run = world.play(PLAY, *arguments(path, password))
    assert "changed=0" in run.out
    assert (path.read_bytes(), password.read_bytes()) == before


def test_a_password_from_a_program(world: World) -> None:
    password = world.root / "ask"
    password.write_text("#!/bin/sh\necho from a program\n")
    password.chmod(0o700)
    run = world.play(PLAY, *arguments(world.root / "vault.yml", password))
    assert run.code == 0, run.text
    plain = world.root / "plain"
    plain.write_text("from a program")
    assert len(opened(world.root / "vault.yml", plain)) == 64


def test_no_password(world: World) -> None:
    password = world.root / "empty"
    password.touch()
    run = world.play(PLAY, *arguments(world.root / "vault.yml", password))
    assert run.code == 2
    line = f"the network: {password}: gives no vault password. Remedy: remove it to have one made, or write a password "
    assert run.text.count(f"{line}into it.\n") == 1, run.text
    assert not (world.root / "vault.yml").exists()
