"""The list of names, and registering one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import domains
from ...domain.errors import RegistryError
from ...domain.model import DomainState, Role
from .faults import Faults
from .view import Member, Sent, View
from .words import N_

router = APIRouter()
_LIMIT = 50


@router.get("/names")
def names(view: Member) -> Response:
    """List somebody's names, and those that they are offered."""
    part = view.query("part")
    page = domains.listed(
        view.desk, view.actor, holder=_own(view), part=part, cursor=view.query("cursor") or None, limit=_LIMIT
    )
    return view.page("names.html", page=page, part=part)


@router.get("/names/new")
def new(view: Member) -> Response:
    """Show the form; with a name in the query, also whether it can be had."""
    name = view.query("name", 1001)
    return view.page("register.html", form={"name": name}, verdict=_verdict(view, name), **_around(view))


@router.post("/names/new")
def register(view: Member, form: Sent) -> Response:
    """Register a name."""
    try:
        zone = domains.register(view.desk, view.actor, form.get("name", ""))
    except RegistryError as error:
        return view.again("register.html", error, form, verdict=None, **_around(view))
    said = N_("%(name)s is yours. It answers everywhere within seconds.")
    if zone.domain.state == DomainState.REQUESTED:
        said = N_("%(name)s is kept for you, and waits for a registrar.")
    return view.go(f"/names/{zone.domain.name.removesuffix('.')}", view.say(said, name=zone.domain.unicode))


@router.get("/names/check")
def check(view: Member) -> Response:
    """Say whether a name can be had: a part of a page, as it is typed."""
    return view.page("verdict.html", verdict=_verdict(view, view.query("name", 1001)))


def _verdict(view: View, name: str) -> dict[str, Any] | None:
    if not name:
        return None
    absolute, _, faults = domains.check(view.desk, view.actor, name)
    found = Faults.of(RegistryError("invalid", faults) if faults else None)
    return {"name": absolute, "faults": found.rest()}


def _around(view: View) -> dict[str, Any]:
    return {"first": view.query("first") == "1", "tlds": view.desk.policy.tlds}


def _own(view: View) -> str | None:
    """Return whose names a registrar, who may read everybody's, is shown here: their own."""
    return view.actor.uid if view.actor.may(Role.REGISTRAR) else None
