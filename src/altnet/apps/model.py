"""An app, as its catalogue entry describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Port:
    """What it listens on, at its host's fabric address; with ``service`` clients find it by an SRV record."""

    port: int
    protocol: str
    purpose: str
    service: str = ""

    def plain(self) -> dict[str, Any]:
        """Return what is told about it."""
        return {"port": self.port, "protocol": self.protocol, "purpose": self.purpose, "service": self.service}


@dataclass(frozen=True)
class Web:
    """Its site: whom Caddy asks, on the same host, and for which groups; without groups for everybody.

    ``signs_on`` makes it the login page of all sites.
    """

    to: str
    groups: tuple[str, ...] = ()
    policy: str = ""
    signs_on: bool = False


@dataclass(frozen=True)
class Beside:
    """A label beside the app's own, directly below the top-level domain, that leads to it too: a page, or a name."""

    name: str
    web: Web | None = None


@dataclass(frozen=True)
class App:
    """One entry of the catalogue.

    ``group`` is the inventory's: a host that is in it has the app; ``set`` is what the transaction is called that a
    host with the app has made. ``needs`` are groups without which it cannot work. ``names`` are labels below its own
    name that lead to it too, ``beside`` those next to it. The certificate has the name of its directory under
    ``/etc/altnet/pki`` and the group that reads its key; without one, ``certificate`` is empty. ``before`` and
    ``after`` enclose a backup of ``paths``.
    """

    id: str
    title: str
    summary: str
    version: str
    licence: str
    role: str
    group: str
    set: str
    packages: tuple[str, ...]
    one_host: bool = True
    needs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()
    ports: tuple[Port, ...] = ()
    certificate: str = ""
    key_group: str = ""
    web: Web | None = None
    paths: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
