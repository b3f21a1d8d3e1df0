"""Private keys: the four steps, modes, corrupt files, removal."""

from __future__ import annotations

import resource
import stat
from pathlib import Path

import pytest
from wireguard_fakes import FakeHost, key, public_of

from altnet.wireguard import keys
from altnet.wireguard.errors import WireguardError
from altnet.wireguard.keyfile import PLACEHOLDER, is_key


@pytest.fixture
def bare(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def ensure(host: FakeHost, *generations: int, prune: bool = False, check: bool = False) -> keys.Keys:
    return keys.ensure(host, host.paths, generations or (0,), prune=prune, check_mode=check)


def test_four_steps(bare: FakeHost) -> None:
    checked = ensure(bare, check=True)
    assert checked.changed
    assert checked.result(bare.paths)["public_keys"] == {"0": PLACEHOLDER}
    assert checked.placeholder
    assert not bare.paths.keys.exists()
    done = ensure(bare)
    private = bare.paths.key(0).read_text().strip()
    assert is_key(private)
    assert done.result(bare.paths)["public_keys"] == {"0": public_of(private)}
    assert (done.changed, done.placeholder) == (True, False)
    assert private not in repr(done) + repr(done.result(bare.paths))
    assert not ensure(bare, check=True).changed
    assert ensure(bare).public == done.public
    assert not ensure(bare).changed
    assert [path.name for path in bare.paths.keys.iterdir()] == ["0.key"]
    assert stat.S_IMODE(bare.paths.keys.stat().st_mode) == 0o700
    assert stat.S_IMODE(bare.paths.key(0).stat().st_mode) == 0o600


def test_private_keys_go_to_wg_by_standard_input(host: FakeHost) -> None:
    ensure(host)
    assert host.log == [("wg", "pubkey")]
    assert host.stdin == [key("own") + "\n"]


def test_check_mode_before_wg_is_installed(host: FakeHost) -> None:
    host.installed = False
    done = ensure(host, check=True)
    assert (done.changed, done.placeholder, done.public) == (True, True, {0: PLACEHOLDER})


def test_without_wg_no_key_is_left_behind(bare: FakeHost) -> None:
    bare.installed = False
    with pytest.raises(WireguardError, match="wireguard-tools in wireguard_packages"):
        ensure(bare)
    assert not bare.paths.keys.exists()


def test_generations_and_prune(host: FakeHost) -> None:
    assert ensure(host, 0, 1).made == (1,)
    (host.paths.keys / "notes.key").touch()
    assert not ensure(host, 1).changed
    assert ensure(host, 1, prune=True, check=True).removed == (0,)
    assert host.paths.key(0).exists()
    assert ensure(host, 1, prune=True).removed == (0,)
    assert sorted(path.name for path in host.paths.keys.iterdir()) == ["1.key", "notes.key"]


@pytest.mark.parametrize("content", ["", "garbage", key("a")[:-4], "A" * 43 + "="])
@pytest.mark.parametrize("check", [True, False])
def test_a_corrupt_key_is_told_and_never_overwritten(host: FakeHost, content: str, check: bool) -> None:
    host.paths.key(0).write_text(content)
    with pytest.raises(WireguardError, match=r"0\.key: it does not hold .* Remedy: restore"):
        ensure(host, check=check)
    assert host.paths.key(0).read_text() == content


@pytest.mark.parametrize("make", ["symlink_to", "directory"])
def test_a_key_that_is_no_file(host: FakeHost, make: str) -> None:
    path = host.paths.key(0)
    path.unlink()
    path.mkdir() if make == "directory" else path.symlink_to("/nowhere")
    with pytest.raises(WireguardError, match="does not hold"):
        ensure(host)


def test_modes_are_mended(host: FakeHost) -> None:
    host.paths.keys.chmod(0o755)
    host.paths.key(0).chmod(0o644)
    assert ensure(host, check=True).mended == (str(host.paths.keys), str(host.paths.key(0)))
    assert ensure(host).changed
    assert not ensure(host).changed


def test_absent(host: FakeHost) -> None:
    assert keys.remove(host.paths, check_mode=True).removed == (0,)
    assert keys.remove(host.paths, check_mode=False).changed
    assert not host.paths.keys.parent.exists()
    assert not keys.remove(host.paths, check_mode=False).changed


def test_absent_leaves_what_is_not_ours(host: FakeHost) -> None:
    (host.paths.keys / "notes").touch()
    keys.remove(host.paths, check_mode=False)
    assert [path.name for path in host.paths.keys.iterdir()] == ["notes"]


def test_a_key_that_finds_no_space_is_no_key(bare: FakeHost) -> None:
    """The limit on a file's size stands in for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(WireguardError, match=r"0\.key: it cannot be written: File too large.*df -h"):
            ensure(bare)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(bare.paths.keys.iterdir()) == []
    assert ensure(bare).changed
