"""What the probe says of a fulfilled transaction: that it stands, and by what it no longer does."""

from __future__ import annotations

import fcntl
import json
import os

import pytest

from altnet.transaction import TransactionError, order

GOOD = "session fra\nsession nyc\n"
MORE = GOOD + "session sin\n"
ITEM = r"^(?P<item>\S+) BGP Established"


@pytest.fixture
def served(world):
    """A world whose set was applied under a fingerprint, and stands."""
    world.apply(GOOD, _order="f1", drift=[["cat", str(world.root / "drift")]])
    assert standing(world) == "f1"
    return world


def standing(world) -> str | None:
    try:
        found = order.stands("fake", world.state)
    except (TransactionError, OSError):
        return None
    assert found is None or not found[1]["changed"]
    return found and found[0]


def test_the_answer_is_that_of_another_run(served) -> None:
    fingerprint, result = order.stands("fake", served.state)
    again = served.apply(GOOD, _order="f1", drift=[["cat", str(served.root / "drift")]])
    assert (fingerprint, result) == ("f1", again)
    assert order.names(served.state) == ["fake"]


def test_asking_changes_nothing(served) -> None:
    before = sorted((str(path), path.stat().st_mtime_ns) for path in served.root.rglob("*") if path.is_file())
    served.calls()
    order.stands("fake", served.state)
    assert served.calls() == []
    after = sorted((str(path), path.stat().st_mtime_ns) for path in served.root.rglob("*") if path.is_file())
    assert [entry for entry in after if "calls" not in entry[0]] == [e for e in before if "calls" not in e[0]]


@pytest.mark.parametrize(
    "wreck",
    [
        lambda world: world.conf.write_text(GOOD + "# by hand\n"),
        lambda world: world.conf.chmod(0o600),
        lambda world: world.conf.unlink(),
        lambda world: (world.root / "drift").write_text("other\n"),
        lambda world: (world.state / "fake" / "applied.json").unlink(),
        lambda world: (world.state / "fake" / "order.json").write_text("{"),
        lambda world: (world.state / "fake" / "order.json").unlink(),
        lambda world: world.killed(6, MORE),
    ],
    ids=["content", "mode", "gone", "drift", "record", "damaged order", "no order", "killed run"],
)
def test_a_difference_ends_it(served, wreck) -> None:
    wreck(served)
    assert standing(served) is None


def test_a_stopped_unit_ends_it(served) -> None:
    (served.fake / "active").unlink()
    assert standing(served) is None


def test_another_run_under_way_is_not_waited_for(served) -> None:
    descriptor = os.open(served.state / "fake", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(TransactionError, match="another run"):
            order.stands("fake", served.state)
    finally:
        os.close(descriptor)


def test_only_what_was_carried_out_is_remembered(world) -> None:
    world.apply(GOOD, _order="f1", check_mode=True)
    assert order.names(world.state) == []
    world.apply(GOOD, _order="f1")
    world.apply(MORE, _order="f2", check_mode=True)
    assert standing(world) == "f1"
    world.apply(MORE, _order="f2")
    assert standing(world) == "f2"
    world.apply(MORE)
    assert order.names(world.state) == [], "an order without a name is none"


def test_a_refused_set_leaves_the_former_order(served) -> None:
    with pytest.raises(TransactionError):
        served.apply("bad word\n", _order="f2", drift=[["cat", str(served.root / "drift")]])
    assert standing(served) == "f1"


def test_absent_forgets(served) -> None:
    served.apply({}, state="absent")
    assert served.kept() == []


def test_contents_and_former_health_are_not_kept(world) -> None:
    health = {"command": ["fakectl", "sessions"], "healthy": ITEM, "timeout": 0.3, "before": ["fra"]}
    world.apply({world.conf: GOOD, world.key: "hRt7vQwLz0dK3mPx\n"}, _order="f1", health=health)
    text = (world.state / "fake" / "order.json").read_text()
    assert "hRt7" not in text
    assert "session fra" not in text
    assert json.loads(text)["params"]["asked"]["health"]["before"] == []


def test_a_sensitive_file_has_no_digest_and_ends_the_order_all_the_same(world) -> None:
    files = {world.conf: GOOD, world.key: "hRt7vQwLz0dK3mPx\n"}
    world.apply(files, _order="f1")
    kept = json.loads((world.state / "fake" / "order.json").read_text())["params"]["contents"]
    assert kept[str(world.key)] is None
    assert len(kept[str(world.conf)]) == 64
    assert standing(world) == "f1"
    world.key.write_text("changed by hand\n")
    assert standing(world) is None
