"""kill -9 at every boundary, and a run after it: nothing half written, the old reference, the new set."""

from __future__ import annotations

import itertools
import json
import os
import time

import pytest

from altnet.transaction import TransactionError

OLD = "session fra\nsession nyc\n"
NEW = "session fra\nsession nyc\n# new\n"


class Case:
    """Old and new sets that touch, add and remove files."""

    def __init__(self, world):
        self.world = world
        self.gone = world.conf.with_name("gone.conf")
        self.fresh = world.root / "etc" / "fresh" / "fresh.conf"
        self.old = {world.conf: OLD, world.key: "key old\n", self.gone: "gone\n"}
        self.new = {world.conf: NEW, world.key: "key new\n", self.fresh: "fresh\n"}

    def whole(self):
        """No file is anything but old or new."""
        for path in {**self.old, **self.new}:
            text = path.read_text() if path.exists() else None
            assert text in {self.old.get(path), self.new.get(path)}

    def is_set(self, wanted):
        for path in {**self.old, **self.new}:
            assert (path.read_text() if path.exists() else None) == wanted.get(path)
        assert self.world.loaded() == wanted[self.world.conf]
        assert self.world.litter() == []
        assert self.world.kept() == ["applied.json"]
        assert not self.world.apply(wanted)["changed"]


@pytest.fixture
def case(world):
    world.settle = 0.0
    return Case(world)


def steps(world, files, **changes) -> list[str]:
    """Name every boundary of a run."""
    names: list[str] = []
    world.apply(files, step=names.append, **changes)
    return names


def every_step(case, run, then, stride=1):
    """For each boundary: from the old set, ``run`` killed there, then ``then``."""
    at = 0
    while True:
        case.world.apply(case.old)
        if not run(at):
            return at
        case.whole()
        then(at)
        at += stride


def test_the_boundaries_have_names(case):
    case.world.apply(case.old)
    names = steps(case.world, case.new)
    wanted = [
        "staged",
        "checked",
        "backed up",
        "journal",
        f"swap {case.gone}",
        "swapped",
        "loaded",
        "healthy",
    ]
    assert [name for name in names if name in wanted] == wanted
    assert names[-2:] == ["recorded", "closed"]


def test_killed_anywhere_the_same_run_converges(case):
    def again(_at):
        result = case.world.apply(case.new)
        if "an earlier run was interrupted" in " ".join(result["reasons"]):
            assert result["healthy_before"] == ["fra", "nyc"]
        case.is_set(case.new)

    assert every_step(case, lambda at: case.world.killed(at, case.new), again) > 15


def test_killed_anywhere_the_old_set_can_be_had_back(case):
    def back(_at):
        case.world.apply(case.old)
        case.is_set(case.old)

    every_step(case, lambda at: case.world.killed(at, case.new), back, stride=2)


def test_killed_while_installing_first_then_removed(world):
    files = {world.conf: OLD, world.key: "key\n"}
    at = 0
    while world.killed(at, files):
        world.apply(files, state="absent")
        assert not (world.root / "etc").exists()
        assert not world.state.exists()
        assert not (world.fake / "active").exists()
        assert not (world.fake / "enabled").exists()
        at += 1
    assert at > 12


def test_killed_anywhere_in_the_rollback_or_in_the_recovery(case):
    """The new set never gets healthy: killed in swap, rollback or the recovery after, the old one wins."""
    case.world.extra["health"] = {**case.world.params({})["health"], "timeout": 0.05}
    broken = {**case.new, case.world.conf: "session fra\n"}

    def recover(at):
        case.world.killed(at % 9, case.new)  # a second kill, in the recovery
        case.world.apply(case.new)
        case.is_set(case.new)

    case.whole = lambda: None
    assert every_step(case, lambda at: case.world.killed(at, broken), recover, stride=2) > 20


def test_the_journals_baseline_is_the_reference(case):
    """Killed after the new set cost a session: the half-done state is not taken for the normal one."""
    case.world.apply(case.old)
    names: list[str] = []
    lossy = {**case.new, case.world.conf: "session fra\n"}
    with pytest.raises(TransactionError):
        case.world.apply(lossy, step=names.append)
    assert case.world.killed(names.index("loaded") + 1, lossy)
    assert case.world.loaded() == "session fra\n"
    with pytest.raises(TransactionError, match="not healthy again: nyc"):
        case.world.apply(lossy)
    case.is_set(case.old)


def test_check_mode_after_a_kill_tells_the_truth_and_touches_nothing(case):
    case.world.apply(case.old)
    real = steps(case.world, case.new)
    case.world.apply(case.old)
    assert case.world.killed(real.index("swapped"), case.new)
    before = {path: path.read_bytes() for path in case.world.root.rglob("*") if path.is_file()}
    before.pop(case.world.fake / "calls")
    dry = case.world.apply(case.new, check_mode=True)
    case.world.calls()
    assert before == {path: path.read_bytes() for path in case.world.root.rglob("*") if path.is_file()}
    assert dry["changed"]
    wet = case.world.apply(case.new)
    assert dry["diff"] == wet["diff"]


def test_a_refused_candidate_after_a_kill_keeps_the_baseline(case):
    case.world.apply(case.old)
    names = steps(case.world, case.new)
    case.world.apply(case.old)
    assert case.world.killed(names.index("loaded"), case.new)
    for _ in range(2):
        with pytest.raises(TransactionError, match="refused"):
            case.world.apply({**case.new, case.world.conf: "bad\n"})
        assert case.world.loaded() == OLD
    result = case.world.apply(case.new)
    assert result["healthy_before"] == ["fra", "nyc"]
    case.is_set(case.new)


def test_a_damaged_journal_is_not_guessed_at(case):
    case.world.apply(case.old)
    journal = case.world.state / "fake" / "journal.json"
    journal.write_text(json.dumps({"schema": 1, "token": "00"}))
    with pytest.raises(TransactionError, match=r"journal\.json, the journal of an interrupted run"):
        case.world.apply(case.new)


def test_two_runs_do_not_interleave(world):
    world.apply(OLD)
    marks = world.root / "marks"

    def mark(name):
        with marks.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        time.sleep(0.005)

    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            try:
                world.apply(f"{OLD}# {number}\n", step=mark)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    seen = marks.read_text().split()
    assert len(set(seen)) == 3
    assert len([one for one, other in itertools.pairwise(seen) if one != other]) == 2
