"""How the name servers stand to the registry: for operators."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from ..domain.model import Actor, Role
from ..domain.observed import DriftReport, OutboxLine, ServerState
from ..storage.tables import observations
from ..storage.tables import outbox as lines
from . import rights

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .desk import Desk


def outbox(desk: Desk, actor: Actor) -> list[OutboxLine]:
    """Return what the servers have not been told of yet, the oldest first, at most 1,000 lines."""
    rights.need(actor, Role.OPERATOR)
    with desk.store.read() as connection:
        found = connection.execute(select(lines).order_by(lines.c.id).limit(1000))
        return [
            OutboxLine(row.id, row.zone, row.kind, row.created, row.attempts, row.next_try, row.error) for row in found
        ]


def drift(desk: Desk, actor: Actor) -> DriftReport | None:
    """Return what the last comparison found; None before the first."""
    rights.need(actor, Role.OPERATOR)
    said, time = observed(desk, "drift")
    if said is None or time is None:
        return None
    return DriftReport(
        time, said["zones"], tuple(said["differences"]), said["repaired"], tuple(said["guarded"]), said["seconds"]
    )  # fmt: skip


def servers(desk: Desk, actor: Actor) -> list[ServerState]:
    """Return the name servers as they answered last."""
    rights.need(actor, Role.OPERATOR)
    said, time = observed(desk, "servers")
    if said is None or time is None:
        return []
    return [
        ServerState(
            one["address"], one["role"], time, one["answers"], one.get("zones"), one.get("behind"), one.get("error", "")
        )
        for one in said
    ]


def observed(desk: Desk, key: str) -> tuple[Any, datetime | None]:
    """Return what was written down last under a key, and when; (None, None) where nothing was."""
    with desk.store.read() as connection:
        row = connection.execute(select(observations).where(observations.c.key == key)).one_or_none()
    return (row.json, row.time) if row is not None else (None, None)


def observe(desk: Desk, key: str, said: object) -> None:
    """Write down what was seen: JSON, in place of what was there.

    ``drift``: an object with zones, differences, repaired, guarded, seconds. ``servers``: a list of objects with
    address, role, answers, zones, behind, error.
    """
    with desk.store.write() as connection:
        write(connection, key, said, desk.clock())


def write(connection: Connection, key: str, said: object, time: datetime) -> None:
    """Write an observation in a transaction of the caller's."""
    connection.execute(delete(observations).where(observations.c.key == key))
    connection.execute(insert(observations), {"key": key, "json": said, "time": time})
