"""How the tables hold times and structures: the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    _Moment = TypeDecorator[datetime]
    _Json = TypeDecorator[Any]
else:
    _Moment = _Json = TypeDecorator


class Moment(_Moment):
    """A time, in whole seconds since 1970: it sorts, compares and means the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Refuse a time without a zone: nobody knows when that is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return int(value.timestamp())

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:  # noqa: ARG002
        """Return what returns it in UTC: one call for each of a list's many times."""
        return _moment


class Json(_Json):
    """A structure, as JSON's text with its keys sorted; a tuple comes back as a list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write it."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:  # noqa: ARG002
        """Return what reads it."""
        return _structure


def _moment(value: int | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)


def _structure(value: str | None) -> Any:  # noqa: ANN401 - JSON
    return None if value is None else json.loads(value)
