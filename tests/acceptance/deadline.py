"""What does not fit into the time that a machine gives: it is named, and never taken for something that passed.

``ACCEPTANCE_UNTIL`` is when the last test may begin, in seconds since 1970; without it every test runs, in the files'
own order. CI ends what takes longer than its time, and what it ends has proven nothing at all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import date

#: Files whose tests come after all others, each day another first: the runbooks' commands run the same playbooks as the
#: tests before them; failures are what `make drills` measures; keys and rolls have runbooks of their own, too.
LAST = ("test_g_runbooks", "test_i_rotation", "test_j_failures", "test_l_roll", "test_m_names_runbooks")
#: The tests that were not run.
LEFT: list[str] = []


def until() -> float | None:
    """Return when the last test may begin, None where there is time for all."""
    given = os.environ.get("ACCEPTANCE_UNTIL")
    return float(given) if given else None


def late() -> bool:
    """Return whether no further test is begun."""
    end = until()
    return end is not None and time.time() > end


def place(stem: str, day: date | None = None) -> int:
    """Return where a file's tests come: 0 for those that keep their place, else the later the higher."""
    if stem not in LAST:
        return 0
    turn = (day or date.today()).toordinal()
    return 1 + (LAST.index(stem) + turn) % len(LAST)


def told(left: Sequence[str]) -> list[str]:
    """Return the lines that say what was not run, by file, and how it is run."""
    files: dict[str, list[str]] = {}
    for node in left:
        path, _, test = node.partition("::")
        files.setdefault(path, []).append(test)
    lines = [f"{path}: {len(tests)}: {', '.join(tests)}" for path, tests in files.items()]
    return [*lines, "run them with `make acceptance`, or pytest and their files on a lab that is up"] if lines else []
