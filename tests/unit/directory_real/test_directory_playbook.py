"""Role and module through real ansible-playbook runs on this machine, against a real slapd."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from directory_servers import BASE, MASTER, MISSING, ROOT, Provider, account, group, password, person

from altnet.directory import services

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
ABSENT = [*MISSING, *([] if PLAYBOOK.exists() else ["ansible-core beside this Python"])]
pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {ABSENT}; lab/unit-debian has it and runs this"),
]
HASH = "{CRYPT}$6$rounds=5000$abcdefgh$" + "x" * 86
ACCOUNTS = [
    {"uid": "ada", "name": "Ada Lovelace", "mail": "ada@example.alt", "groups": ["operators"]},
    {"uid": "bob", "name": "Bob", "password_hash": HASH},
]
PROVIDERS = [
    {"name": "fra", "id": 1, "address": "fd12:3456:789a::1", "uri": "ldaps://fra.net.alt"},
    {"name": "nyc", "id": 2, "address": "fd12:3456:789a::2", "uri": "ldaps://nyc.net.alt"},
]
SLICE = {"name": "nyc", "directory": {"base": BASE, "provider": True, "providers": PROVIDERS}}


def play(root: Path, tasks: list[dict[str, Any]], *arguments: str, **variables: Any) -> tuple[int, str]:
    """Run tasks; return the exit code and all output."""
    (root / "ansible.cfg").write_text(
        "[defaults]\n"
        f"library = {ROOT / 'library'}\naction_plugins = {ROOT / 'action_plugins'}\n"
        f"filter_plugins = {ROOT / 'filter_plugins'}\nmodule_utils = {ROOT / 'src'}\nroles_path = {ROOT / 'roles'}\n"
        f"local_tmp = {root / 'tmp'}\nremote_tmp = {root / 'remote'}\n"
    )
    values = {
        "ansible_python_interpreter": sys.executable,
        "altnet_master_secret": MASTER,
        "role_path": str(ROOT / "roles/directory"),
        **variables,
    }
    (root / "values.json").write_text(json.dumps(values))
    head = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (root / "play.yml").write_text(yaml.safe_dump([head]))
    done = subprocess.run(
        [str(PLAYBOOK), "-i", "localhost,", "-e", "@values.json", "play.yml", *arguments],
        cwd=root, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    one = Provider(tmp_path_factory.mktemp("directory") / "one", 1)
    try:
        one.start()
        yield one
    finally:
        one.kill()


def entries(server: Provider, accounts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    arguments = {
        "base": BASE,
        "accounts": accounts,
        "groups": [],
        "services": "{{ altnet_master_secret | altnet_directory_hashes({}) }}",
        "policy": {"min_length": "{{ 8 }}", "max_failures": "{{ 5 }}", "lockout_seconds": "{{ 900 }}"},
        "replicator_password": password("replicator"),
        "uri": server.local,
    }
    return {"directory_entries": arguments, "register": "result", **more}


def test_the_four_steps_and_no_secret_in_any_output(server: Provider, tmp_path: Path) -> None:
    tasks = []
    for check_mode, changed in ((True, True), (False, True), (True, False), (False, False)):
        tasks += [
            entries(server, ACCOUNTS, check_mode=check_mode),
            {"assert": {"that": [f"result.changed == {str(changed).lower()}"]}},
        ]
    code, output = play(tmp_path, tasks, "-vvv", "--diff")
    assert code == 0, output
    assert "userPassword: (hidden)" in output
    stored = [value for values in services.accepted(MASTER, {}).values() for value in values]
    # What the test itself declares is shown by nobody else; the arguments in the play are not printed.
    for secret in (HASH, password("replicator"), password("portal"), *stored):
        assert secret not in output
    assert server.read(person("ada"))["mail"] == ["ada@example.alt"]
    assert person("ada") in server.read(group("operators"))["member"]


def test_bad_input_is_told_in_one_reading_and_nothing_is_changed(server: Provider, tmp_path: Path) -> None:
    before = server.everything()
    bad = [{"uid": "Ada", "name": "A"}, {"uid": "eve", "name": "Eve", "groups": ["operatrs"], "mail": "eve"}]
    code, output = play(tmp_path, [entries(server, bad)])
    assert code == 2
    assert "3 problems; nobody was changed:" in output
    assert "directory_accounts[1].groups[0]: operatrs is no group of the network. Remedy: did you mean operators." in (
        " ".join(output.split())
    )
    assert server.everything() == before


def test_what_slapd_refuses_is_told_with_its_words(server: Provider, tmp_path: Path) -> None:
    server.modify(account("zoe", "z@example.alt"))
    code, output = play(tmp_path, [entries(server, [{"uid": "zed", "name": "Zed", "mail": "z@example.alt"}])])
    assert code == 2
    words = " ".join(output.split())
    assert f"{person('zed')}: slapd refuses the change: ldap_add: Constraint violation (19)" in words


def test_check_mode_where_slapd_does_not_run_says_so(server: Provider, tmp_path: Path) -> None:
    silent = {**entries(server, ACCOUNTS)}
    silent["directory_entries"] = {**silent["directory_entries"], "uri": "ldapi://%2Fnowhere"}
    tasks = [silent, {"assert": {"that": ["not result.changed", "result.not_checked[0] is search('does not answer')"]}}]
    code, output = play(tmp_path, tasks, "--check")
    assert code == 0, output
    code, output = play(tmp_path, tasks)
    assert code == 2
    assert "Can't contact LDAP server" in output


def rendered(tmp_path: Path, server: Provider) -> dict[str, str]:
    """Have Ansible render the role's files, with the role's own variables."""
    loads = [{"include_vars": str(ROOT / "roles/directory" / folder / "main.yml")} for folder in ("defaults", "vars")]
    templates = "roles/directory/templates"
    wanted = {
        "config.ldif": f"{{{{ lookup('template', '{ROOT}/{templates}/etc/ldap/altnet/config.ldif.j2') }}}}",
        "unit": f"{{{{ lookup('template', '{ROOT}/{templates}/etc/systemd/system/slapd.service.d/altnet.conf.j2') }}}}",
        "tree.ldif": f"{{{{ lookup('template', '{ROOT}/{templates}/etc/ldap/altnet/tree.ldif.j2') }}}}",
        "check": "{{ __directory_check | to_json }}",
        "peers": "{{ __directory_others | to_json }}",
    }
    copies = [{"copy": {"content": text, "dest": str(tmp_path / name)}} for name, text in wanted.items()]
    facts = {
        "directory_plan": SLICE,
        "directory_service_hashes": "{{ altnet_master_secret | altnet_directory_hashes(directory_epochs) }}",
        "directory_replicator_password": "{{ altnet_master_secret | altnet_directory_password('replicator') }}",
        "directory_ca_file": str(server.directory / "roots.pem"),
        "directory_certificate_file": str(server.directory / "cert.pem"),
        "directory_key_file": str(server.directory / "key.pem"),
    }
    code, output = play(tmp_path, [*loads, {"set_fact": facts}, *copies])
    assert code == 0, output
    return {name: (tmp_path / name).read_text() for name in wanted}


def test_the_roles_files_are_what_the_checker_passes(server: Provider, tmp_path: Path) -> None:
    found = rendered(tmp_path, server)
    assert "olcServerID: 2\n" in found["config.ldif"]
    assert "olcSyncrepl: rid=001 provider=ldaps://fra.net.alt\n" in found["config.ldif"]
    assert "provider=ldaps://nyc" not in found["config.ldif"]
    assert f'credentials="{password("replicator")}"' in found["config.ldif"]
    assert "ldaps://[fd12:3456:789a::2]:636/ ldapi:///" in found["unit"]
    assert json.loads(found["peers"]) == PROVIDERS[:1]
    for name in ("config.ldif", "tree.ldif"):
        (tmp_path / name).write_text(found[name])
    done = server.database("check", "--config", str(tmp_path / "config.ldif"), "--tree", str(tmp_path / "tree.ldif"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("there", [True, False], ids=["a directory of others", "a new directory"])
def test_a_backup_is_read_by_its_owner_alone(server: Provider, tmp_path: Path, there: bool) -> None:
    place, dumped = tmp_path / "backups", tmp_path / "state" / "dump.ldif"
    if there:
        place.mkdir(mode=0o755)
    program = ["/usr/bin/env", f"PYTHONPATH={ROOT / 'src'}", sys.executable, "-m", "altnet.directory.database"]
    given = {
        "__directory_program": program,
        "__directory_config": str(server.target),
        "__directory_backup": str(dumped),
        "__directory_backup_to": str(place),
    }
    task = {"include_role": {"name": "directory", "tasks_from": "backup"}}
    code, output = play(tmp_path, [task], "--diff", "-vv", **given)
    assert code == 0, output
    (backup,) = place.glob("directory-2*Z.ldif")
    assert backup.read_text().startswith(f"dn: {BASE}\n")
    assert oct(backup.stat().st_mode & 0o777) == "0o600"
    # What others use is left as it was.
    assert oct(place.stat().st_mode & 0o777) == ("0o755" if there else "0o700")
    assert not dumped.exists()
    assert "userPassword" not in output
