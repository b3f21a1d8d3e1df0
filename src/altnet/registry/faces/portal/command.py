"""The command line as one file, for whoever has the network's root and Python: ``altnet``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter
from starlette.responses import Response

from altnet.cli.bundle import bundle

router = APIRouter()


@cache
def _file() -> bytes:
    """Return the file; it is of the programs that run here, so it speaks with them."""
    with TemporaryDirectory() as place:
        out = Path(place) / "altnet"
        bundle(out)
        return out.read_bytes()


@router.get("/altnet")
def altnet() -> Response:
    """Return the command, to be kept under its name."""
    headers = {"Content-Disposition": 'attachment; filename="altnet"', "Cache-Control": "no-cache"}
    return Response(_file(), media_type="application/octet-stream", headers=headers)
