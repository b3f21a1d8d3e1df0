"""Joining: from the link of an invitation straight on to the first name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import accounts, invitations
from ...domain.errors import RegistryError
from ...domain.model import SYSTEM
from ..signin import entering
from ..signin.session import client_of
from .view import Anybody, Sent, View

router = APIRouter()


@router.get("/join/{secret}")
def invited(view: Anybody, secret: str) -> Response:
    """Show an invitation, and the form of two fields by which somebody takes it."""
    return view.page("join.html", **_invitation(view, secret))


@router.post("/join/{secret}")
def join(view: Anybody, form: Sent, secret: str) -> Response:
    """Make the account, begin a session, and go on to the first name."""
    given = _invitation(view, secret)
    if view.session is not None:
        return view.page("join.html", **given)
    try:
        account = invitations.join(
            view.desk, secret, uid=form.get("uid", ""), name=form.get("name", ""), password=form.get("password", ""),
            mail=form.get("mail", ""), client=client_of(view.request),
        )  # fmt: skip
    except RegistryError as error:
        if error.kind in {"missing", "expired"}:
            raise
        return view.page("join.html", error=error, form=form, **given)
    return entering.done(view.request, account.uid, entering.Way("/names/new?first=1"), "password")


def _invitation(view: View, secret: str) -> dict[str, Any]:
    one = invitations.look(view.desk, secret)
    try:
        accounts.get(view.desk, SYSTEM, one.inviter)
        person = view.desk.directory.person(one.inviter)
    except RegistryError:
        person = None
    return {"invitation": one, "inviter": person.name if person and person.name else one.inviter}
