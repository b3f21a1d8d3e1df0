"""Verifies the audit log: its chain, and the signed heads."""

from __future__ import annotations

from ..acts import history
from ..reach import desk_of
from ..settings import Settings


def main(settings: Settings) -> int:
    """Print what is wrong, a line each, and return 1; or say that all is well."""
    problems = history.verify(desk_of(settings))
    for problem in problems:
        print(problem)  # noqa: T201
    if not problems:
        print("audit: the chain is whole, and agrees with its signed heads")  # noqa: T201
    return 1 if problems else 0
