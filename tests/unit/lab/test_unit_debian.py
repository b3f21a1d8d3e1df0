"""lab/unit-debian with an engine that only remembers: every test runs once, and a failure is one wherever it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = Path("tests/unit")
ENGINE = """#!/bin/sh
case "$1 $2" in
  'build '*|'exec -i'*) cat >/dev/null ;;
  'exec -w')
    printf '%s\\n' "$*" >>"$RECORD"
    case "$*" in
      *--ignore=*) echo 'rest: all of it'; exit "$REST" ;;
      *) sleep 0.3; echo 'first: all of it'; exit "$FIRST" ;;
    esac ;;
esac
"""


def run(directory: Path, *arguments: str, first: int = 0, rest: int = 0) -> tuple[int, str, list[list[str]]]:
    """Return the exit status, the output, and what pytest was run with."""
    for name, text in (("docker", ENGINE), ("git", "#!/bin/sh\n")):
        program = directory / name
        program.write_text(text)
        program.chmod(0o755)
    record = directory / "record"
    record.write_text("")
    done = subprocess.run(
        [ROOT / "lab/unit-debian", *arguments], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "RECORD": str(record),
             "FIRST": str(first), "REST": str(rest)},
    )  # fmt: skip
    lines = record.read_text().splitlines()
    return done.returncode, done.stdout + done.stderr, [line.partition("--durations=5 ")[2].split() for line in lines]


def test_two_parts_are_all_tests(tmp_path: Path) -> None:
    status, output, runs = run(tmp_path)
    assert status == 0
    first, rest = sorted(runs, key=lambda words: words[0] == str(TESTS))
    assert rest == [str(TESTS), *(f"--ignore={directory}" for directory in first)]
    for directory in first:
        assert (ROOT / directory).parent == ROOT / TESTS
        assert list((ROOT / directory).glob("test_*.py"))
    assert output.index("rest: all of it") < output.index("first: all of it")


@pytest.mark.parametrize(("first", "rest"), [(1, 0), (0, 2), (1, 1), (124, 0), (0, 124)])
def test_a_failure_in_either_part_is_one(tmp_path: Path, first: int, rest: int) -> None:
    status, output, _ = run(tmp_path, first=first, rest=rest)
    assert status in {first, rest} - {0}
    assert "first: all of it" in output
    assert "rest: all of it" in output
    assert ("ended after 900 seconds" in output) == (124 in {first, rest})


def test_what_is_named_runs_by_itself(tmp_path: Path) -> None:
    assert run(tmp_path, "tests/unit/bird", "-k", "daemon", first=1)[::2] == (1, [["tests/unit/bird", "-k", "daemon"]])


def test_no_directory_imports_another_ones_helpers() -> None:
    """Parts run in processes of their own: what one directory puts into Python's path the other does not have."""
    helpers = {path.stem: path.parent for path in (ROOT / TESTS).glob("*/*.py") if not path.stem.startswith("test_")}
    for path in (ROOT / TESTS).glob("*/*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1] in helpers:
                assert helpers[words[1]] == path.parent, f"{path}: {line}"
