"""Brings all rows from another database here: from SQLite's file to PostgreSQL, or back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, insert, select, text

from ...errors import Problem
from ..settings import Settings, SettingsError
from ..storage import signin_tables as signin_tables  # noqa: PLC0414 - its tables are in the metadata then
from ..storage.store import Store
from ..storage.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

#: Rows that are read and written at once.
PART: Final = 1000
#: All tables are in it.
METADATA: Final = metadata


def main(settings: Settings, source: str) -> int:
    """Copy all rows from the database at an URL into ours, in one transaction; ours has to be empty.

    Print a line for each table. Nobody may write to the other one meanwhile: the registry is stopped.
    """
    here, there = Store.open(settings.database), Store.open(source)
    try:
        there.check()
        here.migrate()
        with there.read() as old, here.write() as new:
            for table in METADATA.sorted_tables:
                if _count(new, table):
                    raise _not_empty(table)
            for table in METADATA.sorted_tables:
                _copy(table, old, new)
                print(f"{table.name}: {_count(new, table)} rows")  # noqa: T201
    finally:
        here.close()
        there.close()
    return 0


def _copy(table: Table, old: Connection, new: Connection) -> None:
    rows = old.execution_options(yield_per=PART).execute(select(table)).mappings()
    for part in rows.partitions(PART):
        new.execute(insert(table), [dict(row) for row in part])
    counted = table.autoincrement_column
    if counted is not None and new.dialect.name == "postgresql":
        names = {"table": table.name, "column": counted.name}
        last = new.execute(select(func.max(counted))).scalar() or 0
        new.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :last, :used)"),
            {**names, "last": max(last, 1), "used": last > 0},
        )


def _count(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - a number
    return connection.execute(select(func.count()).select_from(table)).scalar()


def _not_empty(table: Table) -> SettingsError:
    what = f"has rows in {table.name} already, and nothing was copied"
    return SettingsError(Problem("", "registry_database", what, "name a database that is empty, or empty this one"))
