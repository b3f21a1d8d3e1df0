"""The files that pages use: style, script, picture."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from . import look

router = APIRouter()
_KEPT = "public, max-age=31536000, immutable"


@router.get("/static/{name}")
def static(name: str, v: str = "") -> Response:
    """Return one of the known files; for a year, where it is asked for by its version."""
    path = look.files().get(name)
    if path is None:
        raise HTTPException(404)
    kept = _KEPT if v and look.asset(name).endswith(f"?v={v}") else "no-cache"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": kept, "X-Content-Type-Options": "nosniff"})
