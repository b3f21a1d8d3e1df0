"""The database: opened, read, and written by one at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import IntegrityError as IntegrityError  # noqa: PLC0414  # acts take it from here
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..domain.errors import RegistryError, refuse
from . import schema

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

#: How long a writer waits for another one, in seconds.
WAIT: Final = 10
#: The advisory lock of PostgreSQL that every writer takes: the audit log has one end, and writers stand in line for it.
LOCK: Final = 0x616C746E6574
#: How PostgreSQL lets a reader see one state of everything.
_READING: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

#: The whole that what runs is a part of (:meth:`Store.whole`).
_within: ContextVar[tuple[Store | None, Connection | None]] = ContextVar("within", default=(None, None))


@dataclass
class Store:
    """The registry's database.

    Writers stand in line, on SQLite by its own lock (BEGIN IMMEDIATE), on PostgreSQL by an advisory lock that ends
    with the transaction. So what a writer reads stays true until it commits, and nobody has to try again.
    """

    engine: Engine
    _line: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, url: str) -> Store:
        """Return the store at an SQLAlchemy URL (``sqlite:////path``, ``postgresql://...``); asks nobody yet."""
        place = make_url(url)
        if place.get_backend_name() == "sqlite":
            _make_private(place.database)
            engine = create_engine(place, connect_args={"timeout": WAIT}, pool_size=8, max_overflow=56)
            event.listen(engine, "connect", _prepare_sqlite)
            return cls(engine)
        if place.get_driver_name() != "psycopg":
            place = place.set(drivername="postgresql+psycopg")
        options = f"-c lock_timeout={WAIT}s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
        return cls(
            create_engine(
                place,
                connect_args={"connect_timeout": 3, "options": options},
                pool_pre_ping=True,
                pool_size=8,
                max_overflow=24,
                pool_timeout=WAIT,
            )
        )

    @property
    def sqlite(self) -> bool:
        """Say whether it is a file of SQLite's."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def whole(self) -> Iterator[Connection]:
        """Have everything that is read and written within be one transaction: several acts, all or none of them."""
        with self.write() as connection:
            token = _within.set((self, connection))
            try:
                yield connection
            finally:
                _within.reset(token)

    def _outer(self) -> Connection | None:
        """Return the connection of the whole that this is a part of, if it is one."""
        store, connection = _within.get()
        return connection if store is self else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of everything, for as long as it is open.

        Raises RegistryError("unavailable") where the database does not answer.
        """
        if (outer := self._outer()) is not None:
            yield outer
            return
        with self._connection({} if self.sqlite else _READING) as connection:
            if self.sqlite:
                # Straight to the driver: every request has one, and it takes no lock, so that nothing can be wrong.
                connection.connection.cursor().execute("BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection that alone may write, and commit at the end, or nothing where something was raised.

        Do nothing slow in it: all writers wait. Raises RegistryError("unavailable") where the database does not
        answer, or others write for longer than :data:`WAIT` seconds; where it went away in the commit itself nobody
        knows whether that was done, and the caller asks again under the same idempotency key.
        """
        if (outer := self._outer()) is not None:
            yield outer
            return
        with self._turn(), self._connection({}) as connection, connection.begin():
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield connection

    def migrate(self) -> None:
        """Bring the schema up to this code's; raises RegistryError("unavailable") where it is newer than the code."""
        with self.write() as connection:
            schema.upgrade(connection)

    def check(self) -> None:
        """Raise RegistryError("unavailable"), with the remedy, where the schema is not this code's."""
        with self.read() as connection:
            schema.check(connection)

    def close(self) -> None:
        """Close what is open."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let this process's threads write in turn: SQLite's own waiting is by looking again and again."""
        if not self.sqlite:
            with nullcontext():
                yield
            return
        if not self._line.acquire(timeout=WAIT):
            raise _unavailable()
        try:
            yield
        finally:
            self._line.release()

    @contextmanager
    def _connection(self, options: dict[str, Any]) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**options) if options else connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise _unavailable() from error
        except (DataError, UnicodeEncodeError, OverflowError) as error:
            # Half a character, a NUL, a number of 65 bits: faces may let them through, no database holds them.
            what = "Something in this has characters or numbers that cannot be kept"
            raise refuse("invalid", what, "leave them out", code="characters") from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_broken(error):
                raise _unavailable() from error
            raise


def _is_broken(error: DBAPIError) -> bool:
    """Say whether the database itself is at fault (a damaged file), not what it was asked."""
    return type(error) is DatabaseError and not isinstance(error, ProgrammingError)


def _unavailable() -> RegistryError:
    return refuse(
        "unavailable",
        "The registry's database does not answer",
        "try again in a minute; what is registered keeps working",
    )


def _make_private(path: str | None) -> None:
    """Make a database's file, for its owner alone: keys are in it. SQLite gives its other files the same mode."""
    if path and path != ":memory:":
        # Whatever is wrong with the place is said when the database is asked.
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401, ARG001
    # The driver would begin transactions by itself, when it sees fit. Store does; not by a listener of SQLAlchemy's for
    # "begin", since an engine that has such ones looks for them at every statement.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={WAIT * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
