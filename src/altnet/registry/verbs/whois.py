"""``whois SETTINGS``: answer port 43, on the addresses and the port that the settings have."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from ...systemd import notify
from ..faces.whois import Service
from ..reach import desk_of

if TYPE_CHECKING:
    from ..settings import Settings


def main(settings: Settings) -> int:
    """Serve until the end is asked for."""
    asyncio.run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    here = desk_of(settings)
    here.store.check()
    servers = await Service(here).listen(settings.whois.addresses or ("::1",), settings.whois.port)
    notify("READY=1")
    await ended.wait()
    for server in servers:
        server.close()
