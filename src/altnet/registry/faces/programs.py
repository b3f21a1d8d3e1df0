"""All faces for programs, for the application that serves them: API, RDAP, dynamic DNS and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Host, Match, Mount, Route

from . import nic
from .api import app as api
from .metrics import Metrics
from .rdap import app as rdap
from .rdap.signing import Signers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

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


class Shortcut:
    """Leads to the applications among the routes, past what the pages have around them.

    Each has the same around itself, and programs ask often. Whatever it does not know, the pages' application does.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self.app, self.routes = app, [route for route in routes if isinstance(route, Host | Mount)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        for route in self.routes if scope["type"] == "http" else ():
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await route.handle(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _below(path: str, app: ASGIApp) -> Mount:
    """Return the mount of an application, which gets paths with line feeds in them too: it has its own refusals."""
    mount = Mount(path, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount
