"""Acceptance tests that no longer fit are left out aloud: the real hooks, on tests that need no lab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from acceptance import deadline

ROOT = Path(__file__).parents[3]
TEST = "def test_one(): pass\ndef test_two(): pass\n"


def run(root: Path, until: float | None) -> subprocess.CompletedProcess[str]:
    """Run files of two tests each with the suite's hooks, and without its fixtures."""
    suite = root / "acceptance"
    suite.mkdir()
    for name in ("__init__", "deadline", "lab", "conftest"):
        shutil.copy(ROOT / "tests" / "acceptance" / f"{name}.py", suite)
    conftest = suite / "conftest.py"
    conftest.write_text(conftest.read_text().replace("autouse=True", "autouse=False"))
    for name in ("test_f_first", *deadline.LAST, "test_u_last"):
        (suite / f"{name}.py").write_text(TEST)
    environment = {**os.environ, "ACCEPTANCE_UNTIL": "" if until is None else str(until)}
    argv = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", root, suite]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=root)


@pytest.mark.parametrize("short", [False, True])
def test_all_run_and_some_come_last_where_the_time_is_short(tmp_path: Path, short: bool) -> None:
    done = run(tmp_path, time.time() + 600 if short else None)
    assert "14 passed" in done.stdout, done.stdout + done.stderr
    order = [line.split("::")[0].rpartition("/")[2] for line in done.stdout.splitlines() if " PASSED" in line]
    if short:
        assert order[:4] == ["test_f_first.py"] * 2 + ["test_u_last.py"] * 2
    else:
        assert order == sorted(order)
    assert "NOT RUN" not in done.stdout


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, time.time() - 1)
    assert "14 skipped" in done.stdout, done.stdout + done.stderr
    assert "NOT RUN: the time was over before 14 tests" in done.stdout
    assert "acceptance/test_f_first.py: 2: test_one, test_two" in done.stdout
    assert "`make acceptance`" in done.stdout


@pytest.mark.parametrize("stem", deadline.LAST)
def test_each_of_the_last_is_the_first_of_them_on_some_day(stem: str) -> None:
    days = [date(2026, 11, 28) + timedelta(number) for number in range(len(deadline.LAST))]
    assert sorted(deadline.place(stem, day) for day in days) == [1, 2, 3, 4, 5]
    assert deadline.place("test_a_second_run") == 0
