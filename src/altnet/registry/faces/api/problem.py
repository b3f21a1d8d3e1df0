"""Refusals as RFC 9457 has them: application/problem+json, with the faults and their remedies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from ...domain.errors import KINDS, Fault, RegistryError

MEDIA = "application/problem+json"
#: Where a kind of problem is explained; its last part is the kind.
TYPE = "/api/v1/problems/"
#: HTTP's own refusals, which no act knows.
HTTP: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "This cannot be read"),
    "method": (405, "This cannot be done with it"),
    "type": (415, "This is not in a form that is read here"),
    "internal": (500, "Something is broken here"),
}
ALL: Mapping[str, tuple[int, str]] = {**KINDS, **HTTP}
#: What is said of faults at once, and of one field's name: whoever sends a million gets a short answer too.
MOST, LONGEST = 50, 120


def problem(kind: str, faults: Iterable[Fault] = (), headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for one kind of problem."""
    status, title = ALL[kind]
    listed = list(faults)[:MOST]
    body = {
        "type": TYPE + kind,
        "title": title,
        "status": status,
        "detail": " ".join(map(str, listed)),
        "errors": [
            {"field": fault.field, "code": fault.code, "detail": fault.what, "remedy": fault.remedy} for fault in listed
        ],
    }
    more = {"WWW-Authenticate": 'Bearer realm="registry"'} if status == 401 else {}
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, {"Cache-Control": "no-store", **more, **(headers or {})}, MEDIA)


def refused(error: RegistryError) -> Response:
    """Return the answer for an act that was refused."""
    return problem(error.kind, error.faults, error.headers)


def malformed(what: str, remedy: str = "", *, code: str = "malformed") -> Response:
    """Return the answer for what cannot even be read."""
    return problem("malformed", (Fault("", code, what, remedy),))


def faults(errors: Sequence[Any]) -> tuple[Fault, ...]:
    """Return pydantic's complaints in our form; nothing of the input is said again but the names of its fields."""
    return tuple(_fault(error["loc"], error["type"], error["msg"]) for error in errors[:MOST])


def place(loc: Sequence[object]) -> str:
    """Return a path such as ``rrsets[2].ttl`` from pydantic's; where it was sent (body, path, query) is left out."""
    path = ""
    for part in loc[1:]:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    return path[:LONGEST]


#: pydantic's kinds of complaint in words of ours; the others are said as pydantic says them.
_WORDS = {
    "missing": ("it is missing", "send it"),
    "extra_forbidden": ("there is no such field", "look at /api/v1/openapi.json"),
    "string_unicode": ("it is no text", "send Unicode, without halves of surrogate pairs"),
}


def _fault(loc: Sequence[object], kind: str, message: str) -> Fault:
    if tuple(loc) == ("body",) and kind == "missing":
        return Fault("", "missing", "there is no body", "send one, with Content-Type: application/json")
    what, remedy = _WORDS.get(kind, (message.removeprefix("Value error, ").rstrip("."), ""))
    code = "value" if kind == "value_error" else kind.replace("_", "-")
    return Fault(place(loc), code, what[:1].lower() + what[1:], remedy)
