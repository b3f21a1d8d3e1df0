"""What was done with what is yours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import history
from ...domain.model import Entry
from .view import Member

router = APIRouter()
_LONGEST = 300


@router.get("/activity")
def activity(view: Member) -> Response:
    """List the audit log's entries about the reader and what is theirs."""
    about = view.query("object")
    page = history.listed(
        view.desk, view.actor, account=view.actor.uid, object=about or None, cursor=view.query("cursor") or None
    )
    return view.page("activity.html", page=page, entries=page.items, said=said, about=about)


def said(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield an entry's detail as lines that people read."""
    for key, value in entry.detail.items():
        text = ", ".join(map(_words, value)) if isinstance(value, list | tuple) else _words(value)
        if text:
            yield key.replace("_", " "), text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _words(value: Any) -> str:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        if {"name", "type", "records"} <= set(value):
            return f"{value['name']} {value.get('ttl', '')} {value['type']} {'; '.join(map(str, value['records']))}"
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items() if part not in (None, "", [], ()))
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
