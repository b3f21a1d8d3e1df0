"""The timed rollback: armed before the swap, stopped by a confirmation, and what its script does if not."""

from __future__ import annotations

import subprocess

import pytest

from altnet.transaction import TransactionError, run

OLD = "session fra\nsession nyc\n"
NEW = "session fra\nsession nyc\n# new\n"
CONFIRM = {"timeout": 60}


def confirm(world, token):
    return run({"name": "fake", "_confirm": token}, {}, check_mode=False, host=world.host())


def timer_fires(world):
    """Run the script as systemd would."""
    script = world.state / "fake" / "rollback"
    return subprocess.run(["/bin/sh", str(script)], check=False, capture_output=True, text=True, timeout=20)


def test_the_timer_is_armed_before_the_swap_and_stopped_by_the_confirmation(world):
    world.apply(OLD)
    seen = []
    result = world.apply(NEW, confirm=CONFIRM, step=seen.append)
    assert seen.index("armed") < seen.index(f"swap {world.conf}")
    assert (result["confirm_pending"], result["phase"]) == (True, "confirm")
    assert world.kept()[:1] == ["applied.json"]
    assert "journal.json" in world.kept()
    armed = next(call for call in world.calls() if call.startswith("systemd-run"))
    assert "--unit=altnet-rollback-fake --on-active=60000ms --timer-property=AccuracySec=1s" in armed
    final = confirm(world, result["confirm_token"])
    assert (final["changed"], final["confirm_pending"]) == (True, False)
    assert "systemctl stop altnet-rollback-fake.timer altnet-rollback-fake.service" in world.calls()
    assert world.kept() == ["applied.json"]
    again = world.apply(NEW, confirm=CONFIRM)
    assert (again["changed"], again.get("confirm_token")) == (False, None)
    assert world.calls() == []


def test_unconfirmed_the_script_restores_everything(world):
    gone, fresh = world.conf.with_name("it's gone"), world.root / "etc" / "new dir" / "fresh"
    link = world.conf.with_name("link")
    world.apply({world.conf: OLD, gone: "g\n", link: "l\n"})
    link.unlink()
    link.symlink_to("else where")
    world.conf.chmod(0o640)
    result = world.apply({world.conf: NEW, fresh: "f\n", link: "l\n"}, confirm=CONFIRM)
    assert not gone.exists()
    fired = timer_fires(world)
    assert (fired.returncode, fired.stdout, fired.stderr) == (0, "", "")
    assert world.conf.read_text() == world.loaded() == OLD
    assert world.conf.stat().st_mode & 0o777 == 0o640
    assert gone.read_text() == "g\n"
    assert str(link.readlink()) == "else where"
    assert not fresh.parent.exists()
    assert world.litter() == []
    assert world.kept() == ["applied.json"]
    with pytest.raises(TransactionError, match="confirmed too late"):
        confirm(world, result["confirm_token"])
    assert world.apply({world.conf: NEW, fresh: "f\n", link: "l\n"})["changed"]
    assert world.conf.read_text() == NEW
    assert world.kept() == ["applied.json"]


def test_unconfirmed_first_install_is_taken_back(world):
    (world.fake / "absent").touch()
    unit = world.units / "fake.service"
    world.apply({world.conf: OLD, unit: "[Service]\n"}, confirm=CONFIRM)
    world.calls()
    assert timer_fires(world).returncode == 0
    calls = world.calls()
    assert calls.index("systemctl disable fake.service") < calls.index("systemctl daemon-reload")
    assert not (world.root / "etc").exists()
    assert not unit.exists()
    assert not (world.fake / "active").exists()
    assert world.kept() == []


def test_a_script_that_cannot_finish_leaves_its_journal_to_the_next_run(world):
    world.apply(OLD)
    world.apply(NEW, confirm=CONFIRM)
    backup = next(path for path in (world.state / "fake").iterdir() if path.name.startswith("backup-"))
    (backup / "0").rename(backup / "hidden")
    assert timer_fires(world).returncode == 1
    assert "rollback.json" in world.kept()
    (backup / "hidden").rename(backup / "0")
    result = world.apply(NEW)
    assert "an earlier run was interrupted" in result["reasons"][-1]
    assert world.kept() == ["applied.json"]
    assert world.loaded() == NEW


def test_a_run_before_the_timer_takes_over_and_stops_it(world):
    world.apply(OLD)
    pending = world.apply(NEW, confirm=CONFIRM)
    script = (world.state / "fake" / "rollback").read_text()
    world.calls()
    result = world.apply(NEW, confirm=CONFIRM)
    assert "an earlier run was interrupted" in result["reasons"][-1]
    assert "systemctl stop altnet-rollback-fake.timer altnet-rollback-fake.service" in world.calls()
    (world.state / "fake" / "rollback").write_text(script)  # the former script, had it been too late to stop
    assert timer_fires(world).returncode == 0
    assert world.conf.read_text() == NEW
    with pytest.raises(TransactionError, match="confirmed too late"):
        confirm(world, pending["confirm_token"])
    confirm(world, result["confirm_token"])
    assert not world.apply(NEW)["changed"]


def test_without_a_timer_nothing_is_touched(world):
    world.apply(OLD)
    (world.fake / "no-timers").touch()
    with pytest.raises(TransactionError, match="could not be armed, nothing was touched"):
        world.apply(NEW, confirm=CONFIRM)
    assert world.conf.read_text() == world.loaded() == OLD
    assert world.kept() == ["applied.json"]


def test_lost_health_is_rolled_back_at_once_and_the_timer_stopped(world):
    world.apply(OLD)
    world.calls()
    with pytest.raises(TransactionError, match="not healthy again: nyc"):
        world.apply("session fra\n", confirm=CONFIRM)
    calls = world.calls()
    stop = "systemctl stop altnet-rollback-fake.timer altnet-rollback-fake.service"
    assert calls.index("fakectl reload") < len(calls) - calls[::-1].index(stop)
    assert world.conf.read_text() == OLD
    assert world.kept() == ["applied.json"]


def test_killed_anywhere_with_a_timer_the_next_run_converges(world):
    world.settle = 0.0
    at = 0
    while True:
        world.apply(OLD)
        if not world.killed(at, NEW, confirm=CONFIRM):
            break
        if at % 2:  # every other time the timer was faster than we
            script = world.state / "fake" / "rollback"
            if script.exists():
                timer_fires(world)
                assert world.conf.read_text() == OLD
        world.apply(NEW)
        assert world.conf.read_text() == world.loaded() == NEW
        assert world.kept() == ["applied.json"]
        at += 1
    assert at > 12
