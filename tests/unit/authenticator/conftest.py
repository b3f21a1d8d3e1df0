from __future__ import annotations

from pathlib import Path

import pytest
from signon_world import Browser, Clock, Host, People3, world


class World:
    """All of it, by name."""

    def __init__(self, place: Path) -> None:
        self.directory: People3
        self.clock: Clock
        self.hosts: dict[str, Host]
        self.directory, self.clock, self.hosts = world(place)

    def browser(self, client: str = "fd12:3456:789a:1::7") -> Browser:
        return Browser(self.hosts, client)


@pytest.fixture
def signon(tmp_path: Path) -> World:
    return World(tmp_path)
