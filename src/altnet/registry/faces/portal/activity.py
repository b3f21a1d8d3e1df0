"""What was done with what is yours."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import history
from .deeds import deed, said
from .view import Member

router = APIRouter()


@router.get("/activity")
def activity(view: Member) -> Response:
    """List the audit log's entries about the reader and what is theirs."""
    about = view.query("object")
    page = history.listed(
        view.desk, view.actor, account=view.actor.uid, object=about or None, cursor=view.query("cursor") or None
    )
    return view.page("activity.html", page=page, entries=page.items, deed=deed, said=said, about=about)
