"""Serves the portal, the API and the rest on a unix socket for the web server."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import uvicorn

from ...authenticator.serve import Server, listen
from ..faces.app import make
from ..faces.signin.signin import Signin, seals_from
from ..faces.world import World
from ..reach import desk_of
from ..settings import Settings


def world_of(settings: Settings) -> World:
    """Return the registry's parts by its settings."""
    desk = desk_of(settings)
    seals = seals_from(settings.secret("seals_file")) if settings.seals_file else None
    signin = Signin(desk, site=settings.site, secret=settings.secret("signin_secret_file"), seals=seals)
    return World(desk, signin, settings)


def main(settings: Settings) -> int:
    """Serve until told to stop."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    for chatty in ("ldap3", "httpx", "alembic", "fido2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    os.umask(0o077)
    world = world_of(settings)
    world.desk.store.check()
    config = uvicorn.Config(
        make(world), access_log=False, log_config=None, server_header=False, date_header=False, lifespan="off",
        proxy_headers=False, timeout_graceful_shutdown=5, limit_concurrency=512, h11_max_incomplete_event_size=65_536,
    )  # fmt: skip
    Server(config).run(sockets=[listen(Path(settings.serving.socket), settings.serving.group)])
    world.desk.store.close()
    return 0
