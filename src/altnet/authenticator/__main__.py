"""``python3 -m altnet.authenticator SETTINGS SECRETS STATE SOCKET GROUP``: serve on a unix socket for a web server."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import uvicorn

from .app import make
from .context import Context
from .ldap import Ldap
from .limit import Limit
from .people import People
from .seals import Seals
from .serve import Server, listen
from .settings import Secrets, Settings, parse, parse_secrets
from .store import Store


def context_of(settings: Settings, secrets: Secrets, state: Path) -> Context:
    """Return the parts of an authenticator that keeps its sessions below ``state``."""
    store = Store(state / "sessions.sqlite")
    people = People(Ldap(settings.directory, secrets.bind_password), settings.recheck, settings.grace, time.monotonic)
    return Context(settings, store, people, Seals(secrets.keys), Limit(store, settings), time.time)


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    # ldap3 is chatty, and an access log would be a second one beside the web server's, with codes in its lines.
    logging.getLogger("ldap3").setLevel(logging.ERROR)
    os.umask(0o077)
    settings_file, secrets_file, state, place, group = arguments
    settings = parse(json.loads(Path(settings_file).read_text()))
    secrets = parse_secrets(json.loads(Path(secrets_file).read_text()))
    context = context_of(settings, secrets, Path(state))
    context.store.tidy(time.time(), settings.failures_window)
    config = uvicorn.Config(
        make(context), access_log=False, log_config=None, server_header=False, date_header=False, lifespan="off",
        proxy_headers=False, timeout_graceful_shutdown=5, limit_concurrency=1024,
    )  # fmt: skip
    Server(config).run(sockets=[listen(Path(place), group)])
    context.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
