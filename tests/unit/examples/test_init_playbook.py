"""playbooks/init.yml makes a network's directory, once, and nothing else."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from altnet import ledger as ledgers
from altnet.addressing import parse_prefix

ROOT = Path(__file__).parents[3]
PREFIX = "fd12:3456:789a::/48"


def init(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/init.yml"]
    command += ["-i", "localhost,", "-e", f"init_directory={directory}", *arguments]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def state(directory: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_it_makes_a_network_once(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    predicted = init(directory, "--check", "--diff")
    assert predicted.returncode == 0, predicted.stdout + predicted.stderr
    assert "changed=3" in predicted.stdout
    assert not directory.exists()

    done = init(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=3" in done.stdout
    files = {path.removeprefix(f"{directory}/") for path in state(directory)}
    assert files == {
        ".gitignore",
        ".vault-password",
        "README.md",
        "group_vars/all/network.yml",
        "group_vars/all/vault.yml",
        "hosts.yml",
        "ledger.json",
        "pki/infra.key.yml",
        "pki/infra.pem",
        "pki/root.key.yml",
        "pki/root.pem",
    }

    ledger = ledgers.load(directory / "ledger.json")
    assert ledger is not None
    assert not ledger.hosts
    network = yaml.safe_load((directory / "group_vars/all/network.yml").read_text())
    assert network == {"altnet_prefix": ledger.prefix}
    parse_prefix(ledger.prefix)
    for secret in (".vault-password", "group_vars/all/vault.yml", "pki/root.key.yml", "pki/infra.key.yml"):
        assert stat.S_IMODE((directory / secret).stat().st_mode) == 0o600
    assert (directory / ".vault-password").read_text().strip() not in done.stdout + done.stderr

    before = state(directory)
    again = init(directory)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed=0" in again.stdout
    assert state(directory) == before


def test_it_completes_what_an_interrupted_call_left(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    init(directory, "-e", f"init_prefix={PREFIX}")
    before = state(directory)
    for name in ("hosts.yml", "ledger.json", "README.md"):
        (directory / name).unlink()
    done = init(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(directory) == before


def test_a_password_file_elsewhere(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("a password that was there before\n")
    done = init(tmp_path / "mine", "-e", f"init_password_file={password}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert password.read_text() == "a password that was there before\n"
    assert not (tmp_path / "mine/.vault-password").exists()
    vault = [
        str(Path(sys.executable).with_name("ansible-vault")),
        "view",
        "--vault-password-file",
        str(password),
    ]
    text = yaml.load((tmp_path / "mine/group_vars/all/vault.yml").read_text(), Loader=yaml.BaseLoader)
    sealed = tmp_path / "sealed"
    sealed.write_text(text["altnet_master_secret"])
    secret = subprocess.run([*vault, str(sealed)], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert len(secret) >= 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-e", "init_directory="], "init_directory: is not given"),
        (["-e", "init_prefix=2001:db8::/48"], "init_prefix: '2001:db8::/48' is outside fd00::/8"),
        (["-e", "init_prefix=fd12:3456:789a::/56"], "init_prefix: 'fd12:3456:789a::/56' is not a /48"),
    ],
)
def test_bad_input_makes_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    directory = tmp_path / "mine"
    done = init(directory, *arguments)
    assert done.returncode != 0
    assert message in " ".join((done.stdout + done.stderr).split())
    assert not directory.exists()


def test_another_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/hosts.yml").write_text("all: {}\n")
    before = state(tmp_path)
    for directory in (tmp_path / "letters", tmp_path / "letters/hosts.yml"):
        done = init(directory)
        assert done.returncode != 0
        assert "init_directory" in done.stdout + done.stderr
    assert state(tmp_path) == before


def test_another_prefix_than_the_one_that_is_there_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    init(directory, "-e", f"init_prefix={PREFIX}")
    done = init(directory, "-e", "init_prefix=fd00:1:2::/48")
    assert done.returncode != 0
    assert PREFIX in " ".join((done.stdout + done.stderr).split())
