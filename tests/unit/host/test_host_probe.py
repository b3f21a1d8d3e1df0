"""One look at a host."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from host_fakes import Fake
from hypothesis import given
from hypothesis import strategies as st

from altnet.host import probe

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'


def test_os_release() -> None:
    text = f"# a comment with = in it\n\n{DEBIAN}HOME_URL='https://www.debian.org/?a=b'\nno assignment\n"
    assert probe.os_release(text) == {
        "PRETTY_NAME": "Debian GNU/Linux 13 (trixie)",
        "ID": "debian",
        "VERSION_ID": "13",
        "VERSION_CODENAME": "trixie",
        "HOME_URL": "https://www.debian.org/?a=b",
    }


@given(st.text())
def test_os_release_of_anything(text: str) -> None:
    probe.os_release(text)


def test_ssh_host_keys(tmp_path: Path) -> None:
    (tmp_path / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAA root@fra\n")
    (tmp_path / "ssh_host_rsa_key.pub").write_text("ssh-rsa BBBB\n")
    (tmp_path / "ssh_host_rsa_key").write_text("never looked at")
    assert probe.ssh_host_keys(tmp_path) == ["ssh-ed25519 AAAA", "ssh-rsa BBBB"]
    assert probe.ssh_host_keys(tmp_path / "none") == []


def test_installed(fake: Fake, tmp_path: Path) -> None:
    fake(
        "dpkg-query",
        f'echo "$@" > {tmp_path}/asked\n'
        "echo 'bird2 installed'\necho 'chrony config-files'\necho 'nftables half-installed'\n"
        "echo 'dpkg-query: no packages found matching nothere' >&2\nexit 1",
    )
    assert probe.installed(["nftables", "bird2", "chrony", "nothere", "bird2"]) == ["bird2"]
    assert (tmp_path / "asked").read_text().split()[-4:] == ["bird2", "chrony", "nftables", "nothere"]
    assert probe.installed([]) == []


def test_installed_without_dpkg(fake: Fake) -> None:
    assert probe.installed(["bird2"]) == []


@pytest.mark.parametrize(
    ("output", "interfaces"),
    [
        ("[]", []),
        ("", []),
        ("not JSON", []),
        ('[{"dst": "default"}]', []),
        (
            (
                '[{"dst":"default","dev":"eth1","protocol":"ra"},{"dst":"default","dev":"eth0","protocol":"ra"},'
                '{"dst":"default","dev":"eth2","protocol":"static"},{"dst":"default","dev":"eth0","protocol":"ra"}]'
            ),
            ["eth0", "eth1"],
        ),
        ('[{"dst":"default","protocol":"ra","nexthops":[{"dev":"eth0"},{"dev":"eth1"}]}]', ["eth0", "eth1"]),
    ],
)
def test_router_advertisements(fake: Fake, tmp_path: Path, output: str, interfaces: list[str]) -> None:
    fake("ip", f"/bin/cat <<'END'\n{output}\nEND")
    for name in ("all", "default", "eth0", "eth1", "eth2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "accept_ra").write_text("1\n")
    assert probe.router_advertisement_interfaces(tmp_path) == interfaces


@pytest.mark.parametrize(("value", "interfaces"), [("0", []), ("1", []), ("2", ["eth0"])])
def test_router_advertisements_without_a_route(fake: Fake, tmp_path: Path, value: str, interfaces: list[str]) -> None:
    """What was set to 2 stays listed while its route is away; 0 means that somebody else listens."""
    (tmp_path / "eth0").mkdir()
    (tmp_path / "eth0" / "accept_ra").write_text(value)
    assert probe.router_advertisement_interfaces(tmp_path) == interfaces


def test_foreign_chains_that_drop(fake: Fake) -> None:
    chains = [
        {"family": "inet", "table": "altnet", "name": "input", "hook": "input", "policy": "drop"},
        {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "policy": "drop"},
        {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"},
        {"family": "ip6", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"},
        {"family": "ip6", "table": "filter", "name": "OUTPUT", "hook": "output", "policy": "drop"},
        {"family": "inet", "table": "x", "name": "plain"},
    ]
    rows = json.dumps({"nftables": [{"metainfo": {}}, *({"chain": chain} for chain in chains)]})
    fake("nft", f"/bin/cat <<'END'\n{rows}\nEND")
    assert probe.foreign_drops() == ["ip filter INPUT", "ip6 filter FORWARD"]


def test_foreign_chains_without_nft(fake: Fake) -> None:
    assert probe.foreign_drops() == []


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("CapEff:\t000001ffffffffff", True),
        ("CapEff:\t0000000002000000", True),
        ("CapEff:\t00000000a80425fb", False),
        ("CapPrm:\t000001ffffffffff", False),
        ("", False),
    ],
)
def test_sets_clock(tmp_path: Path, line: str, may: bool) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tpython3\n{line}\nSeccomp:\t0\n")
    assert probe.sets_clock(status) == may


@pytest.mark.parametrize(("all_", "default", "off"), [("0", "0", False), ("1", "0", True), ("0", "1", True)])
def test_ipv6_disabled(tmp_path: Path, all_: str, default: str, off: bool) -> None:
    for scope, value in (("all", all_), ("default", default)):
        (tmp_path / scope).mkdir()
        (tmp_path / scope / "disable_ipv6").write_text(f"{value}\n")
    assert probe.ipv6_disabled(tmp_path) == off


def test_a_kernel_without_ipv6(tmp_path: Path) -> None:
    assert probe.ipv6_disabled(tmp_path / "none")


@pytest.mark.parametrize(("content", "reason"), [(b"moving it\n", "moving it"), (b" \n", "no reason given")])
def test_stop(tmp_path: Path, content: bytes, reason: str) -> None:
    assert probe.stop_reason(tmp_path / "stop") is None
    (tmp_path / "stop").write_bytes(content)
    assert probe.stop_reason(tmp_path / "stop") == reason
    (tmp_path / "stop").write_bytes(b"\xff not UTF-8")
    assert str(probe.stop_reason(tmp_path / "stop")).endswith("not UTF-8")


def test_a_stop_file_that_cannot_be_read_stops(tmp_path: Path) -> None:
    assert probe.stop_reason(tmp_path) == "the reason cannot be read (Is a directory)"


def interfaces() -> str:
    return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=False).stdout


def test_kernel_wireguard_leaves_nothing() -> None:
    before, here = interfaces(), Path("/proc/self/ns/net").readlink()
    assert probe.kernel_wireguard() in {True, False}
    assert interfaces() == before
    assert Path("/proc/self/ns/net").readlink() == here


def test_kernel_wireguard_without_namespaces(fake: Fake) -> None:
    fake("unshare", "exit 1")
    assert probe.kernel_wireguard() is False


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root; lab/unit-debian has it and runs this")
@pytest.mark.parametrize(("status", "there"), [(0, True), (2, False)])
def test_kernel_wireguard_is_what_ip_says(fake: Fake, tmp_path: Path, status: int, there: bool) -> None:
    fake("ip", f'echo "$@" > {tmp_path}/asked\nexit {status}')
    if subprocess.run(["/usr/bin/unshare", "--net", "/bin/true"], check=False).returncode != 0:
        pytest.skip("no network namespaces; lab/unit-debian has it and runs this")
    assert probe.kernel_wireguard() is there
    assert (tmp_path / "asked").read_text().split() == ["link", "add", "dev", "wg-probe", "type", "wireguard"]


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything but the release be as it should be."""
    for name, value in {"kernel_wireguard": True, "ipv6_disabled": False, "stop_reason": None}.items():
        monkeypatch.setattr(probe, name, lambda value=value: value)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def variables(facts: dict[str, Any]) -> list[str]:
    found = [problem for problem in facts["problems"] if problem["what"] != "is not run by systemd"]
    assert all(set(problem) == {"variable", "what", "remedy"} for problem in found)
    return [problem["variable"] for problem in found]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (DEBIAN, None),
        (DEBIAN.replace("13", "12").replace("trixie", "bookworm"), None),
        (DEBIAN.replace("13", "11"), "runs Debian GNU/Linux 11 (trixie), which is not supported"),
        (DEBIAN.replace('"13"', ""), "runs Debian GNU/Linux 13 (trixie), which is not supported"),
        ('ID=fedora\nPRETTY_NAME="Fedora 42"\n', "runs Fedora 42, which is not supported"),
        (None, "runs an unknown system, which is not supported"),
    ],
)
def test_the_release(good: None, fake: Fake, tmp_path: Path, text: str | None, what: str | None) -> None:
    # Nothing is on PATH, as on a system of another kind: that is a finding, and no traceback.
    release = tmp_path / "os-release"
    if text is not None:
        release.write_text(text)
    facts = probe.probe(["bird2"], release)
    assert variables(facts) == ([] if what is None else ["ansible_host"])
    if what:
        assert what in [problem["what"] for problem in facts["problems"]]
    assert facts["packages"] == facts["ra_interfaces"] == []


def test_a_host_that_is_all_wrong(good: None, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(probe, "ipv6_disabled", lambda: True)
    facts = probe.probe([], tmp_path / "none")
    assert variables(facts) == ["ansible_host", "net.ipv6.conf.all.disable_ipv6", "ansible_user"]
