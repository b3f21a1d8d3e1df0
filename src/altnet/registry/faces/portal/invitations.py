"""Invitations: links to copy, and who came by them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import accounts, invitations
from ...domain.errors import RegistryError, refuse
from ...domain.model import Account
from ..signin.session import Form
from .view import Member, Sent, View

router = APIRouter()


@router.get("/invitations")
def listed(view: Member) -> Response:
    """List somebody's invitations, and the tree of who came by them."""
    actor = view.actor
    page = invitations.listed(view.desk, actor, inviter=actor.uid, cursor=view.query("cursor") or None)
    return view.page("invitations.html", page=page, tree=_tree(view))


@router.get("/invitations/new")
def new(view: Member) -> Response:
    """Show the form."""
    return view.page("invitation_new.html", form={}, **_around(view))


@router.post("/invitations/new")
def make(view: Member, form: Sent) -> Response:
    """Make an invitation, and show its link this once."""
    try:
        one, secret = invitations.create(
            view.desk, view.actor, uses_max=_number(form, "uses_max", 1),
            lifetime=timedelta(days=_number(form, "lifetime", view.desk.policy.invitation_lifetime.days)),
            note=form.get("note", ""),
        )  # fmt: skip
    except RegistryError as error:
        return view.again("invitation_new.html", error, form, **_around(view))
    link = f"{view.world.signin.origin}/join/{secret}"
    return view.page("invitation_made.html", invitation=one, link=link)


@router.get("/invitations/{invitation}/revoke")
def ask(view: Member, invitation: str) -> Response:
    """Ask before an invitation ends."""
    return view.page("invitation_revoke.html", invitation=invitations.get(view.desk, view.actor, invitation))


@router.post("/invitations/{invitation}/revoke")
def revoke(view: Member, _: Sent, invitation: str) -> Response:
    """End an invitation."""
    invitations.revoke(view.desk, view.actor, invitation)
    return view.go("/invitations", view.say("The invitation is over: nobody joins by it any more."))


def _tree(view: View) -> list[tuple[int, Account]]:
    """Return those below the reader."""
    accounts.me(view.desk, view.actor)
    return [(level, one) for level, one in accounts.tree(view.desk, view.actor, view.actor.uid) if level]


def _around(view: View) -> dict[str, Any]:
    policy = view.desk.policy
    return {"most": policy.invitation_uses_max, "days": policy.invitation_lifetime.days}


def _number(form: Form, name: str, usual: int) -> int:
    text = form.get(name, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise refuse("invalid", "This is no number", "write it in digits", at=name, code="number")
    return int(text)
