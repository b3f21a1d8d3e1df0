"""Orders kept on a host, and the question which of them stand."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from altnet.host.orders import Order, keep, recall
from altnet.host.standing import Once, Places, standing
from altnet.wireguard.model import Paths
from altnet.wireguard.runner import Done

ORDER = Order("f1", {"mtu": 1420, "list": [1, 2]})


def test_kept_and_recalled(tmp_path: Path) -> None:
    path = tmp_path / "new" / "order.json"
    keep(path, ORDER)
    assert recall(path) == ORDER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["order.json"]


def test_the_same_order_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    keep(path, ORDER)
    inode = path.stat().st_ino
    keep(path, ORDER)
    assert path.stat().st_ino == inode
    keep(path, Order("f1", {"files": {"owner": "root", "mode": "0600"}}))
    inode = path.stat().st_ino
    keep(path, Order("f1", {"files": {"mode": "0600", "owner": "root"}}))
    assert path.stat().st_ino == inode
    keep(path, Order("f2", ORDER.params))
    assert recall(path) == Order("f2", ORDER.params)
    keep(path, None)
    keep(path, None)
    assert recall(path) is None


def test_what_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keep(tmp_path / "file" / "order.json", ORDER)
    assert recall(tmp_path / "file" / "order.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 2, "fingerprint": "f", "params": {}}'])
def test_a_damaged_order_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "order.json"
    path.write_text(text)
    assert recall(path) is None


class Counting:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def run(self, argv: tuple[str, ...], stdin: str | None = None) -> Done:
        self.asked.append(tuple(argv))
        return Done(0, stdin or "answer")


def test_every_question_is_asked_once() -> None:
    counting = Counting()
    once = Once(counting)
    assert once.run(("ip", "addr")) == once.run(["ip", "addr"]) == Done(0, "answer")
    assert once.run(("wg", "pubkey"), "a").out != once.run(("wg", "pubkey"), "b").out
    assert counting.asked == [("ip", "addr"), ("wg", "pubkey"), ("wg", "pubkey")]


def test_nothing_stands_on_a_new_host(tmp_path: Path) -> None:
    assert standing(Counting(), Paths(orders=tmp_path), Places(tmp_path / "transaction")) == {}


def test_an_order_of_an_odd_shape_does_not_stand(tmp_path: Path) -> None:
    keep(tmp_path / "keys.json", Order("f", {}))
    keep(tmp_path / "tunnels.json", Order("f", {"mtu": 1, "backend": "auto", "userspace_allowed": True, "pending": 7}))
    keep(tmp_path / "transaction" / "host" / "order.json", Order("f", {"asked": {"name": 5}, "contents": {}}))
    assert standing(Counting(), Paths(orders=tmp_path), Places(tmp_path / "transaction")) == {}
