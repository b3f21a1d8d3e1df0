"""All faces for programs, for the application that serves them: API, RDAP, dynamic DNS and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Host, Mount, Route

from . import nic
from .api import app as api
from .metrics import Metrics
from .rdap import app as rdap
from .rdap.signing import Signers

if TYPE_CHECKING:
    from .world import World


def routes(world: World, metrics: Metrics) -> list[BaseRoute]:
    """Return the routes; RDAP has a site of its own and a path on the portal's, and links to the former."""
    policy = world.desk.policy
    tld = policy.tlds[0]
    directory = rdap.make(world.desk, f"https://rdap.{tld}", f"whois.{tld}", Signers(policy.nameserver_addresses))
    return [
        Host(f"rdap.{tld}", directory),
        Mount("/api/v1", api.make(world)),
        Mount("/rdap", directory),
        Route("/nic/update", nic.updater(world, metrics.failed), methods=["GET", "POST"]),
        Route("/metrics", metrics.endpoint),
    ]
