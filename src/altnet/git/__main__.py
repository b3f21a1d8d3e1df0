"""``python3 -m altnet.git SETTINGS SECRETS STATE SOCKET GROUP``: serve on a unix socket for a web server."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import uvicorn

from ..authenticator import settings as known
from ..authenticator.ldap import Ldap
from ..authenticator.limit import Limit
from ..authenticator.people import People
from ..authenticator.serve import Server, listen
from ..authenticator.store import Store
from .app import Context, make
from .rights import repositories


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    logging.getLogger("ldap3").setLevel(logging.ERROR)
    os.umask(0o077)
    settings_file, secrets_file, state, place, group = arguments
    plain = json.loads(Path(settings_file).read_text())
    settings = known.parse({"login": "", **plain})
    password = str(json.loads(Path(secrets_file).read_text())["bind_password"])
    store = Store(Path(state) / "failures.sqlite")
    store.tidy(time.time(), settings.failures_window)
    # No grace: a password is asked for each time anyway, and without the directory nobody gets in.
    people = People(Ldap(settings.directory, password), settings.recheck, 0, time.monotonic)
    context = Context(
        repositories(plain["repositories"]), people, Limit(store, settings), plain["place"], plain["pages"]
    )
    config = uvicorn.Config(
        make(context), access_log=False, log_config=None, server_header=False, date_header=False, lifespan="off",
        proxy_headers=False, timeout_graceful_shutdown=5, limit_concurrency=256,
    )  # fmt: skip
    Server(config).run(sockets=[listen(Path(place), group)])
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
