"""What the role writes: settings that the programs read, units that systemd takes, secrets that nobody else reads."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.rendered import NET, render, variable

from altnet import secrets
from altnet.registry.settings import Settings

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles/registry"
#: By variable, a secret that would be known again anywhere.
SECRETS = {
    f"registry_{name}": f"secret-of-{name}"
    for name in (
        "zone_secret",
        "audit_secret",
        "signin_secret",
        "directory_password",
        "primary_key",
        "database_password",
    )
} | {"registry_signon_keys": ["secret-of-signon-1", "secret-of-signon-2"]}
GIVEN: dict[str, Any] = {
    **SECRETS,
    "registry_site": "portal.alt",
    "registry_address": f"{NET}:5",
    "registry_tlds": ["alt"],
    "registry_prefix": f"{NET}:/48",
    "registry_primary_address": f"{NET}:5",
    "registry_directory_uris": ["ldaps://core2.net.alt"],
    "registry_directory_base": "dc=alt",
    "registry_directory_bind_dn": "cn=portal,ou=services,dc=alt",
    "registry_taken": ["chat.alt."],
}


@pytest.fixture(scope="module")
def files() -> list[dict[str, Any]]:
    return list(variable("registry", "__registry_files", **GIVEN))


def text(file: dict[str, Any], **given: Any) -> str:
    if "content" in file:
        return str(file["content"])
    return render("registry", file["template"], **{**GIVEN, **given, **file.get("vars", {})})


def settings(**given: Any) -> dict[str, Any]:
    return dict(variable("registry", "__registry_settings", **{**GIVEN, **given}))


def test_each_secret_is_in_one_file_that_nobody_else_reads(files: list[dict[str, Any]]) -> None:
    secret = [value for entry in SECRETS.values() for value in ([entry] if isinstance(entry, str) else entry)]
    for value in secret:
        (found,) = [file for file in files if value in text(file)]
        assert found["path"].startswith("/etc/altnet/registry/secrets/")
        assert (found["mode"], found["sensitive"]) == ("0600", True)
    rest = "".join(text(file) for file in files if not file.get("sensitive"))
    assert "secret-of-" not in rest


def test_every_sensitive_option_is_known_as_one() -> None:
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert {name for name, option in options.items() if option.get("no_log")} == set(SECRETS)


def test_no_secret_is_an_argument_or_in_an_environment(files: list[dict[str, Any]]) -> None:
    """Everybody on the host reads /proc/PID/cmdline, and `systemctl show` has a unit's environment."""
    for file in files:
        if file["path"].endswith(".service"):
            assert "secret-of-" not in text(file)
            assert "registry/secrets" in text(file) or "PartOf=" in text(file)


def test_programs_are_there_with_what_they_load(files: list[dict[str, Any]]) -> None:
    place = "/usr/local/lib/altnet-registry/altnet"
    paths = {file["path"] for file in files}
    assert {
        f"{place}/registry/asking.py",
        f"{place}/registry/storage/migrations/env.py",
        f"{place}/__init__.py",
    } <= paths
    assert len(paths) == len(files)
    assert [path for path in paths if "__pycache__" in path] == []


def test_what_is_set_reaches_the_programs() -> None:
    found = settings(registry_invitation_days=7, registry_review=True)
    assert found["policy"]["invitation_lifetime"] == 7 * 86_400
    assert found["policy"]["review"] is True
    assert json.loads(json.dumps(found)) == found


def test_where_its_rows_are() -> None:
    assert settings(registry_database_password="")["database"] == "sqlite:////var/lib/altnet-registry/registry.sqlite"
    far = "postgresql://registry@db.example.alt/registry"
    assert settings(registry_database=far, registry_database_password="")["database"] == far
    assert settings(registry_database=far)["database"] == f"{far}?passfile=/run/altnet-registry/secrets/pgpass"
    given = {**GIVEN, "registry_database_password": "a:b\\c"}
    (kept,) = [one for one in variable("registry", "__registry_secrets", **given) if one["path"].endswith("/pgpass")]
    assert kept["content"] == "*:*:*:*:a\\:b\\\\c\n"
    more = variable("registry", "__registry_more_packages", **{**GIVEN, "registry_database": far})
    assert (more, variable("registry", "__registry_more_packages", **GIVEN)) == (["postgresql-client"], [])


def test_the_programs_read_them(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(settings()))
    assert Settings.load(file)


def test_nothing_has_to_be_known_where_it_is_taken_back() -> None:
    assert variable("registry", "__registry_files", registry_state="absent")


def test_what_it_imports_is_in_its_packages(files: list[dict[str, Any]]) -> None:
    """Of Debian's packages alone: what the tools of this project need is not on a host."""
    of_package = {
        "alembic": "python3-alembic", "cryptography": "python3-cryptography", "dns": "python3-dnspython",
        "fastapi": "python3-fastapi", "fido2": "python3-fido2", "httpx": "python3-httpx", "idna": "python3-idna",
        "jinja2": "python3-jinja2", "ldap3": "python3-ldap3", "markupsafe": "python3-jinja2",
        "prometheus_client": "python3-prometheus-client",
        "psycopg": "python3-psycopg", "pydantic": "python3-fastapi", "pyotp": "python3-pyotp",
        "segno": "python3-segno", "sqlalchemy": "python3-sqlalchemy", "starlette": "python3-starlette",
        "uvicorn": "python3-uvicorn", "yaml": "python3-yaml",
    }  # fmt: skip
    installed = set(variable("registry", "__registry_packages", **GIVEN))
    for file in files:
        if file["path"].endswith(".py"):
            imported = re.findall(r"^\s*(?:import|from) ([a-z_0-9]+)", text(file), re.MULTILINE)
            for module in set(imported) - set(sys.stdlib_module_names) - {"altnet", "passlib", "ansible"}:
                assert of_package.get(module) in installed, (file["path"], module)


def units(files: list[dict[str, Any]]) -> dict[str, str]:
    return {Path(file["path"]).name: text(file) for file in files if file["path"].endswith(".service")}


def test_the_units_belong_together(files: list[dict[str, Any]]) -> None:
    found = units(files)
    parts = {name for name, unit in found.items() if "PartOf=altnet-registry.service" in unit}
    assert set(re.findall(r"^Wants=(.*)$", found["altnet-registry.service"], re.MULTILINE)[0].split()) == parts
    assert "Conflicts=altnet-registry.service" in found["altnet-registry-backup.service"]
    for name, unit in found.items():
        assert ("CAP_NET_BIND_SERVICE" in unit) is ("whois" in name), name
        for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"):
            assert line in unit.splitlines(), (name, line)
    whois = found["altnet-registry-whois.service"]
    hidden = re.findall(r"^InaccessiblePaths=-/run/altnet-registry/secrets/(.*)$", whois, re.MULTILINE)
    assert set(hidden) == {"zones", "audit", "signin", "signon.json", "primary"}


def test_systemd_takes_the_units(tmp_path: Path, files: list[dict[str, Any]]) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT TESTED HERE: no systemd; lab/unit-debian has it")
    for name, unit in units(files).items():
        (tmp_path / name).write_text(unit)
    named = [str(tmp_path / name) for name in units(files)]
    done = subprocess.run(["systemd-analyze", "verify", *named], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "altnet-registry" in line and "chown" not in line] == []


def test_the_seed_of_the_audit_key_is_32_bytes() -> None:
    """As Ed25519 takes it (RFC 8032)."""
    assert len(base64.b64decode(secrets.derive_base64("m" * 40, "registry/audit", 0))) == 32
