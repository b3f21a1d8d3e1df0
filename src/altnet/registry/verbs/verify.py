"""Verifies the audit log: its chain, the signatures of its heads, and the heads that went into git."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ..acts import history
from ..audit import heads
from ..domain.model import Head
from ..faces.git.witnesses import exported
from ..reach import desk_of
from ..settings import Settings


def main(settings: Settings, *files: str) -> int:
    """Print what is wrong, a line each, and return 1; or say that all is well.

    ``files`` hold heads that others have kept, a line each: from the DNS (``_audit.<tld>``), or somebody's own copy
    of the repository; ``-`` is standard input. A log that was cut together with all its heads here is found by these
    alone.
    """
    witnesses = [*exported(settings), *_given(files)]
    problems = history.verify(desk_of(settings), key=settings.verifying_key(), witnesses=witnesses)
    for problem in problems:
        print(problem)  # noqa: T201
    if not problems:
        seen = f"{len(witnesses)} heads that others kept" if witnesses else "its own heads; nobody else has kept any"
        print(f"audit: the log is whole, and agrees with {seen}")  # noqa: T201
    return 1 if problems else 0


def _given(files: tuple[str, ...]) -> Iterator[Head]:
    for file in files:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        yield from (heads.parse(line) for line in text.splitlines() if line.strip())
