"""What the role writes is what its programs read, and nothing that they need is left out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from content_render import OWN, SHARED, files, plan, templar, template, value

from altnet.authenticator.settings import parse as authenticator_settings
from altnet.authenticator.settings import parse_secrets
from altnet.content import asking, checker, gate, start

SECRET = "a-secret-that-nobody-sees"
GIVEN: dict[str, Any] = {
    "content_plan": plan(), "content_directory_uris": ["ldaps://core1.net.alt"], "content_directory_base": "dc=alt",
    "content_directory_password": SECRET, "content_signon_keys": ["k" * 43 + "="],
}  # fmt: skip
PROGRAMS = ("asking", "checker", "checkout", "gate", "loaded", "root", "start")
UNITS = (
    "altnet-authenticator.service", "altnet-checkout.service", "altnet-checkout.timer", "altnet-start.service",
    "altnet-content-anycast.service", "caddy.service.d/altnet.conf",
)  # fmt: skip


def test_the_authenticator_reads_its_settings() -> None:
    found = files("__content_authenticator_files", **GIVEN)
    settings = authenticator_settings(json.loads(found["/etc/altnet/authenticator/settings.json"]))
    assert (settings.login, dict(settings.sites)) == ("login.alt", {"notes.alt": frozenset({"members"})})
    assert settings.directory.uris == ("ldaps://core1.net.alt",)
    assert settings.recheck == 10
    secrets = parse_secrets(json.loads(found["/etc/altnet/authenticator/secrets.json"]))
    assert secrets.bind_password == SECRET
    assert [path for path, text in found.items() if SECRET in text] == ["/etc/altnet/authenticator/secrets.json"]


def test_only_root_reads_the_secrets() -> None:
    one = next(
        file for file in value("__content_authenticator_files", **GIVEN) if file["path"].endswith("secrets.json")
    )
    assert (one["mode"], one["sensitive"]) == ("0600", True)


def test_caddy_is_told_of_the_sites_and_listens_on_fabric_addresses_alone() -> None:
    found = json.loads(files("__content_files", **GIVEN)["/etc/caddy/altnet.json"])
    servers = found["apps"]["http"]["servers"]
    assert servers["sites"]["listen"] == [f"[{OWN}]:443", f"[{SHARED}]:443"]
    assert servers["plain"]["listen"] == [f"[{OWN}]:80", f"[{SHARED}]:80"]
    assert len(found["apps"]["tls"]["certificates"]["load_files"]) == 6


def test_certificates_by_acme() -> None:
    acme = {
        "content_certificates": "acme",
        "content_acme_directories": ["https://ca1.net.alt/d", "https://ca2.net.alt/d"],
    }
    tls = json.loads(files("__content_files", **GIVEN, **acme)["/etc/caddy/altnet.json"])["apps"]["tls"]
    policy = tls["automation"]["policies"][0]
    assert [issuer["ca"] for issuer in policy["issuers"]] == acme["content_acme_directories"]
    assert all(issuer["challenges"]["tls-alpn"]["disabled"] for issuer in policy["issuers"])
    assert policy["subjects"] == tls["certificates"]["automate"]


def test_the_other_programs_read_theirs() -> None:
    assert {one.name for one in asking.questions(value("__content_asked", **GIVEN))} == set(
        value("__content_names", **GIVEN)
    )
    services = gate.parse(value("__content_anycast", **GIVEN)).services
    assert [(one.name, one.address) for one in services] == [("web", SHARED)]
    assert [site.title for site in start.sites_of(value("__content_start", **GIVEN))] == ["Home"]
    assert [site["name"] for site in value("__content_checkout", **GIVEN)["sites"]] == ["docs.alt"]


@pytest.mark.parametrize(
    ("name", "programs", "modules"),
    [
        (
            "__content_files",
            "/usr/local/lib/altnet-content",
            ("asking", "checker", "checkout", "gate", "loaded", "start"),
        ),
        ("__content_authenticator_files", "/usr/local/lib/altnet-authenticator", ("login", "sites", "store", "limit")),
    ],
)
def test_what_is_copied_is_enough(tmp_path: Path, name: str, programs: str, modules: tuple[str, ...]) -> None:
    for path, text in files(name, **GIVEN).items():
        if path.startswith(programs):
            file = tmp_path / path.removeprefix(programs + "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    package = programs.rpartition("-")[2]
    text = "; ".join(f"import altnet.{package}.{module}" for module in modules)
    argv = [sys.executable, "-B", "-c", f"{text}; import altnet; print(altnet.__file__)"]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    source = Path(__file__).parents[3] / "src/altnet" / package
    if package == "authenticator":
        assert {path.name for path in source.glob("*.py")} == {
            p.name for p in (tmp_path / "altnet" / package).glob("*.py")
        }


def test_nothing_for_a_host_without_sites() -> None:
    given = {"content_plan": None, "content_state": "absent"}
    assert value("__content_asks", **given) is False
    assert value("__content_starts", **given) is False
    assert value("__content_services", **given) == value("__content_checkouts", **given) == []
    assert value("__content_packages", **given) == ["caddy"]
    assert files("__content_files", **given)["/etc/caddy/altnet.json"] == ""


def test_packages_follow_the_sites() -> None:
    packages = value("__content_packages", **GIVEN)
    assert {"caddy", "git", "python3-starlette", "python3-ldap3"} <= set(packages)
    plain = plan(sites=[site for site in plan()["sites"] if site["kind"] == "static" and not site["groups"]])
    assert value("__content_packages", content_plan=plain) == ["caddy"]


def test_the_anycast_address_may_be_bound_before_it_is_there() -> None:
    drop_in = "etc/systemd/system/caddy.service.d/altnet.conf.j2"
    assert "ip_nonlocal_bind=1" in template(drop_in, templar(**GIVEN))
    assert "nonlocal" not in template(drop_in, templar(content_plan=plan(services=[])))


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_units(tmp_path: Path, unit: str) -> None:
    if shutil.which("systemd-analyze") is None or not Path("/usr/lib/systemd/system/caddy.service").exists():
        pytest.skip("NOT TESTED HERE: no systemd of Debian 13 with Caddy; lab/unit-debian has it")
    text = template(f"etc/systemd/system/{unit}.j2", templar(**GIVEN))
    if unit.endswith(".conf"):
        base = Path("/usr/lib/systemd/system/caddy.service").read_text()
        file = tmp_path / "caddy.service"
        (tmp_path / "caddy.service.d").mkdir()
        (tmp_path / "caddy.service.d" / "altnet.conf").write_text(text)
        file.write_text(base)
    else:
        file = tmp_path / unit
        file.write_text(text)
        if unit.endswith(".timer"):
            service = template("etc/systemd/system/altnet-checkout.service.j2", templar(**GIVEN))
            (tmp_path / "altnet-checkout.service").write_text(service)
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if str(tmp_path) in line or unit in line]
    assert complaints == []


def test_certificates_come_with_what_serves_them() -> None:
    issued = {"www.alt": "its certificate\n", "slapd": "not a site's\n"}
    found = files("__content_files", **GIVEN, content_issued=issued)
    place = "/etc/altnet/pki"
    assert {path: text for path, text in found.items() if path.startswith(place)} == {
        f"{place}/www.alt/cert.pem": "its certificate\n"
    }
    acme = {"content_certificates": "acme", "content_acme_directories": ["https://ca1.net.alt/d"]}
    assert not any(path.startswith(place) for path in files("__content_files", **GIVEN, **acme, content_issued=issued))


def test_the_checker_takes_certificates_that_are_to_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = json.loads(files("__content_files", **GIVEN)["/etc/caddy/altnet.json"])
    stage, copies = tmp_path / "stage", tmp_path / "copies"
    copies.mkdir()
    for name, text in (("www.alt", "-----BEGIN CERTIFICATE-----\n"), ("docs.alt", "(signed when its key is born)\n")):
        file = stage / "etc/altnet/pki" / name / "cert.pem"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    stands = checker.put_in(configuration, stage, copies)
    assert list(stands.values()) == ["/etc/altnet/pki/www.alt/cert.pem"]
    entries = configuration["apps"]["tls"]["certificates"]["load_files"]
    assert [entry["certificate"] for entry in entries if entry["key"].endswith("/www.alt/key.pem")] == [
        str(path) for path in stands
    ]
    assert len(entries) == 5
    assert capsys.readouterr().err == "/etc/altnet/pki/docs.alt/cert.pem is not signed yet; not checked\n"
