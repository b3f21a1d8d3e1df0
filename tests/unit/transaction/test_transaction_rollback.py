"""Loss of health, a failing reload, a full disk: the previous set is back and the message says so."""

from __future__ import annotations

import json

import pytest

from altnet.transaction import TransactionError

GOOD = "session fra\nsession nyc\n"


def fails(world, files, **changes):
    with pytest.raises(TransactionError) as caught:
        world.apply(files, **changes)
    return caught.value


def test_a_lost_session_brings_the_previous_set_back(world):
    world.apply(GOOD)
    error = fails(world, "session fra\n")
    text = str(error)
    assert error.phase == "health"
    assert "healthy before, not healthy again: nyc" in text
    assert "the previous set is back in place" in text
    assert "fake[1]: the last line of the log" in text
    assert f"Restored: {world.conf}." in text
    assert "Now: fake.service is active (running), enabled." in text
    assert "Healthy before: fra, nyc; healthy now: fra, nyc." in text
    assert error.facts["restored"] == [str(world.conf)]
    assert error.facts["diff"]
    assert world.conf.read_text() == world.loaded() == GOOD
    assert world.kept() == ["applied.json"]
    assert not world.apply(GOOD)["changed"]


@pytest.mark.parametrize(
    ("expect", "passes"),
    [(["fra"], True), (["fra", "new"], True), ([], True), (["nyc"], False), (None, False)],
)
def test_items_removed_on_purpose_are_not_missed(world, expect, passes):
    world.apply(GOOD)
    health = {**world.params({})["health"], "expect": expect}
    if passes:
        assert world.apply("session fra\n", health=health)["healthy_after"] == ["fra"]
    else:
        assert "not healthy again: nyc" in str(fails(world, "session fra\n", health=health))


def test_what_was_down_before_is_not_asked_for(world):
    world.apply(GOOD)
    (world.fake / "down-nyc").touch()
    result = world.apply(GOOD + "# comment\n", health={**world.params({})["health"], "expect": ["fra", "nyc"]})
    assert (result["healthy_before"], result["healthy_after"]) == (["fra"], ["fra"])


def test_what_a_neighbour_broke_a_moment_ago_is_asked_for(world):
    """Another host was given the same bad set first: here the sessions are down already when the swap begins."""
    world.apply(GOOD)
    for name in ("fra", "nyc"):
        (world.fake / f"down-{name}").touch()
    bad = "# the same bad set\n" + GOOD
    health = {**world.params({})["health"], "expect": ["fra", "nyc"], "before": ["fra", "nyc", "gone"], "timeout": 2}
    assert "not healthy again: fra, nyc" in str(fails(world, bad, health=health))
    assert world.conf.read_text() == GOOD


def test_a_failing_reload_brings_the_previous_set_back(world):
    world.apply(GOOD)
    error = fails(world, GOOD + "noreload\n")
    assert error.phase == "reload"
    assert "`fakectl reload` failed with exit code 3" in str(error)
    assert "will not reload" in error.facts["output"]
    assert world.conf.read_text() == world.loaded() == GOOD
    assert not world.apply(GOOD)["changed"]


def test_first_install_that_fails_leaves_nothing(world):
    error = fails(world, "crash\n")
    assert error.phase == "reload"
    assert "cannot live with this" in str(error)
    assert not world.conf.parent.exists()
    assert world.kept() == []
    left = {path.name for path in world.fake.iterdir()} - {"calls", "units"}
    assert left == set()  # neither active, nor enabled, nor failed


def test_first_install_over_a_packages_files_restores_them(world):
    world.conf.parent.mkdir(parents=True)
    world.conf.write_text("from the package\n")
    world.conf.chmod(0o640)
    for name in ("active", "enabled"):
        (world.fake / name).touch()
    error = fails(world, "noreload\n")
    assert world.conf.read_text() == world.loaded() == "from the package\n"
    assert world.conf.stat().st_mode & 0o777 == 0o640
    assert error.facts["unit_state"] == "active (running), enabled"


def test_a_crash_loop_without_baseline_is_not_a_loaded_daemon(world):
    (world.fake / "looping").touch()
    error = fails(world, "no sessions\n")
    assert "fake.service does not stay up" in str(error)
    assert not world.conf.exists()


def test_without_baseline_a_loaded_daemon_is_enough(world):
    assert world.apply("no sessions\n")["healthy_after"] == []


def test_a_health_command_that_fails(world):
    health = {"command": ["false"], "timeout": 0.1}
    assert "the health command fails with exit code 1" in str(fails(world, "a\n", health=health))
    health = {"command": ["/nowhere/ctl"], "timeout": 0.1}
    assert "command not found" in str(fails(world, "a\n", health=health))


def test_a_set_that_is_in_place_but_never_was_healthy_is_loaded_again(world):
    world.conf.parent.mkdir(parents=True)
    world.conf.write_text(GOOD)
    result = world.apply(GOOD)
    assert result["changed"]
    assert result["changed_files"] == []
    assert world.loaded() == GOOD


def test_sessions_that_do_not_come_back_after_the_rollback_mean_another_load(world):
    """The old set is loaded, but was not seen healthy: its digest does not count any more."""
    world.apply(GOOD)
    path = world.fake / "down-nyc"

    def cut(name):
        if name == "swapped":
            path.touch()

    error = fails(world, GOOD + "# x\n", step=cut)
    assert "healthy now: fra." in str(error)
    result = world.apply(GOOD)
    assert result["reasons"] == ["the set was not healthy when it was loaded last"]
    assert result["healthy_after"] == ["fra"]
    assert not world.apply(GOOD)["changed"]


def test_a_file_that_cannot_be_written(world):
    world.apply(GOOD)
    other = world.root / "etc" / "zz" / "b.conf"

    def break_it(name):
        if name == f"swap {other}":
            (world.root / "etc" / "zz").write_text("in the way")

    error = fails(world, {world.conf: GOOD + "x\n", other: "b\n"}, step=break_it)
    assert error.phase == "swap"
    assert world.conf.read_text() == GOOD


def test_a_removed_unit_of_another_name_comes_back(world):
    world.apply(GOOD, unit="old.service")
    world.calls()
    fails(world, GOOD + "crash\n")
    assert "systemctl enable --now -- old.service" in world.calls()


def test_secrets_are_in_no_failure(world):
    secret = "hRt7vQwLz0dK3mPx9sYbNc5e"
    world.apply({world.conf: GOOD, world.key: f"key = {secret}\n"})
    health = {"command": ["cat", str(world.key), "/nowhere"], "timeout": 0.1}
    error = fails(world, {world.conf: GOOD, world.key: f"key = x{secret}\n"}, health=health)
    assert secret not in str(error) + json.dumps(error.facts)
    assert "key = (hidden)" in str(error)
