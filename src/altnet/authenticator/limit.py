"""How often a password may be wrong, by user and by client, before nobody is asked any more."""

from __future__ import annotations

from typing import Protocol


class Bounds(Protocol):
    """How many may be wrong within ``failures_window`` seconds."""

    @property
    def failures_user(self) -> int:
        """Of one user."""

    @property
    def failures_client(self) -> int:
        """From one address."""

    @property
    def failures_window(self) -> int:
        """Seconds."""


class Failures(Protocol):
    """Where failures are remembered, so that a restart forgets none."""

    def fail(self, whose: tuple[str, ...], now: float) -> None:
        """Remember one."""

    def failures(self, whose: str, since: float) -> list[float]:
        """Return when they were, the oldest first."""

    def forgive(self, whose: str, since: float = 0.0) -> None:
        """Forget those since a moment."""


class Limit:
    """Counts failures in a sliding window. It is the same for users that do not exist: nobody learns which do."""

    def __init__(self, store: Failures, settings: Bounds) -> None:
        self.store, self.window = store, settings.failures_window
        self.user, self.client = settings.failures_user, settings.failures_client

    def wait(self, user: str, client: str, now: float) -> int:
        """Return for how many seconds no password is tried; 0 where one may be."""
        times = (self._wait(f"user {user}", self.user, now), self._wait(f"client {client}", self.client, now))
        return max(times)

    def _wait(self, whose: str, most: int, now: float) -> int:
        found = self.store.failures(whose, now - self.window)
        return 0 if len(found) < most else max(1, int(found[-most] + self.window - now) + 1)

    def failed(self, user: str, client: str, now: float) -> None:
        """Count one."""
        self.store.fail((f"user {user}", f"client {client}"), now)

    def passed(self, user: str, client: str, now: float) -> None:
        """Forget the user's failures; of the client's only this try: it may guess at others' passwords too."""
        self.store.forgive(f"user {user}")
        self.store.forgive(f"client {client}", now)

    def untried(self, user: str, client: str, now: float) -> None:
        """Take one back: nobody could say whether the password was wrong."""
        self.store.forgive(f"user {user}", now)
        self.store.forgive(f"client {client}", now)
