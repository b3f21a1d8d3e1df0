"""lab/unit-debian with an engine that only remembers: every test runs once, and a failure is one wherever it is."""

from __future__ import annotations

import os
import re
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
      *tests/unit/wireguard*) sleep 0.3; echo 'daemons: all of it'; exit "$DAEMONS" ;;
      *) echo 'runs: all of it'; exit "$RUNS" ;;
    esac ;;
esac
"""


def run(
    directory: Path, *arguments: str, daemons: int = 0, runs: int = 0, rest: int = 0
) -> tuple[int, str, list[list[str]]]:
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
             "DAEMONS": str(daemons), "RUNS": str(runs), "REST": str(rest)},
    )  # fmt: skip
    lines = record.read_text().splitlines()
    return done.returncode, done.stdout + done.stderr, [line.partition("--durations=5 ")[2].split() for line in lines]


def test_three_parts_are_all_tests(tmp_path: Path) -> None:
    status, output, runs = run(tmp_path)
    assert status == 0
    *beside, rest = sorted(runs, key=lambda words: (words[0] == str(TESTS), "tests/unit/wireguard" not in words))
    named = [directory for words in beside for directory in words]
    assert rest == [str(TESTS), *(f"--ignore={directory}" for directory in named)]
    assert (len(beside), len(set(named))) == (2, len(named)), "no test runs twice"
    for directory in named:
        assert (ROOT / directory).parent == ROOT / TESTS
        assert list((ROOT / directory).glob("test_*.py"))
    places = [output.index(f"{part}: all of it") for part in ("rest", "daemons", "runs")]
    assert places == sorted(places)


def test_what_shares_something_outside_python_is_in_one_part(tmp_path: Path) -> None:
    """As pytest-xdist has it in one worker."""
    _, _, runs = run(tmp_path)
    groups: dict[str, set[int]] = {}
    for path in (ROOT / TESTS).glob("*/test_*.py"):
        part = [number for number, words in enumerate(runs) if str(path.parent.relative_to(ROOT)) in words]
        for group in re.findall(r'xdist_group\("([^"]+)"\)', path.read_text()):
            groups.setdefault(group, set()).update(part or [-1])
    assert "directory-real" in groups
    assert {group: parts for group, parts in groups.items() if len(parts) > 1} == {}


@pytest.mark.parametrize(
    ("daemons", "runs", "rest"),
    [(1, 0, 0), (0, 1, 0), (0, 0, 2), (1, 1, 1), (124, 0, 0), (0, 124, 0), (0, 0, 124)],
)
def test_a_failure_in_any_part_is_one(tmp_path: Path, daemons: int, runs: int, rest: int) -> None:
    status, output, _ = run(tmp_path, daemons=daemons, runs=runs, rest=rest)
    assert status in {daemons, runs, rest} - {0}
    for part in ("daemons", "runs", "rest"):
        assert f"{part}: all of it" in output
    assert ("ended after 900 seconds" in output) == (124 in {daemons, runs, rest})


def test_what_is_named_runs_by_itself(tmp_path: Path) -> None:
    status, _, runs = run(tmp_path, "tests/unit/bird", "-k", "daemon", runs=1)
    assert (status, runs) == (1, [["tests/unit/bird", "-k", "daemon"]])


def test_no_directory_imports_another_ones_helpers() -> None:
    """Parts run in processes of their own: what one directory puts into Python's path the other does not have."""
    helpers = {path.stem: path.parent for path in (ROOT / TESTS).glob("*/*.py") if not path.stem.startswith("test_")}
    for path in (ROOT / TESTS).glob("*/*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["from"], ["import"]) and words[1] in helpers:
                assert helpers[words[1]] == path.parent, f"{path}: {line}"
