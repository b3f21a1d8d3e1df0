"""All pages of the portal, for the application that serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    activity,
    assets,
    delegation,
    errors,
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
    from fastapi import FastAPI

#: The order counts: what has a word of its own in the path comes before what takes any.
MODULES: Final = (
    assets, home, joining, names, records, delegation, name, tokens, invitations, numbers, activity, governing, people,
    operating,
)  # fmt: skip


def install(app: FastAPI) -> None:
    """Add the portal to an application whose ``state.world`` is set, with its pages for what goes wrong."""
    for module in MODULES:
        app.include_router(module.router, include_in_schema=False)
    errors.install(app)
