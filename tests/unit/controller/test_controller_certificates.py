"""What check says of certificates that hosts have, by the real openssl."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from altnet.controller.certificates import declared, faults
from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_leaf, make_root
from altnet.pki.ends import ends
from altnet.pki.scope import Scope
from altnet.wireguard.runner import HostRunner

NOW = datetime.now(UTC).replace(microsecond=0)
SCOPE = Scope(("alt",), "fd12:3456:789a::/48")


def world(root: Path, trusted: bool = True) -> dict[str, dict[str, object]]:
    key, other = pem.new_key(), pem.new_key()
    signer = Signer(make_root(SCOPE, key, NOW), key)
    infra = Signer(make_intermediate(signer, "infra", other.public_key(), NOW), other)
    stranger = make_root(SCOPE, other, NOW)
    leaf = make_leaf(infra, ["core1.net.alt"], ec.generate_private_key(ec.SECP256R1()).public_key(), NOW)
    (root / "host").mkdir(parents=True)
    (root / "host/cert.pem").write_text(pem.text(leaf, infra.certificate))
    (root / "roots.pem").write_text(pem.text(signer.certificate if trusted else stranger))
    return ends(HostRunner(), root)


@pytest.mark.parametrize(
    ("days", "words"), [(0, []), (74, []), (76, ["expires on"]), (91, ["expired on"]), (200, ["expired on"])]
)
def test_time(tmp_path: Path, days: int, words: list[str]) -> None:
    found = list(faults({"core1": world(tmp_path)}, NOW + timedelta(days=days)))
    assert len(found) == len(words)
    for line, word in zip(found, words, strict=True):
        assert line.startswith("core1: the certificate host ")
        assert word in line
        assert line.endswith("run site.yml --limit core1: docs/runbooks/a-certificate-is-about-to-expire.md")


def test_a_root_that_the_host_does_not_have(tmp_path: Path) -> None:
    (line,) = faults({"core1": world(tmp_path, trusted=False)}, NOW)
    assert line == "core1: the certificate host is from no root that the host trusts: run site.yml there"


def test_damage(tmp_path: Path) -> None:
    world(tmp_path)
    (tmp_path / "host/cert.pem").write_text("nonsense")
    (line,) = faults({"core1": ends(HostRunner(), tmp_path)}, NOW)
    assert line == "core1: the certificate host cannot be read: run site.yml there"


def test_a_host_without_certificates(tmp_path: Path) -> None:
    assert ends(HostRunner(), tmp_path / "nothing") == {}
    assert list(faults({"core1": {}}, NOW)) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["host", "slapd"], []),
        (["host", "host"], ["host core1: pki_certificates[1].name: host is there twice"]),
        (["roots"], ["host core1: pki_certificates[0].name: roots is what the role itself uses"]),
        (["../x"], ["host core1: pki_certificates[0].name: '../x' is no name of a certificate"]),
    ],
)
def test_names_of_certificates(names: list[str], words: list[str]) -> None:
    found = [str(problem) for problem in declared("core1", [{"name": name} for name in names])]
    assert [line.partition(". Remedy")[0] for line in found] == words
