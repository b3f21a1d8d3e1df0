"""Why a directory cannot be served: not there, or closed to Caddy somewhere on the way."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Collection
from pathlib import Path

USER = "caddy"


def who(user: str = USER) -> tuple[int, frozenset[int]]:
    """Return a user's number and groups. Raises KeyError for one that is not there."""
    found = pwd.getpwnam(user)
    return found.pw_uid, frozenset(os.getgrouplist(user, found.pw_gid))


def wrong(directory: Path, uid: int, groups: Collection[int]) -> str:
    """Say what is wrong with a directory, and how to mend it; empty where nothing is."""
    for path in (*reversed(directory.parents), directory):
        try:
            found = path.stat()
        except OSError:
            return f"{path} is not there. Remedy: make it, or correct the path"
        if not stat.S_ISDIR(found.st_mode):
            return f"{path} is no directory. Remedy: correct the path"
        needed = 0o5 if path == directory else 0o1
        if may(found, uid, groups) & needed != needed:
            verb = "read" if path == directory else "passed"
            return f"{path} cannot be {verb} by {USER}. Remedy: chmod o+{'rx' if verb == 'read' else 'x'} {path}"
    return ""


def may(found: os.stat_result, uid: int, groups: Collection[int]) -> int:
    """Return the three bits that a user has of a file."""
    if found.st_uid == uid:
        return found.st_mode >> 6 & 7
    return found.st_mode >> (3 if found.st_gid in groups else 0) & 7
