"""What the role makes of its variables: names, a file for each root, and the issuer's settings."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pki_world
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from altnet.pki import pem

ROLE = Path(__file__).parents[3] / "roles" / "pki"
PLAN = {"name": "Core1", "loopback": "fd12:3456:789a::5", "dns": {"tlds": ["alt", "neo."]}}


def trusted(value: Any) -> Any:
    """Let Ansible resolve the templates in a value, as it does where it reads the file itself."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def templar(**given: Any) -> Templar:
    init_plugin_loader()
    variables: dict[str, Any] = {"ansible_managed": "Ansible managed", "role_path": str(ROLE), "pki_plan": PLAN}
    for folder in ("defaults", "vars"):
        loaded = yaml.safe_load((ROLE / folder / "main.yml").read_text())
        variables = {**variables, **{name: trusted(value) for name, value in loaded.items() if name != "pki_plan"}}
    return Templar(DataLoader(), variables={**variables, **given})


def value(name: str, **given: Any) -> Any:
    return templar(**given).template(trust_as_template("{{ " + name + " }}"))


def render(template: str, **given: Any) -> str:
    text = trust_as_template((ROLE / "templates" / template).read_text())
    return str(templar(**given).template(text, escape_backslashes=False, overrides={"trim_blocks": True}))


def test_a_host_s_own_names() -> None:
    assert value("__pki_names") == ["core1.net.alt", "core1.net.neo", "fd12:3456:789a::5"]


def test_a_file_for_each_root(tmp_path: Path) -> None:
    one, other = (pem.text(pki_world.authority().root.certificate) for _ in range(2))
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki/root.pem").write_text(one)
    before = value("__pki_root_files", pki_directory=str(tmp_path))
    (tmp_path / "pki/root.pem").write_text(one + other)
    files = value("__pki_root_files", pki_directory=str(tmp_path))
    assert [file["content"] for file in files] == [one + other, one, other]
    assert files[0]["path"] == "/etc/altnet/pki/roots.pem"
    assert all(re.fullmatch(r"/usr/local/share/ca-certificates/altnet-[0-9a-f]{8}\.crt", f["path"]) for f in files[1:])
    # Another root beside it moves nobody's file.
    assert before[1] == files[1]


def test_the_issuer_issues_for_the_network_alone() -> None:
    text = render("etc/altnet/issuer.cfg.j2", pki_issuer_days=20)
    found = configparser.ConfigParser(interpolation=None)
    found.read_string(text)
    assert found["DEFAULT"]["server_name"] == "core1.net.alt:8555"
    assert found["CAhandler"]["cert_validity_days"] == "20"
    assert json.loads(found["Order"]["allowed_domainlist"]) == ["*.alt", "*.neo"]
    # Without it strict clients refuse every certificate that it issues.
    assert found["CAhandler"]["cn_enforce"] == "True"
    assert "disable" not in text.replace("contact_check_disable", "")


def test_the_issuer_answers_on_the_host_s_own_address_alone() -> None:
    unit = render("etc/systemd/system/altnet-issuer.service.j2")
    assert re.findall(r"--bind (\S+)", unit) == ["[fd12:3456:789a::5]:8555"]
    assert "DynamicUser=yes" in unit


def test_the_program_is_the_one_that_was_tried() -> None:
    (pinned,) = re.findall(r"^acme2certifier==(\S+)", (ROLE / "files/issuer.txt").read_text(), re.MULTILINE)
    wheel = yaml.safe_load((ROLE / "defaults/main.yml").read_text())["pki_issuer_wheel"]
    assert wheel.endswith(f"/acme2certifier-{pinned}-py3-none-any.whl")
    assert re.fullmatch("[0-9a-f]{64}", value("__pki_issuer_sha256"))


@pytest.mark.parametrize("fetched", [False, True])
def test_check_mode_does_not_fail_for_want_of_the_program(tmp_path: Path, fetched: bool) -> None:
    wheel, program = tmp_path / "a.whl", tmp_path / "program.whl"
    if fetched:
        wheel.write_text("the program")
    given = {"pki_issuer_wheel": str(wheel), "__pki_issuer_program": str(program)}
    include = {"include_role": {"name": "pki", "tasks_from": "program"}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [include]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-e", json.dumps(given), "--check"]
    done = subprocess.run(
        [*argv, str(tmp_path / "play.yml")], cwd=ROLE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=1" in done.stdout
    assert not program.exists()


def test_the_probe_looks_for_every_package() -> None:
    text = (ROLE.parents[1] / "playbooks/preflight.yml").read_text()
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    for package in [*variables["__pki_packages"], *variables["__pki_issuer_packages"]]:
        assert f"'{package}'" in text, package


def test_a_transaction_for_each_certificate() -> None:
    names = ["host", "www.example.alt", "www-example.alt", "www-example-alt"]
    sets = [value("__pki_set", pki_certificate={"name": name}) for name in names]
    assert sets[0] == "pki-host"
    assert len(set(sets)) == len(names)
    assert all(re.fullmatch("[a-z0-9-]+", one) for one in sets)
