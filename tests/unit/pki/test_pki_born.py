"""Keys on a host: made by the real openssl, once, readable for whom they are, and told of in the probe's words."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from altnet.host.standing import Places, standing
from altnet.pki import born, request
from altnet.pki.born import BornError, Wish
from altnet.wireguard.model import Paths
from altnet.wireguard.runner import Done, HostRunner

GROUP = "root" if os.geteuid() == 0 else __import__("grp").getgrgid(os.getegid()).gr_name


class Broken(HostRunner):
    """A host whose openssl fails at one of its commands."""

    def __init__(self, command: str, code: int = 1) -> None:
        super().__init__()
        self.command, self.code = command, code

    def run(self, argv: object, stdin: str | None = None) -> Done:
        if self.command in list(argv):  # type: ignore[call-overload]
            return Done(self.code, err="broken")
        return super().run(argv, stdin)  # type: ignore[arg-type]


def make(root: Path, *, check_mode: bool = False, renew: bool = False) -> born.Born:
    return born.ensure(HostRunner(), Wish("slapd", GROUP, renew), root, check_mode=check_mode)


def test_once(tmp_path: Path) -> None:
    predicted = make(tmp_path, check_mode=True)
    assert len(predicted.changes) == 2
    assert predicted.request == ""
    assert list(tmp_path.iterdir()) == []

    made = make(tmp_path)
    assert made.changes == predicted.changes
    assert sorted(path.name for path in (tmp_path / "slapd").iterdir()) == ["key.pem", "request.pem"]
    assert stat.S_IMODE((tmp_path / "slapd/key.pem").stat().st_mode) == 0o640
    request.read(made.request, "core1", "slapd")
    private = (tmp_path / "slapd/key.pem").read_text()
    assert "PRIVATE KEY" in private
    assert private.splitlines()[1] not in str(made.result())

    again = make(tmp_path)
    assert (again.changes, again.request, again.certificate) == ((), made.request, "")
    assert (tmp_path / "slapd/key.pem").read_text() == private

    (tmp_path / "slapd/cert.pem").write_text("the certificate\n")
    assert make(tmp_path).certificate == "the certificate\n"


def test_another_key(tmp_path: Path) -> None:
    first = make(tmp_path)
    second = make(tmp_path, renew=True)
    key = request.read(second.request, "core1", "slapd")
    assert key != request.read(first.request, "core1", "slapd")


def test_others_may_read_it(tmp_path: Path) -> None:
    make(tmp_path)
    key = tmp_path / "slapd/key.pem"
    key.chmod(0o644)
    assert len(make(tmp_path, check_mode=True).changes) == 1
    assert stat.S_IMODE(key.stat().st_mode) == 0o644
    assert len(make(tmp_path).changes) == 1
    assert stat.S_IMODE(key.stat().st_mode) == 0o640
    assert make(tmp_path).changes == ()


@pytest.mark.parametrize("lost", ["key.pem", "request.pem"])
def test_half_of_it_is_none(tmp_path: Path, lost: str) -> None:
    first = make(tmp_path)
    (tmp_path / "slapd" / lost).unlink()
    second = make(tmp_path)
    assert len(second.changes) == 2
    assert second.request != first.request


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [("genpkey", 127, "is not installed"), ("genpkey", 1, "genpkey failed: broken"), ("req", 1, "req failed: broken")],
)
def test_openssl_fails(tmp_path: Path, command: str, code: int, words: str) -> None:
    with pytest.raises(BornError, match=words):
        born.ensure(Broken(command, code), Wish("slapd", GROUP), tmp_path, check_mode=False)
    assert not list(tmp_path.rglob("*.pem"))
    assert not list(tmp_path.rglob(".altnet-*"))


@pytest.mark.parametrize("name", ["", "../etc", ".a", "a.", "Slapd", "a b", "a/b", "x" * 201])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(BornError, match="is no name"):
        born.ensure(HostRunner(), Wish(name), tmp_path, check_mode=False)


def test_a_group_that_is_not_there(tmp_path: Path) -> None:
    wish = Wish("slapd", "no-such-group")
    assert len(born.ensure(HostRunner(), wish, tmp_path, check_mode=True).changes) == 2
    with pytest.raises(BornError, match="no-such-group does not exist on this host"):
        born.ensure(HostRunner(), wish, tmp_path, check_mode=False)


def test_the_probe_s_answer_is_the_module_s(tmp_path: Path) -> None:
    keys, orders = tmp_path / "pki", tmp_path / "orders"
    made = make(keys)
    born.remember("fingerprint", Wish("slapd", GROUP), orders)
    assert born.stands("slapd", HostRunner(), orders, keys) == ("fingerprint", make(keys).result())
    assert make(keys).request == made.request
    (keys / "slapd/key.pem").chmod(0o666)
    assert born.stands("slapd", HostRunner(), orders, keys) is None
    (keys / "slapd/key.pem").unlink()
    assert born.stands("slapd", HostRunner(), orders, keys) is None


def test_the_probe_asks_for_every_key(tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    for name in ("slapd", "caddy"):
        born.remember("fingerprint", Wish(name, GROUP), orders)
    assert born.names(orders) == ["caddy", "slapd"]
    paths = Paths(keys=tmp_path / "a", confs=tmp_path / "b", orders=tmp_path / "c")
    assert standing(HostRunner(), paths, Places(tmp_path / "sets", orders, tmp_path / "zones")) == {}


def test_all_of_it_goes(tmp_path: Path) -> None:
    keys, orders = tmp_path / "etc/altnet/pki", tmp_path / "var/pki"
    make(keys)
    born.remember("fingerprint", Wish("slapd", GROUP), orders)
    assert len(born.remove("slapd", keys, orders, check_mode=True).changes) == 2
    assert len(born.remove("slapd", keys, orders, check_mode=False).changes) == 2
    assert not keys.exists()
    assert not orders.exists()
    assert born.remove("slapd", keys, orders, check_mode=False).changes == ()


def test_a_site_s_name(tmp_path: Path) -> None:
    name = f"{'long' * 20}.example.alt"
    made = born.ensure(HostRunner(), Wish(name, GROUP), tmp_path / "pki", check_mode=False)
    request.read(made.request, "core1", name)
    born.remember("fingerprint", Wish(name, GROUP), tmp_path / "orders")
    assert born.names(tmp_path / "orders") == [name]
    assert born.stands(name, HostRunner(), tmp_path / "orders", tmp_path / "pki") is not None
