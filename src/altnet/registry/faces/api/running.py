"""What was done, and how the registry is: the audit log, the outbox, drift, servers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from ...acts import history, state
from ...domain.errors import refuse
from ...domain.model import Role
from . import answers, shapes
from .asked import Route
from .call import Caller
from .fields import Cursor, Filter, Limit

router = APIRouter(route_class=Route)
When = Annotated[datetime | None, Query(description="A time (RFC 3339); without its zone, in UTC.")]


@router.get("/audit", tags=["audit"], response_model=answers.Entries)
def list_audit(
    call: Caller,
    *,
    account: Filter = None,
    action: Filter = None,
    object: Filter = None,  # noqa: A002 - the field's name
    since: When = None,
    until: When = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Read the audit log. Operators all of it; members what was done with what is theirs."""
    page = history.listed(
        call.desk,
        call.actor,
        account=account,
        action=action,
        object=object,
        since=_utc(since),
        until=_utc(until),
        cursor=cursor,
        limit=limit,
    )
    return call.page([shapes.entry(one) for one in page.items], page.next)


@router.get("/audit/verification", tags=["audit"], response_model=answers.Verified)
def verify_audit(call: Caller) -> Response:
    """Verify the audit log's chain and heads; this reads all of it. Operators."""
    if not call.actor.may(Role.OPERATOR) or (call.actor.scope is not None and "full" not in call.actor.scope.verbs):
        raise refuse("forbidden", "only operators verify the audit log")
    problems = history.verify(call.desk)
    return call.show({"good": not problems, "problems": problems})


@router.get("/outbox", tags=["state"], response_model=answers.Observed)
def list_outbox(call: Caller) -> Response:
    """Read which zones wait to be written to the DNS. Operators."""
    return call.show({"items": shapes.plain(state.outbox(call.desk, call.actor))})


@router.get("/drift", tags=["state"], response_model=answers.Drift)
def get_drift(call: Caller) -> Response:
    """Read what the reconciler found last. Operators."""
    return call.show({"drift": shapes.plain(state.drift(call.desk, call.actor))})


@router.get("/servers", tags=["state"], response_model=answers.Observed)
def list_servers(call: Caller) -> Response:
    """Read how the name servers are. Operators."""
    return call.show({"items": shapes.plain(state.servers(call.desk, call.actor))})


def _utc(time: datetime | None) -> datetime | None:
    if time is None:
        return None
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise refuse("invalid", "this time is out of all bounds", at="since") from None
