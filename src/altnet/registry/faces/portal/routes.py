"""All pages of the portal, for the application that serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.routing import BaseRoute

from . import (
    activity,
    assets,
    command,
    delegation,
    governing,
    home,
    invitations,
    joining,
    name,
    names,
    numbers,
    operating,
    people,
    records,
    tokens,
)

if TYPE_CHECKING:
    from ..world import World

#: The order counts: what has a word of its own in the path comes before what takes any.
MODULES: Final = (
    assets, command, home, joining, names, records, delegation, name, tokens, invitations, numbers, activity, governing,
    people, operating,
)  # fmt: skip


def routes(world: World) -> list[BaseRoute]:  # noqa: ARG001  # they find it in the application's state
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    for module in MODULES:
        router.include_router(module.router)
    return list(router.routes)
