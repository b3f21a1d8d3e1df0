"""Keeps the repositories at what the database says: one commit a change."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from pathlib import Path
from typing import Final

from ...systemd import notify
from ..domain.errors import RegistryError
from ..faces.git.export import turn
from ..faces.git.repository import Repository, python
from ..reach import desk_of
from ..settings import Settings
from ..storage.snapshots import REPOSITORIES

log = logging.getLogger("altnet-registry-export")

_EVERY: Final = 1.0
_PATIENCE: Final = 10.0
_TIDY: Final = 600.0


def main(settings: Settings, *arguments: str) -> int:
    """Export until told to stop, or, with the argument ``once``, until all is exported."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    os.umask(0o077)
    desk = desk_of(settings)
    repositories = {name: Repository(Path(settings.git.place) / f"{name}.git") for name in REPOSITORIES}
    hook = [*python(), "-m", "altnet.registry", "receive", os.environ.get("ALTNET_REGISTRY_SETTINGS", "")]
    for repository in repositories.values():
        repository.prepare(hook)
    notify("READY=1")
    tidied = time.monotonic()
    while True:
        pause = _EVERY
        try:
            while sum(turn(desk, repository, name) for name, repository in repositories.items()):
                pass
            if time.monotonic() - tidied > _TIDY:
                tidied = time.monotonic()
                for repository in repositories.values():
                    repository.tidy()
        except RegistryError as error:
            log.warning("nothing is exported now: %s", error)
            pause = _PATIENCE
        except subprocess.CalledProcessError as error:
            log.error("git: %s", error.stderr.decode(errors="replace").strip()[-500:])
            pause = _PATIENCE
        if arguments == ("once",):
            return 0
        time.sleep(pause)
