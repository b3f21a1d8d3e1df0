"""The timed rollback: armed before the swap, stopped by a confirmation, and what its script does if not."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from altnet.transaction import TransactionError, run

OLD = "session fra\nsession nyc\n"
NEW = "session fra\nsession nyc\n# new\n"
CONFIRM = {"timeout": 60}


def confirm(world, token):
    return run({"name": "fake", "_confirm": token}, {}, check_mode=False, host=world.host())


def timer_fires(world, *arguments):
    """Run the script as systemd would."""
    command = ["/bin/sh", str(world.state / "fake" / "rollback"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)


def boots(world):
    """Run the command of the boot unit, as systemd would on the way up: no daemon runs yet."""
    (world.fake / "active").unlink(missing_ok=True)
    (world.fake / "loaded").unlink(missing_ok=True)
    found = re.findall(r'^ExecStart=/bin/sh "(.*)" boot$', boot_unit(world)[0].read_text(), re.MULTILINE)
    assert found == [str(world.state / "fake" / "rollback")]
    return timer_fires(world, "boot")


def boot_unit(world):
    """Name the boot unit and the link that enables it."""
    name = "altnet-rollback-fake.boot.service"
    return world.units / name, world.units / "sysinit.target.wants" / name


def nothing_armed(world):
    return not any(os.path.lexists(path) for path in (*boot_unit(world), boot_unit(world)[1].parent))


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
    assert seen.index(f"temporary {boot_unit(world)[1]}") < seen.index("armed")
    final = confirm(world, result["confirm_token"])
    assert nothing_armed(world)
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
    assert nothing_armed(world)
    assert world.calls()[-1] == "systemctl daemon-reload"
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
    assert nothing_armed(world)


def test_the_boot_unit_is_early_and_only_for_a_boot(world):
    world.apply(OLD)
    world.apply(NEW, confirm=CONFIRM)
    unit, link = boot_unit(world)
    assert link.resolve() == unit
    lines = unit.read_text().splitlines()
    kept = world.state / "fake"
    for line in (
        "DefaultDependencies=no",
        f"ConditionPathExists=|{kept}/journal.json",
        f"ConditionPathExists=|{kept}/rollback.json",
        "ConditionPathExists=!/run/systemd/transient/altnet-rollback-fake.timer",
        "After=local-fs.target",
        "Before=sysinit.target network-pre.target systemd-sysctl.service shutdown.target fake.service",
        "Type=oneshot",
    ):
        assert line in lines


def test_a_reboot_before_the_confirmation_restores_everything(world):
    world.apply({world.conf: OLD, world.key: "old\n"})
    result = world.apply({world.conf: NEW, world.key: "new\n"}, confirm=CONFIRM)
    world.calls()
    done = boots(world)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (world.conf.read_text(), world.key.read_text()) == (OLD, "old\n")
    calls = world.calls()
    assert "systemctl start --no-block fake.service" in calls
    assert not [call for call in calls if "reload" in call and call != "systemctl daemon-reload"]
    assert nothing_armed(world)
    assert world.kept() == ["applied.json"]
    with pytest.raises(TransactionError, match="confirmed too late"):
        confirm(world, result["confirm_token"])
    assert not world.apply({world.conf: OLD, world.key: "old\n"})["changed"]


def test_a_reboot_takes_a_first_install_back_without_waiting_for_a_job(world):
    (world.fake / "absent").touch()
    unit = world.units / "fake.service"
    world.apply({world.conf: OLD, unit: "[Service]\n"}, confirm=CONFIRM)
    world.calls()
    assert boots(world).returncode == 0
    calls = world.calls()
    assert calls[:2] == ["systemctl stop --no-block fake.service", "systemctl disable fake.service"]
    assert not (world.root / "etc").exists()
    assert not unit.exists()
    assert nothing_armed(world)


def test_at_boot_a_set_without_a_unit_is_not_loaded(world):
    plain = {"unit": None, "check": [], "health": None}
    world.apply(OLD, **plain)
    world.apply(NEW, **plain, confirm=CONFIRM)
    world.calls()
    assert boots(world).returncode == 0
    assert world.conf.read_text() == OLD
    assert world.calls() == ["systemctl daemon-reload"]


def test_a_rollback_that_was_cut_off_is_finished_at_the_next_boot(world):
    world.apply(OLD)
    world.apply(NEW, confirm=CONFIRM)
    backup = next(path for path in (world.state / "fake").iterdir() if path.name.startswith("backup-"))
    (backup / "0").rename(backup / "hidden")
    assert timer_fires(world).returncode == 1
    assert boots(world).returncode == 1
    assert not nothing_armed(world)
    (backup / "hidden").rename(backup / "0")
    assert boots(world).returncode == 0
    assert world.conf.read_text() == OLD
    assert world.kept() == ["applied.json"]
    assert nothing_armed(world)


def test_removing_a_pending_set_removes_the_boot_unit(world):
    world.apply(OLD, confirm=CONFIRM)
    world.apply({}, state="absent")
    assert nothing_armed(world)
    assert not world.state.exists()


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
    assert nothing_armed(world)


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
    assert nothing_armed(world)


def test_killed_anywhere_with_a_timer_the_next_run_converges(world):
    world.settle = 0.0
    at = 0
    while True:
        world.apply(OLD)
        if not world.killed(at, NEW, confirm=CONFIRM):
            break
        if at % 3 and os.path.lexists(boot_unit(world)[1]):  # most times the timer or a boot was faster than we
            assert (timer_fires(world) if at % 3 == 1 else boots(world)).returncode == 0
            assert world.conf.read_text() == OLD
            assert nothing_armed(world)
        world.apply(NEW)
        assert world.conf.read_text() == world.loaded() == NEW
        assert world.kept() == ["applied.json"]
        assert nothing_armed(world)
        assert world.litter() == []
        at += 1
    assert at > 12
