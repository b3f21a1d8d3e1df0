"""Groups, remembered for a moment: each request to a site asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

#: More people than are at the sites of one host within seconds; then the oldest are asked for anew.
MOST = 10_000


class DirectoryError(Exception):
    """No server of the directory answers."""


class Directory(Protocol):
    """What is asked of people. That it is LDAP is nobody else's business."""

    def authenticate(self, user: str, password: str) -> bool:
        """Say whether a password is a user's. Raises DirectoryError where nobody can tell."""

    def groups(self, user: str) -> frozenset[str] | None:
        """Return a user's groups, None for a user who is not there or locked. Raises DirectoryError."""


class People:
    """The directory with a short memory.

    What it said holds for ``recheck`` seconds: so long does somebody keep what was taken away. Where it says nothing,
    its last word holds for ``grace`` seconds more, so that sites outlive its restart.
    """

    def __init__(self, directory: Directory, recheck: float, grace: float, clock: Callable[[], float]) -> None:
        self.directory, self.recheck, self.grace, self.clock = directory, recheck, grace, clock
        self.known: dict[str, tuple[float, frozenset[str] | None]] = {}
        self.lock = threading.Lock()

    def groups(self, user: str) -> frozenset[str] | None:
        """Return a user's groups, None for one who is gone. Raises DirectoryError where nobody can tell any more."""
        now = self.clock()
        at, groups = self.known.get(user, (float("-inf"), None))
        if now - at < self.recheck:
            return groups
        try:
            found = self.directory.groups(user)
        except DirectoryError:
            if now - at < self.recheck + self.grace:
                return groups
            raise
        with self.lock:
            self.known.pop(user, None)
            self.known[user] = now, found
            while len(self.known) > MOST:
                del self.known[next(iter(self.known))]
        return found

    def forget(self, user: str) -> None:
        """Ask anew at the next request: somebody who has just logged in may have been given something."""
        with self.lock:
            self.known.pop(user, None)
