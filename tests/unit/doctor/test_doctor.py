"""What the doctor says: one sentence that names the cause and the cure."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from altnet import doctor
from altnet.doctor import Machine, Seen

SCRIPT = Path(doctor.__file__)
HERE = "fd12:3456:789a::2:53"
GOOD = Seen(HERE, "NOERROR", validated=True, found=True)


def machine(*servers: Seen, name: str = "resolver.net.alt", nss: bool = False, system: bool = False) -> Machine:
    return Machine(name, ".neo", HERE, servers, nss, system)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (machine(GOOD, system=True), []),
        (machine(), ["names no server", f"nameserver {HERE}"]),
        (machine(Seen("127.0.0.53", "NXDOMAIN")), ["swallows every name under .alt", "or use", ".neo"]),
        (machine(Seen("127.0.0.53", "NXDOMAIN"), name="resolver.net.neo"), ["does not ask", "route ~neo"]),
        (machine(Seen("127.0.0.53", "NOERROR", found=True, validated=True), name="a.neo", system=True), []),
        (machine(Seen("127.0.0.53", "NOERROR", found=True), name="a.neo", system=True), []),
        (machine(GOOD, nss=True), ["remove the word `resolve`", "/etc/nsswitch.conf"]),
        (machine(Seen(HERE, "no answer"), Seen("fd12::1", "Network is unreachable")), [HERE, "fd12::1", "tunnel"]),
        (machine(Seen(HERE, "REFUSED")), ["refuses this machine", "tunnel"]),
        (machine(Seen(HERE, "SERVFAIL")), ["cannot prove resolver.net.alt", "clock"]),
        (machine(Seen("192.0.2.53", "NXDOMAIN")), ["192.0.2.53 does not know", HERE]),
        (machine(Seen("192.0.2.53", "NOERROR", found=True), system=True), ["does not validate", HERE]),
        (machine(Seen(HERE, "no answer"), GOOD, system=True), []),
        (machine(GOOD), ["nothing asks it", "hosts:"]),
    ],
)
def test_verdict(seen: Machine, words: list[str]) -> None:
    said = doctor.verdict(seen)
    assert bool(said) == bool(words)
    assert [word for word in words if word not in said] == []
    assert "\n" not in said
    assert said.count(". ") == 0


def test_who_does_not_say_whether_it_was_validated_is_named() -> None:
    assert doctor.well("a.neo", (Seen(HERE, "no answer"), GOOD)) == "a.neo resolves, validated."
    assert "systemd-resolved" in doctor.well("a.neo", (Seen("127.0.0.53", "NOERROR", found=True),))


def test_name_servers_are_the_first_three() -> None:
    lines = [
        "# nameserver 192.0.2.9",
        "search alt",
        *(f"nameserver {one}" for one in ("192.0.2.1", "", "::1", "a", "b")),
    ]
    text = "\n".join(lines)
    assert doctor.servers_of(text) == ["192.0.2.1", "::1", "a"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("hosts: files dns", False),
        ("hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns", True),
        ("hosts: files dns resolve", False),
        ("hosts: files resolve", True),
        ("# hosts: resolve dns", False),
        ("networks: files", False),
    ],
)
def test_nsswitch(line: str, wanted: bool) -> None:
    assert doctor.asks_resolved_first(f"passwd: files\n{line}\n") == wanted


def test_defaults() -> None:
    assert doctor.defaults("# a comment\nname a.neo\nresolver ::1\n\nodd\n") == {"name": "a.neo", "resolver": "::1"}


@pytest.mark.parametrize("server", ["127.255.255.254", "::ffff:127.255.255.254", "not an address", "fe80::1%nothere"])
def test_a_server_that_does_not_answer_is_no_crash(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SECONDS", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])
    seen = doctor.ask(server, "resolver.net.alt")
    assert (seen.server, seen.found) == (server, False)
    assert seen.said not in doctor.RCODES.values()


def test_it_needs_nothing_but_python() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names
    done = subprocess.run([sys.executable, "-I", SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert "changes nothing" in done.stdout
