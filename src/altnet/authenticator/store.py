"""What has to survive a restart: sessions, codes that were used, passwords that were wrong. In SQLite.

Of a session's secret only its digest is kept: whoever reads the file cannot become anybody.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .seals import digest, random

SCHEMA = """
create table if not exists session (
  secret text primary key, site text not null, user text not null, login text not null, until real not null
) without rowid;
create index if not exists session_login on session (login);
create table if not exists used (code text primary key, until real not null) without rowid;
create table if not exists failure (whose text not null, at real not null);
create index if not exists failure_whose on failure (whose, at);
"""


@dataclass(frozen=True)
class Session:
    """Somebody at one site; at the login page's own, ``login`` names this session to those that come of it."""

    user: str
    login: str
    until: float


class Store:
    """The file; may be used by several threads."""

    def __init__(self, path: Path | str) -> None:
        self.lock = threading.Lock()
        self.base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.base.execute("pragma journal_mode = wal")
        self.base.execute("pragma synchronous = normal")
        self.base.executescript(SCHEMA)

    @contextmanager
    def _in_turn(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            yield self.base

    def begin(self, site: str, user: str, login: str, until: float) -> str:
        """Make a session and return its secret."""
        secret = random()
        with self._in_turn() as base:
            base.execute("insert into session values (?, ?, ?, ?, ?)", (digest(secret), site, user, login, until))
        return secret

    def session(self, site: str, secret: str, now: float) -> Session | None:
        """Return the session of a secret at a site."""
        if not secret:
            return None
        with self._in_turn() as base:
            row = base.execute(
                "select user, login, until from session where secret = ? and site = ? and until > ?",
                (digest(secret), site, now),
            ).fetchone()
        return Session(*row) if row else None

    def end(self, login: str) -> None:
        """End a login with all sessions that came of it on this host."""
        with self._in_turn() as base:
            base.execute("delete from session where login = ?", (login,))

    def end_of(self, user: str) -> None:
        """End all sessions of somebody who is no longer there."""
        with self._in_turn() as base:
            base.execute("delete from session where user = ?", (user,))

    def use(self, code: str, until: float) -> bool:
        """Use a code; False where it was used before."""
        with self._in_turn() as base:
            done = base.execute("insert or ignore into used values (?, ?)", (code, until))
            return done.rowcount == 1

    def fail(self, whose: tuple[str, ...], now: float) -> None:
        """Remember a wrong password."""
        with self._in_turn() as base:
            base.executemany("insert into failure values (?, ?)", [(one, now) for one in whose])

    def failures(self, whose: str, since: float) -> list[float]:
        """Return when passwords were wrong, oldest first."""
        with self._in_turn() as base:
            rows = base.execute("select at from failure where whose = ? and at > ? order by at", (whose, since))
            return [float(at) for (at,) in rows]

    def forgive(self, whose: str, since: float = 0.0) -> None:
        """Forget what was wrong since a moment."""
        with self._in_turn() as base:
            base.execute("delete from failure where whose = ? and at >= ?", (whose, since))

    def tidy(self, now: float, window: float) -> None:
        """Remove what nobody asks for any more."""
        with self._in_turn() as base:
            base.execute("delete from session where until <= ?", (now,))
            base.execute("delete from used where until <= ?", (now,))
            base.execute("delete from failure where at <= ?", (now - window,))

    def close(self) -> None:
        """Close the file."""
        with self._in_turn() as base:
            base.close()
