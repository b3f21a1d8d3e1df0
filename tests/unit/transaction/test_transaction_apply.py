"""The common path: four steps, reasons, diffs, check mode, absence."""

from __future__ import annotations

import json
import resource
import stat

import pytest

from altnet.transaction import TransactionError

SECRET = "PrivateKey = hRt7vQwLz0dK3mPx9sYbNc5e"


def headers(result):
    return [entry.get("after_header", entry.get("prepared")) for entry in result["diff"]]


def test_four_steps(world):
    files = {world.conf: "session fra\n", world.key: SECRET}
    dry = world.apply(files, check_mode=True)
    assert dry["changed"]
    assert dry["phase"] == "checked"
    assert sorted(path.name for path in world.root.iterdir()) == ["bin", "fake"]  # nothing left behind
    wet = world.apply(files)
    assert wet["diff"] == dry["diff"]
    assert (wet["changed"], wet["phase"], wet["healthy_after"]) == (True, "recorded", ["fra"])
    assert stat.S_IMODE(world.key.stat().st_mode) == 0o600
    assert world.kept() == ["applied.json"]
    assert stat.S_IMODE((world.state / "fake").stat().st_mode) == 0o700
    world.calls()
    for check_mode in (True, False):
        again = world.apply(files, check_mode=check_mode)
        assert (again["changed"], again["diff"], again["phase"]) == (False, [], "compared")
        assert world.calls() == []


def test_a_running_daemon_is_reloaded_not_restarted(world):
    world.apply("session fra\n")
    world.calls()
    world.apply("session fra\nsession nyc\n")
    calls = world.calls()
    assert "fakectl reload" in calls
    assert not [call for call in calls if "start" in call or "enable" in call]
    assert world.loaded() == "session fra\nsession nyc\n"


@pytest.mark.parametrize(
    ("spoil", "shown"),
    [
        (lambda w: w.conf.unlink(), "fake.conf"),
        (lambda w: w.conf.chmod(0o666), "fake.conf (owner and mode)"),
        (lambda w: w.conf.write_text("by hand\n"), "fake.conf"),
        (lambda w: (w.conf.unlink(), w.conf.symlink_to("/etc/hostname")), "fake.conf"),
        (lambda w: (w.state / "fake" / "applied.json").unlink(), "no earlier success"),
        (lambda w: (w.state / "fake" / "applied.json").write_text("{"), "no earlier success"),
        (lambda w: (w.fake / "active").unlink(), "is not running (inactive)"),
        (lambda w: (w.fake / "enabled").unlink(), "is not enabled (disabled)"),
        (lambda w: (w.fake / "failed").touch(), "is not running (failed)"),
        (lambda w: (w.fake / "loaded").write_text("by hand\n"), "live drift"),
    ],
)
def test_wrecked_states_are_seen_and_mended(world, spoil, shown):
    world.extra["drift"] = [["fakectl", "rules"]]
    world.apply("session fra\n")
    spoil(world)
    for check_mode in (True, False):
        result = world.apply("session fra\n", check_mode=check_mode)
        assert result["changed"]
        assert shown in " ".join(headers(result))
    assert world.conf.read_text() == "session fra\n"
    assert not world.conf.is_symlink()
    assert world.loaded() == "session fra\n"
    assert not world.apply("session fra\n")["changed"]


def test_litter_of_a_killed_check_is_swept(world):
    world.apply("session fra\n")
    (world.state / "fake" / "stage" / "etc").mkdir(parents=True)
    (world.state / "fake" / "backup-00").mkdir()
    assert not world.apply("session fra\n")["changed"]
    assert world.kept() == ["applied.json"]


def test_a_file_of_the_former_set_is_removed(world):
    extra = world.conf.with_name("extra.conf")
    world.apply({world.conf: "session fra\n", extra: "x\n"})
    result = world.apply("session fra\n")
    assert not extra.exists()
    assert result["diff"][0]["after_header"] == f"{extra} (removed)"
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("x\n", "")


def test_sensitive_contents_are_in_no_diff_even_when_removed(world):
    dry = world.apply({world.conf: "a\n", world.key: SECRET}, check_mode=True)
    world.apply({world.conf: "a\n", world.key: SECRET})
    changed = world.apply({world.conf: "a\n", world.key: SECRET + "x"})
    removed = world.apply("a\n")
    text = json.dumps([dry, changed, removed])
    assert SECRET.removeprefix("PrivateKey = ") not in text
    assert "(sensitive: contents hidden, changed)" in text


def test_mode_and_content_changes_are_shown(world):
    world.apply("session fra\n")
    world.conf.chmod(0o600)
    (entry,) = world.apply("session fra\n", check_mode=True)["diff"]
    assert entry["before"].strip().endswith("0600")
    assert entry["after"].strip().endswith("0644")


def test_bytes_that_are_not_text_have_a_digest_in_the_diff(world):
    world.conf.parent.mkdir(parents=True)
    world.conf.write_bytes(b"\xff\x00")
    result = world.apply("session fra\n", check_mode=True)
    assert "2 bytes, not text, SHA-256" in result["diff"][0]["before"]


def test_without_unit_only_files_and_reload(world):
    world.apply("a\n", unit=None, health=None, check=[])
    assert world.calls() == ["fakectl reload"]
    assert not world.apply("a\n", unit=None, health=None, check=[])["changed"]


def test_a_changed_unit_file_means_daemon_reload_and_restart(world):
    unit = world.units / "fake.service"
    (world.fake / "absent").touch()
    world.apply({world.conf: "session fra\n", unit: "[Service]\n"})
    calls = world.calls()
    assert calls.index("systemctl daemon-reload") < calls.index("systemctl enable -- fake.service")
    world.apply({world.conf: "session fra\n", unit: "[Service]\nNice=1\n"})
    calls = world.calls()
    assert calls.index("systemctl daemon-reload") < calls.index("systemctl restart -- fake.service")
    assert "fakectl reload" not in calls


def test_a_drop_in_means_restart_another_units_file_does_not(world):
    world.apply("session fra\n")
    world.calls()
    world.apply({world.conf: "session fra\n", world.units / "fake.service.d" / "x.conf": "a\n"})
    assert "systemctl restart -- fake.service" in world.calls()
    world.apply(
        {
            world.conf: "session fra\n",
            world.units / "fake.service.d" / "x.conf": "a\n",
            world.units / "other.service": "b\n",
        }
    )
    calls = world.calls()
    assert "systemctl daemon-reload" in calls
    assert "systemctl restart -- fake.service" not in calls


def test_another_unit_takes_over(world):
    world.apply("session fra\n", unit="old.service")
    world.calls()
    result = world.apply("session fra\n")
    assert "the set's unit was old.service, is fake.service" in result["reasons"]
    assert "systemctl disable --now -- old.service" in world.calls()
    assert not world.apply("session fra\n")["changed"]


def test_a_masked_unit_is_refused_before_anything(world):
    (world.fake / "masked").touch()
    with pytest.raises(TransactionError, match="masked"):
        world.apply("session fra\n")
    assert not world.conf.exists()


def test_a_missing_unit(world):
    (world.fake / "absent").touch()
    assert "unit fake.service is not installed yet" in world.apply("a\n", check_mode=True)["not_checked"]
    with pytest.raises(TransactionError, match=r"there is no unit fake\.service"):
        world.apply("a\n")
    assert not world.conf.exists()


def test_a_missing_checker_is_a_note_in_check_mode_and_else_an_error(world):
    check = [["/nowhere/checker", "{stage}/x"]]
    dry = world.apply("a\n", check=check, check_mode=True)
    assert dry["not_checked"] == ["`/nowhere/checker /x`: /nowhere/checker is not installed yet"]
    with pytest.raises(TransactionError, match="not on this host"):
        world.apply("a\n", check=check)
    assert not world.conf.exists()


def test_a_missing_user_is_a_note_in_check_mode_and_else_an_error(world):
    params = world.params({world.conf: ""})
    params["files"][0]["owner"] = "nobody-of-this-name"
    world.extra["files"] = params["files"]
    dry = world.apply("a\n", check_mode=True)
    assert dry["not_checked"] == ["files[0].owner: user nobody-of-this-name does not exist yet"]
    with pytest.raises(TransactionError, match=r"files\[0\].owner: there is no user nobody-of-this-name"):
        world.apply("a\n")


def test_a_directory_in_the_way(world):
    world.conf.mkdir(parents=True)
    with pytest.raises(TransactionError, match="is a directory"):
        world.apply("a\n")


def test_a_file_that_finds_no_space_is_named_and_nothing_is_touched(world):
    """The limit on a file's size stands in for a full disk: the write fails as it does there, and after open()."""
    world.apply("session fra\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(TransactionError) as caught:
            world.apply("session fra\n" * 3000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert f"{world.conf.name}: File too large" in str(caught.value)
    assert "`df -h /" in str(caught.value)
    assert world.conf.read_text() == "session fra\n"
    assert world.apply("session fra\n" * 3000)["changed"]


def test_checker_refuses_and_shows_the_line(world):
    world.apply("session fra\n")
    world.calls()
    for check_mode in (True, False):
        with pytest.raises(TransactionError) as caught:
            world.apply("session fra\nbad router id\n", check_mode=check_mode)
        text = str(caught.value)
        assert f"{world.conf}:2:1 syntax error" in text
        assert f"{world.conf}:2: bad router id" in text
        assert "the live service was not touched" in text
        assert "stage" not in text
        assert caught.value.facts["command"] == ["fakectl", "check", str(world.conf)]
    assert world.conf.read_text() == "session fra\n"
    assert world.kept() == ["applied.json"]
    assert {call[:14] for call in world.calls()} == {"fakectl check "}


def test_a_checker_that_quotes_a_secret_is_masked(world):
    check = [["fakectl", "check", "{stage}" + str(world.key)]]
    with pytest.raises(TransactionError) as caught:
        world.apply({world.conf: "a\n", world.key: "bad key = hRt7vQwLz0dK3mPx\n"}, check=check)
    assert "hRt7vQwLz0dK3mPx" not in str(caught.value) + json.dumps(caught.value.facts)
    assert "(sensitive: line hidden)" in str(caught.value)


def test_absent_removes_everything_and_is_idempotent(world):
    unit = world.units / "fake.service"
    files = {world.conf: "session fra\n", unit: "[Service]\n"}
    world.apply(files)
    dry = world.apply(state="absent", check_mode=True)
    assert dry["changed"]
    assert world.conf.exists()
    world.calls()
    gone = world.apply(state="absent")
    assert gone["diff"] == dry["diff"]
    assert world.calls() == [
        "systemctl stop -- fake.service",
        "systemctl disable -- fake.service",
        "systemctl reset-failed -- fake.service",
        "systemctl daemon-reload",
    ]
    assert not world.conf.parent.exists()  # we had created it
    assert not world.state.exists()
    for check_mode in (True, False):
        assert not world.apply(state="absent", check_mode=check_mode)["changed"]
    assert not world.state.exists()


def test_absent_leaves_directories_of_others(world):
    world.conf.parent.mkdir(parents=True)
    world.apply("a\n", health=None)
    world.apply(state="absent")
    assert world.conf.parent.exists()
    assert not world.conf.exists()
