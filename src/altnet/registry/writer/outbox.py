"""The list of names whose rows changed, and what became of them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, update

from ..domain.errors import RegistryError
from ..storage import projection
from ..storage.tables import outbox
from .wanted import Maker, Wanted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.store import Store

_MOST: Final = 2000
_ERROR_MAX: Final = 500
#: Seconds after which something is tried again, by how often it was: longest last.
BACKOFF: Final = (1, 2, 5, 10, 20, 30)


@dataclass
class Job:
    """A name, what it has to be, and the lines that say so."""

    wanted: Wanted
    lines: list[int]
    attempts: int
    kind: str = "domain"
    #: The serial that secondaries have to serve before the parent names the zone.
    serial: int | None = None
    since: float = 0.0
    #: The keys of the zone that is to go away; None where there is none of ours.
    going: tuple[str, ...] | None = None
    told: bool = False
    #: Its parent has something of it that only who reads the whole parent finds.
    whole: bool = False

    @property
    def last(self) -> int:
        """Its newest line, 0 without any."""
        return max(self.lines, default=0)

    @property
    def name(self) -> str:
        """The name."""
        return self.wanted.name


@dataclass
class Outbox:
    """The outbox, and the cheap look whether anything was written since the last one."""

    store: Store
    maker: Maker
    _look: Any = None
    _version: int = -1

    def changed(self) -> bool:
        """Say whether anybody wrote anything since the last call; SQLite says so for some microseconds."""
        if not self.store.sqlite:
            return True
        try:
            if self._look is None:
                self._look = self.store.engine.raw_connection()
            version = int(self._look.cursor().execute("PRAGMA data_version").fetchone()[0])
        except Exception:  # noqa: BLE001 - whatever the driver says, the reader will say it better
            self.close()
            return True
        before, self._version = self._version, version
        return version != before

    def close(self) -> None:
        """Close what is open."""
        look, self._look = self._look, None
        if look is not None:
            with contextlib.suppress(Exception):
                look.close()

    def due(self, now: datetime, known: Mapping[str, int]) -> list[Job]:
        """Return the names whose time has come, the oldest first, each once and as the rows have it at this moment.

        All lines of a name are its job's, those too that would wait: what is written later mends what was refused.
        ``known`` has the newest line of those that are under way: without a newer one they are left out.
        """
        newest = func.max(outbox.c.id)
        query = (
            select(outbox.c.zone, newest)
            .group_by(outbox.c.zone)
            .having(func.min(outbox.c.next_try) <= now)
            .order_by(func.min(outbox.c.id))
            .limit(_MOST)
        )
        with self.store.read() as connection:
            rows = connection.execute(query).all()
            names = [name for name, last in rows if known.get(name, -1) < last]
            return self.jobs(connection, names) if names else []

    def jobs(self, connection: Connection, names: Collection[str]) -> list[Job]:
        """Return jobs for names, with the lines that they have."""
        lines: dict[str, list[Any]] = {name: [] for name in names}
        for start in range(0, len(names), 500):
            part = list(names)[start : start + 500]
            query = select(outbox).where(outbox.c.zone.in_(part)).order_by(outbox.c.id)
            for row in connection.execute(query):
                lines[row.zone].append(row)
        kinds = {name: rows[0].kind if rows else _kind(name) for name, rows in lines.items()}
        served = projection.zones(connection, [name for name, kind in kinds.items() if kind != "prefix"])
        reverses = projection.reverses(connection) if "prefix" in kinds.values() else {}
        found = []
        for name, rows in lines.items():
            reverse = kinds[name] == "prefix"
            wanted = self.maker.reverse(name, reverses.get(name)) if reverse else self.maker.domain(served[name])
            attempts = min((row.attempts for row in rows), default=0)
            found.append(Job(wanted, [row.id for row in rows], attempts, kinds[name]))
        return found

    def done(self, jobs: Collection[Job]) -> None:
        """Forget the lines of jobs that are done; a line that came since stays."""
        numbers = [number for job in jobs for number in job.lines]
        if not numbers:
            return
        with self.store.write() as connection:
            for start in range(0, len(numbers), 500):
                connection.execute(delete(outbox).where(outbox.c.id.in_(numbers[start : start + 500])))

    def failed(self, errors: Mapping[str, tuple[Job, str]], now: datetime, *, wait: int | None = None) -> None:
        """Write down why jobs are not done, and when they are tried again."""
        if not any(job.lines for job, _ in errors.values()):
            return
        with self.store.write() as connection:
            for job, text in errors.values():
                seconds = wait if wait is not None else BACKOFF[min(job.attempts, len(BACKOFF) - 1)]
                values = {
                    "attempts": outbox.c.attempts + 1,
                    "next_try": now + timedelta(seconds=seconds),
                    "error": text[:_ERROR_MAX],
                }
                connection.execute(update(outbox).where(outbox.c.id.in_(job.lines)).values(values))

    def say(self, text: str) -> None:
        """Write a reason at every line, without counting it as an attempt: nobody could be asked."""
        with self.store.write() as connection:
            connection.execute(
                update(outbox).where(outbox.c.error != text[:_ERROR_MAX]).values(error=text[:_ERROR_MAX])
            )

    def lines(self) -> int:
        """Return how many lines there are."""
        with self.store.read() as connection:
            return len(connection.execute(select(outbox.c.id)).all())


def _kind(name: str) -> str:
    return "prefix" if name.endswith(".ip6.arpa.") else "domain"


def unavailable(error: Exception) -> bool:
    """Say whether the database is away, not wrong."""
    return isinstance(error, RegistryError) and error.kind == "unavailable"
