"""Lists, a part at a time: a cursor says after which row the next one goes on, so that nothing is skipped or twice."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import tuple_

from ..domain.errors import refuse
from ..domain.model import Page
from ..storage.columns import Moment

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Select

T = TypeVar("T")
LIMIT_MAX: Final = 200


def turn(
    connection: Connection,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    make: Callable[[Row[Any]], T],
    *,
    cursor: str | None,
    limit: int,
    newest_first: bool = False,
) -> Page[T]:
    """Return a page of ``query``, ordered by ``keys``, which together are unique and among its columns.

    Raises RegistryError("invalid") for a cursor that is none of ours and a limit that is not 1 to :data:`LIMIT_MAX`.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise refuse("invalid", f"A page has 1 to {LIMIT_MAX} lines", "ask for fewer", at="limit", code="limit")
    if cursor is not None:
        after = _decode(cursor, keys)
        place = tuple_(*keys)
        query = query.where(place < after if newest_first else place > after)
    query = query.order_by(*(key.desc() if newest_first else key for key in keys)).limit(limit + 1)
    rows = connection.execute(query).all()
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return Page(tuple(make(row) for row in rows[:limit]), _encode(last, keys) if last is not None else None)


def _encode(row: Row[Any], keys: Sequence[ColumnElement[Any]]) -> str:
    values = []
    for key in keys:
        value = row._mapping[key]
        values.append(int(value.timestamp()) if hasattr(value, "timestamp") else value)
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def _decode(cursor: str, keys: Sequence[ColumnElement[Any]]) -> Any:  # noqa: ANN401
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        values = json.loads(raw)
        if not isinstance(values, list) or len(values) != len(keys):
            raise ValueError(cursor)
        return tuple(_value(value, key) for value, key in zip(values, keys, strict=True))
    except (ValueError, binascii.Error, OverflowError, OSError, TypeError):
        raise refuse(
            "invalid", "This cursor is none of the registry's", "begin again without one", at="cursor", code="cursor"
        ) from None


def _value(value: object, key: ColumnElement[Any]) -> Any:  # noqa: ANN401
    """Return a cursor's value as its column holds it; raise ValueError where it holds no such thing."""
    if isinstance(key.type, Moment):
        if type(value) is not int:
            raise ValueError(value)
        return datetime.fromtimestamp(value, UTC)
    if type(value) is not key.type.python_type or (type(value) is int and abs(value) >= 2**63):
        raise ValueError(value)
    if isinstance(value, str) and not sayable(value):
        raise ValueError("no database can look for that")
    return value


def sayable(text: str) -> bool:
    """Say whether a database can be asked for a text: PostgreSQL has no NUL, and UTF-8 no half of a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
