"""The audit log's heads that went into git: who changes the log has to change these too, and every clone of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...audit import heads
from ...domain.model import Head
from ...settings import Settings
from ...storage.snapshots import PUBLIC
from ...texts import paths
from .repository import Repository


def exported(settings: Settings) -> Iterator[Head]:
    """Yield the heads in the history of the repository here; none, where there is none."""
    place = Path(settings.git.place) / f"{PUBLIC}.git"
    if settings.git.place and place.exists():
        yield from (heads.parse(line) for line in Repository(place).versions(paths.HEAD))
