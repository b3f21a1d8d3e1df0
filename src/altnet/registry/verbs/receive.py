"""Takes a push: git runs it as a hook of the public repository, in the portal's own place and rights."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..faces.git.pushed import ACTOR, actor_here, judge
from ..faces.git.repository import Repository
from ..reach import desk_of
from ..settings import Settings


def main(settings: Settings, new: str) -> int:
    """Take the commit that git asks about; only the portal says who it is from."""
    if ACTOR not in os.environ:
        print("Push by https: the registry has to know who you are.", file=sys.stderr)  # noqa: T201
        return 1
    repository = Repository(Path(os.environ["GIT_DIR"]).resolve())
    return judge(desk_of(settings), repository, actor_here(), new)
