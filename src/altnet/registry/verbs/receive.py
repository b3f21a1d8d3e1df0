"""Takes a push: git runs it as a hook of the public repository, in the portal's own place and rights."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..faces.git.pushed import ACTOR, actor_here, serve
from ..faces.git.repository import Repository
from ..reach import desk_of
from ..settings import Settings


def main(settings: Settings) -> int:
    """Take what git hands over; only the portal says who it is from."""
    if ACTOR not in os.environ:
        print("Push by https: the registry has to know who you are.", file=sys.stderr)  # noqa: T201
        return 1
    repository = Repository(Path(os.environ["GIT_DIR"]).resolve())
    return serve(desk_of(settings), repository, actor_here(), sys.stdin.buffer, sys.stdout.buffer)
