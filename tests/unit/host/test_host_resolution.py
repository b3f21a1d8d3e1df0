"""What a host's own resolution was, before and after the role has written it."""

from __future__ import annotations

from pathlib import Path

import pytest

from altnet.host.resolution import before, nameservers


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/altnet").mkdir(parents=True)
    return tmp_path


def test_a_file(root: Path) -> None:
    write(root, "etc/resolv.conf", "# mine\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n")
    assert before(root) == "# mine\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"
    assert nameservers(root) == ["192.0.2.1", "192.0.2.2"]


def test_what_the_role_kept_goes_before_what_it_wrote(root: Path) -> None:
    write(root, "etc/altnet/resolv.conf.before", "nameserver 192.0.2.1\n")
    write(root, "etc/resolv.conf", "nameserver fd12:3456:789a::2:53\n")
    assert nameservers(root) == ["192.0.2.1"]


@pytest.mark.parametrize("link", ["../run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/stub-resolv.conf"])
def test_in_place_of_systemd_resolved_the_servers_it_asks(root: Path, link: str) -> None:
    write(root, "run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n")
    write(root, "run/systemd/resolve/resolv.conf", "nameserver 198.51.100.1\n")
    (root / "etc/resolv.conf").symlink_to(link)
    assert before(root) == f"# link to {link}\n"
    assert nameservers(root) == ["198.51.100.1"]
    # After the role has replaced the link.
    write(root, "etc/altnet/resolv.conf.before", before(root))
    (root / "etc/resolv.conf").unlink()
    write(root, "etc/resolv.conf", "nameserver fd12:3456:789a::2:53\n")
    assert nameservers(root) == ["198.51.100.1"]


def test_nothing_at_all(root: Path) -> None:
    assert (before(root), nameservers(root)) == ("", [])


def test_a_link_to_nowhere(root: Path) -> None:
    (root / "etc/resolv.conf").symlink_to("../run/gone")
    assert (before(root), nameservers(root)) == ("# link to ../run/gone\n", [])
