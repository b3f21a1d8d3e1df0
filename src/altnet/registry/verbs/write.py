"""Brings what changes to the zones' primary, compares all of it each minute, and does what is due each hour."""

from __future__ import annotations

import signal

from ..reach import desk_of
from ..settings import Settings
from ..writer import build


def main(settings: Settings) -> int:
    """Run until it is told to end; a step that is under way is ended first."""
    key = settings.signing_key() if settings.signing_key_file else None
    running = build.loop(settings, desk_of(settings), key)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop.set())
    running.run()
    return 0
