"""All faces for programs, for the application that serves them: API, RDAP, dynamic DNS and figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Host, Mount, Route

from . import nic
from .api import app as api
from .metrics import Metrics
from .rdap import app as rdap
from .rdap.signing import Signers

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .world import World


def routes(world: World, metrics: Metrics) -> list[BaseRoute]:
    """Return the routes; RDAP has a site of its own and a path on the portal's, and links to the former."""
    policy = world.desk.policy
    tld = policy.tlds[0]
    directory = rdap.make(world.desk, f"https://rdap.{tld}", f"whois.{tld}", Signers(policy.nameserver_addresses))
    return [
        Host(f"rdap.{tld}", directory),
        _below("/api/v1", api.make(world)),
        _below("/rdap", directory),
        Route("/nic/update", nic.updater(world), methods=["GET", "POST"]),
        Route("/metrics", metrics.endpoint),
    ]


def _below(path: str, app: ASGIApp) -> Mount:
    """Return the mount of an application, which gets paths with line feeds in them too: it has its own refusals."""
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
