"""Registrars: the queue, all names, and names that nobody can have."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import domains
from ...domain.errors import RegistryError
from ...domain.model import DomainState
from .view import Registrar, Sent

router = APIRouter()


@router.get("/registrar")
def queue(view: Registrar) -> Response:
    """Show what waits for a registrar."""
    page = domains.listed(
        view.desk, view.actor, state=DomainState.REQUESTED, cursor=view.query("cursor") or None
    )  # fmt: skip
    held = domains.listed(view.desk, view.actor, state=DomainState.HELD, limit=20)
    return view.page("queue.html", page=page, held=held)


@router.get("/registrar/names")
def names(view: Registrar) -> Response:
    """List everybody's names, by what they contain, their holder and their state."""
    part, holder, state = view.query("part"), view.query("holder").lower(), view.query("state")
    page = domains.listed(
        view.desk, view.actor, part=part, holder=holder or None,
        state=DomainState(state) if state in set(DomainState) else None, cursor=view.query("cursor") or None,
    )  # fmt: skip
    return view.page("all_names.html", page=page, form={"part": part, "holder": holder, "state": state})


@router.get("/registrar/reserve")
def ask(view: Registrar) -> Response:
    """Show the form."""
    return view.page("reserve.html", form={"name": view.query("name")})


@router.post("/registrar/reserve")
def reserve(view: Registrar, form: Sent) -> Response:
    """Keep a name that nobody has from everybody."""
    try:
        domain = domains.reserve(view.desk, view.actor, form.get("name", ""), form.get("reason", ""))
    except RegistryError as error:
        return view.again("reserve.html", error, form)
    return view.go("/registrar/names?state=reserved", view.say("%(name)s is reserved.", name=domain.unicode))
