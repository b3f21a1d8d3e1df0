"""Verifies the audit log: its chain, the signatures of its heads, and the heads that went into git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..acts import history
from ..audit import heads
from ..domain.model import Head
from ..faces.git.repository import Repository
from ..reach import desk_of
from ..settings import Settings
from ..storage.snapshots import PUBLIC
from ..texts import paths


def main(settings: Settings, *files: str) -> int:
    """Print what is wrong, a line each, and return 1; or say that all is well.

    ``files`` hold heads that others have kept, a line each: from the DNS (``_audit.<tld>``), or somebody's own copy
    of the repository. A log that was cut together with all its heads here is found by these alone.
    """
    witnesses = [*_exported(settings), *_given(files)]
    key = settings.signing_key().public_key() if settings.signing_key_file else None
    problems = history.verify(desk_of(settings), key=key, witnesses=witnesses)
    for problem in problems:
        print(problem)  # noqa: T201
    if not problems:
        seen = f"{len(witnesses)} heads that others kept" if witnesses else "its own heads; nobody else has kept any"
        print(f"audit: the log is whole, and agrees with {seen}")  # noqa: T201
    return 1 if problems else 0


def _exported(settings: Settings) -> Iterator[Head]:
    """Yield the heads in the history of the repository."""
    place = Path(settings.git.place) / f"{PUBLIC}.git"
    if settings.git.place and place.exists():
        yield from (heads.parse(line) for line in Repository(place).versions(paths.HEAD))


def _given(files: tuple[str, ...]) -> Iterator[Head]:
    for file in files:
        yield from (heads.parse(line) for line in Path(file).read_text().splitlines() if line.strip())
