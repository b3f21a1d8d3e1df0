"""Fills an empty primary with the registry's zones: for an operator, after ``site.yml --tags names``."""

from __future__ import annotations

from ..acts import history
from ..audit import heads
from ..reach import desk_of
from ..settings import Settings
from ..writer import build
from ..writer.rebuild import Rebuild


def main(settings: Settings) -> int:
    """Make what is missing and say what took how long; 1 where something is left."""
    desk, parts = desk_of(settings), build.parts(settings)
    head = history.head(desk)
    report = Rebuild(desk.store, parts.maker, parts.primary, parts.watch).run(head, heads.text(head) if head else "")
    for line in report.lines():
        print(line)  # noqa: T201
    return 1 if report.problems else 0
