"""The authority beside the inventory: made once, kept by the vault, renewed in steps, used without the root's key."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from altnet.controller import signing
from altnet.controller.trust import Authority
from altnet.controller.vaultfile import Vault, VaultFileError
from altnet.errors import AltnetError
from altnet.naming.model import RRSet
from altnet.pki import pem, renewal
from altnet.pki.pem import PkiError
from altnet.pki.scope import Scope, scope_of

PREFIX = "fd12:3456:789a::/48"
SCOPE = Scope(("alt",), PREFIX)
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PIECE = {"name": "core1", "loopback": "fd12:3456:789a::5", "anycast": [], "dns": {"tlds": ["alt"]}}


class World:
    """A directory of an inventory; ``at`` is the authority in it, some days later."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.password = root / "password"
        self.password.write_text("the password of this network's vault")
        self.pki = root / "pki"

    def at(self, days: int = 0, *, check_mode: bool = False) -> Authority:
        vault = Vault(DataLoader(), self.password)
        return Authority(self.pki, vault, check_mode=check_mode, now=NOW + days * DAY)

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.pki)): path.read_bytes() for path in self.pki.rglob("*") if path.is_file()}

    def sign(self, born: dict[str, str], days: int = 0, names: list[str] | None = None, **more: Any) -> signing.Signed:
        subject = signing.Subject(PIECE, more.get("tlds", ["alt"]), [], lambda: more.get("sets", []))
        wanted = ["core1.net.alt", "fd12:3456:789a::5"] if names is None else names
        return signing.leaf(self.at(days), subject, "slapd", wanted, born)


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.at().make(SCOPE)
    return found


def request(key: ec.EllipticCurvePrivateKey | None = None) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slapd")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key or pem.new_key(), hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def chain(text: str) -> tuple[x509.Certificate, ...]:
    return pem.certificates(text, "")


def test_it_is_made_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    predicted = world.at(check_mode=True)
    predicted.make(SCOPE)
    assert not world.pki.exists()
    made = world.at()
    made.make(SCOPE)
    assert made.changes == predicted.changes
    assert set(world.files()) == {"root.pem", "root.key.yml", "infra.pem", "infra.key.yml"}
    for name, content in world.files().items():
        assert b"PRIVATE" not in content
        if "key" in name:
            assert content.startswith(b"$ANSIBLE_VAULT")
            assert stat.S_IMODE((world.pki / name).stat().st_mode) == 0o600
    before = world.files()
    again = world.at(1)
    again.make(SCOPE)
    assert (again.changes, world.files()) == ([], before)
    assert made.findings(SCOPE) == []


def test_a_run_that_was_killed_is_gone_on_with(world: World) -> None:
    key = world.files()["root.key.yml"]
    for name in ("root.pem", "infra.pem"):
        (world.pki / name).unlink()
    world.at().make(SCOPE)
    assert world.files()["root.key.yml"] == key
    assert world.at().findings(SCOPE) == []


def test_a_wrong_password(world: World) -> None:
    world.password.write_text("another")
    with pytest.raises(VaultFileError, match=r"infra\.key\.yml: cannot be decrypted by any password that was given"):
        world.at().infra_signer()


def test_daemons_are_signed_for_without_the_root_s_key(world: World) -> None:
    (world.pki / "root.key.yml").rename(world.root / "offline")
    key = pem.new_key()
    born = {"request": request(key), "certificate": ""}
    first = world.sign(born)
    assert first.reason == "there is none"
    assert chain(first.certificate)[0].public_key() == key.public_key()
    born["certificate"] = first.certificate
    assert world.sign(born, 59).reason == ""
    assert world.sign(born, 59).certificate == first.certificate
    renewed = world.sign(born, 61)
    assert renewed.reason == "29 days of it are left"
    assert renewed.certificate != first.certificate
    with pytest.raises(PkiError, match=r"pki/root\.key\.yml: is not there, and an intermediate can only be signed"):
        world.at().rotate("infra", SCOPE)


def test_before_the_key_is_born(world: World) -> None:
    assert world.sign({"request": "", "certificate": ""}).certificate == signing.PLACEHOLDER


def test_a_damaged_certificate_is_as_good_as_none(world: World) -> None:
    assert world.sign({"request": request(), "certificate": "nonsense"}).reason == "there is none"


def test_somebody_else_s_name(world: World) -> None:
    with pytest.raises(
        PkiError, match=r"host core1: certificate slapd\[0\]: core2\.net\.alt is not a name of this host"
    ):
        world.sign({"request": request(), "certificate": ""}, names=["core2.net.alt"])


def test_a_name_by_a_record(world: World) -> None:
    sets = [RRSet("www.alt.", "AAAA", 60, ("fd12:3456:789a::5",))]
    signed = world.sign({"request": request(), "certificate": ""}, names=["www.alt"], sets=sets)
    assert pem.common_name(chain(signed.certificate)[0].subject) == "www.alt"


def test_a_tld_that_the_root_does_not_cover_costs_its_own_names_alone(world: World) -> None:
    born = {"request": request(), "certificate": ""}
    names = ["core1.net.alt", "core1.net.lan1"]
    signed = world.sign(born, names=names, tlds=["alt", "lan1"])
    assert "core1.net.lan1 is left out: the authority may not sign for lan1" in signed.warnings[0]
    born["certificate"] = signed.certificate
    assert world.sign(born, names=names, tlds=["alt", "lan1"]).reason == ""
    with pytest.raises(PkiError, match="replace the root"):
        world.sign(born, names=["core1.net.lan1"], tlds=["alt", "lan1"])
    (finding,) = world.at().findings(Scope(("alt", "lan1"), PREFIX))
    assert finding.grave


def test_an_intermediate_is_rotated(world: World) -> None:
    born = {"request": request(), "certificate": ""}
    born["certificate"] = world.sign(born).certificate
    old = world.at().infra()
    world.at().rotate("infra", SCOPE)
    assert world.at().infra() != old
    assert world.sign(born).reason == "it is from another intermediate"
    assert world.at().findings(SCOPE) == []


def test_an_expired_intermediate(world: World) -> None:
    born = {"request": request(), "certificate": ""}
    with pytest.raises(
        PkiError, match=r"pki/infra\.pem: expired on 20.*rotate-intermediate\.yml -e pki_intermediate=infra"
    ):
        world.sign(born, 731)
    found = [str(one.problem) for one in world.at(731).findings(SCOPE)]
    assert len(found) == 1
    assert "pki/infra.pem: expired on" in found[0]
    assert "playbooks/rotate-intermediate.yml -e pki_intermediate=infra" in found[0]
    # A root that has expired too makes no other: that would be refused as well.
    with pytest.raises(PkiError, match=r"pki/root\.pem: expired on 2046-11-22.*docs/runbooks/replace-the-root\.md"):
        world.at(7301).rotate("infra", SCOPE)
    world.at(731).rotate("infra", SCOPE)
    assert world.sign(born, 731).reason == "there is none"


def test_keys_that_do_not_belong_together(world: World) -> None:
    other = World(world.root / "pki")
    other.at().make(SCOPE)
    (other.pki / "infra.key.yml").replace(world.pki / "infra.key.yml")
    with pytest.raises(PkiError, match=r"is not the key of pki/infra\.pem"):
        world.at().infra_signer()


class TestIssuer:
    def test_signed_once_by_the_root(self, world: World) -> None:
        born = {"request": request(), "certificate": ""}
        first = signing.issuer(world.at(), "core1", "issuer", born)
        (world.pki / "root.key.yml").rename(world.root / "offline")
        born["certificate"] = first.certificate
        again = signing.issuer(world.at(), "core1", "issuer", born)
        assert (again.certificate, again.reason) == (first.certificate, "")
        assert scope_of(chain(first.certificate)[0]) == SCOPE
        with pytest.raises(PkiError, match="put the key of root"):
            signing.issuer(world.at(), "core2", "issuer", {"request": request(), "certificate": ""})

    def test_rotated_by_the_request_on_record(self, world: World) -> None:
        first = signing.issuer(world.at(), "core1", "issuer", {"request": request(), "certificate": ""})
        world.at(700).rotate("issuers/core1", SCOPE)
        (second,) = world.at(700).issuers().values()
        assert second != chain(first.certificate)[0]
        assert second.public_key() == chain(first.certificate)[0].public_key()
        with pytest.raises(PkiError, match="use one of: infra, issuers/core1"):
            world.at().rotate("issuers/core2", SCOPE)


class TestReplacement:
    def test_from_end_to_end(self, world: World) -> None:
        """After each step a host that has run trusts every certificate, of a host that has run or that has not."""
        wide = Scope(("alt", "lan1"), PREFIX)
        born = {"request": request(), "certificate": ""}
        born["certificate"] = world.sign(born).certificate
        signing.issuer(world.at(), "core1", "issuer", {"request": request(), "certificate": ""})
        before = world.at().roots()

        with pytest.raises(PkiError, match="asks for switch, and publish is due"):
            world.at(1).step("switch", wide)
        looked = world.at(1, check_mode=True)
        assert looked.step("", wide) == "publish"
        assert world.at().roots() == before
        assert world.at(1).step("publish", wide) == "publish"
        both = world.at().roots()
        assert both[0] == before[0]
        assert scope_of(both[1]) == wide
        assert world.sign(born, 1).reason == ""
        assert trusts(both, born)

        assert world.at(2).step("switch", wide) == "switch"
        assert world.at().roots() == (both[1], both[0])
        assert world.sign(born, 2).reason == "it is from another intermediate"
        assert trusts(both, born)
        new = {**born, "certificate": world.sign(born, 2).certificate}
        assert trusts(both, new)
        assert world.at(2).findings(wide) == []
        assert all(renewal.issued_by(one, both[1]) for one in world.at().issuers().values())

        assert world.at(3).step("", wide) == "retire"
        assert world.at().roots() == (both[1],)
        assert trusts(world.at().roots(), new)
        assert not trusts(world.at().roots(), born)
        assert set(world.files()) >= {"root.key.yml", "root.pem"}
        assert not {"root.next.key.yml", "root.old.key.yml"} & set(world.files())
        world.at(3).rotate("infra", wide)

    def test_a_switch_that_was_killed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.at(1).step("publish", SCOPE)
        write = Authority._write

        def die(self: Authority, name: str, text: str) -> None:
            if name == "root.pem":
                raise KeyboardInterrupt
            write(self, name, text)

        monkeypatch.setattr(Authority, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            world.at(2).step("switch", SCOPE)
        monkeypatch.undo()
        assert [one.grave for one in world.at(2).findings(SCOPE)] == [False]
        assert world.at(2).step("", SCOPE) == "switch"
        assert world.at(2).step("", SCOPE) == "retire"
        world.at(2).rotate("infra", SCOPE)


def trusts(roots: tuple[x509.Certificate, ...], born: dict[str, str]) -> bool:
    leaf, infra = chain(born["certificate"])
    return renewal.issued_by(leaf, infra) and any(renewal.issued_by(infra, root) for root in roots)


def test_there_is_no_authority(tmp_path: Path) -> None:
    world = World(tmp_path)
    (finding,) = world.at().findings(SCOPE)
    assert "playbooks/make-root.yml" in finding.problem.remedy
    for attempt in (
        lambda: world.sign({"request": request(), "certificate": ""}),
        lambda: world.at().rotate("infra", SCOPE),
        lambda: world.at().step("", SCOPE),
        lambda: signing.issuer(world.at(), "core1", "issuer", {"request": request()}),
    ):
        with pytest.raises(AltnetError):
            attempt()
