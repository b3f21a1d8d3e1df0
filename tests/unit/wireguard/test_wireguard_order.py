"""What the probe says of fulfilled keys and tunnels: that they stand, and by what they no longer do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from wireguard_fakes import FakeHost, entry, key

from altnet.errors import AltnetError
from altnet.wireguard import keys, order
from altnet.wireguard.tunnels import Wish, reconcile

TWO = [entry(), entry("nyc", 3, endpoint=None, keepalive=25)]


@pytest.fixture
def up(host: FakeHost) -> FakeHost:
    """A host with keys and tunnels as they were ordered."""
    wish = Wish(paths=host.paths, pending=("an0-sin",))
    keys.ensure(host, host.paths, [0], prune=False, check_mode=False)
    order.keep_keys(host.paths, "k1", [0], prune=False)
    reconcile(host, TWO, wish)
    order.keep_tunnels("t1", TWO, wish)
    for interface in host.interfaces:
        host.shake_hands(interface)
    host.log.clear()
    return host


def stand(host: FakeHost) -> tuple[str | None, str | None]:
    found = []
    for judge in (order.keys_stand, order.tunnels_stand):
        try:
            answer = judge(host, host.paths)
        except (AltnetError, OSError, ValueError):
            answer = None
        found.append(answer and answer[0])
    return found[0], found[1]


def test_both_stand_with_the_answers_of_another_run(up: FakeHost) -> None:
    told = order.keys_stand(up, up.paths)
    again = keys.ensure(up, up.paths, [0], prune=False, check_mode=False)
    assert told == ("k1", again.result(up.paths))
    told = order.tunnels_stand(up, up.paths)
    done = reconcile(up, TWO, Wish(paths=up.paths, pending=("an0-sin",)))
    assert told == ("t1", {**done.result(), "pending": ["an0-sin"], "warnings": list(done.warnings)})
    assert [argv for argv in up.changing if argv != ("wg", "pubkey")] == []


def test_no_secret_is_kept(up: FakeHost) -> None:
    kept = "".join(path.read_text() for path in up.paths.orders.iterdir())
    secrets = [up.paths.key(0).read_text().strip(), *(one["preshared_key"] for one in TWO)]
    assert not [secret for secret in secrets if secret in kept]


def write(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "wreck",
    [
        lambda host: host.interfaces.pop("an0-fra"),
        lambda host: setattr(host.interfaces["an0-fra"], "up", False),
        lambda host: setattr(host.interfaces["an0-fra"], "port", 4711),
        lambda host: setattr(host.interfaces["an0-fra"], "private", key("other")),
        lambda host: setattr(host.units["wg-quick@an0-fra.service"], "enabled", "disabled"),
        lambda host: host.paths.conf("an0-fra").unlink(),
        lambda host: host.paths.conf("an0-fra").chmod(0o644),
        lambda host: write(host.paths.conf("an0-fra"), TWO[0]["preshared_key"], key("another pair")),
        lambda host: (host.paths.orders / "tunnels.json").unlink(),
    ],
    ids=["device", "link", "port", "private key", "unit", "conf", "conf's mode", "pair key in conf", "order"],
)
def test_a_difference_ends_the_tunnels_order(up: FakeHost, wreck: Callable[[FakeHost], object]) -> None:
    wreck(up)
    assert stand(up) == ("k1", None)


def test_a_key_that_is_gone_ends_both(up: FakeHost) -> None:
    up.paths.key(0).unlink()
    assert stand(up) == (None, None)


def test_a_key_that_others_may_read_ends_its_order(up: FakeHost) -> None:
    up.paths.key(0).chmod(0o644)
    assert stand(up) == (None, "t1")


def test_what_check_mode_excuses_is_not_excused(up: FakeHost) -> None:
    up.installed = False
    assert stand(up) == (None, None)


def test_a_surplus_key_ends_an_order_to_prune(up: FakeHost) -> None:
    up.born(1)
    assert stand(up)[0] == "k1"
    order.keep_keys(up.paths, "k2", [0], prune=True)
    assert stand(up)[0] is None


def test_without_a_name_the_order_is_forgotten(up: FakeHost) -> None:
    order.keep_keys(up.paths, None, [0], prune=False)
    assert stand(up) == (None, "t1")
    order.forget(up.paths, "keys", "tunnels")
    assert not up.paths.orders.exists()
