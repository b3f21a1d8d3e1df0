"""Invitations, and joining by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from ...acts import invitations, tokens
from ...domain.model import Actor, Invitation, Role, Scope
from ..signin.session import client_of
from . import answers, shapes
from .asked import Route
from .call import Call, Caller, Reply
from .fields import Cursor, Filter, Id, Limit, Line, Model, Secret, example

router = APIRouter(route_class=Route)


class NewInvitation(Model):
    """How many may join by it, and for how long."""

    model_config = example(uses_max=1, days=14, note="for Ben")
    uses_max: int = Field(1, ge=1, le=10_000)
    days: int | None = Field(None, ge=1, le=3650, description="How long it is good; null: the network's policy.")
    note: Line = ""


class Joining(Model):
    """Who joins."""

    model_config = example(uid="ben", name="Ben Gardener", password="a sentence that only Ben knows", mail="")  # noqa: S106
    uid: Line = Field(min_length=1, max_length=64)
    name: Line = Field(min_length=1)
    password: str = Field(min_length=1, max_length=1024)
    mail: Line = ""
    token: Line = Field("", max_length=100, description="What a first token is for; empty: none is made.")


def _reply(invitation: Invitation) -> Reply:
    return Reply(shapes.invitation(invitation))


@router.get("/invitations", tags=["invitations"], response_model=answers.Invitations)
def list_invitations(
    call: Caller,
    *,
    inviter: Filter = None,
    open_only: Annotated[bool, Query(alias="open", description="Only those that can still be used.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List invitations. Your own; registrars: all."""
    page = invitations.listed(call.desk, call.actor, inviter=inviter, open_only=open_only, cursor=cursor, limit=limit)
    return call.page([shapes.invitation(one) for one in page.items], page.next)


@router.post("/invitations", tags=["invitations"], status_code=201, response_model=answers.NewInvitation)
def create_invitation(call: Caller, sent: NewInvitation) -> Response:
    """Make an invitation: a link to give to somebody. Members, within their quota."""

    def act() -> Reply:
        lifetime = None if sent.days is None else timedelta(days=sent.days)
        made, secret = invitations.create(
            call.desk, call.actor, uses_max=sent.uses_max, lifetime=lifetime, note=sent.note
        )
        link = f"https://{call.world.settings.site}/join/{secret}"
        return Reply(
            {**shapes.invitation(made), "secret": secret, "link": link},
            201,
            location=f"/api/v1/invitations/{made.id}",
            secret=("secret", "link"),
        )

    return call.write(act)


@router.get("/invitations/{id}", tags=["invitations"], response_model=answers.Invitation)
def get_invitation(call: Caller, id: Id) -> Response:  # noqa: A002 - the path's
    """Read an invitation. Your own; registrars: all."""
    return call.show(shapes.invitation(invitations.get(call.desk, call.actor, id)))


@router.delete("/invitations/{id}", tags=["invitations"], response_model=answers.Invitation)
def revoke_invitation(call: Caller, id: Id) -> Response:  # noqa: A002
    """Revoke an invitation: nobody else joins by it. Its inviter, or registrars."""
    return call.write(lambda: _reply(invitations.revoke(call.desk, call.actor, id)))


@router.get("/join/{secret}", tags=["join"], response_model=answers.Invitation)
def look_at_invitation(call: Caller, secret: Secret) -> Response:
    """Look whether an invitation is still good. Anybody who has its secret."""
    return Reply(shapes.invitation(invitations.look(call.desk, secret)), secret=()).response()


@router.post("/join/{secret}", tags=["join"], status_code=201, response_model=answers.Joined)
def join(call: Caller, secret: Secret, sent: Joining) -> Response:
    """Join: make an account for yourself. Anybody who has an invitation's secret."""
    made = invitations.join(
        call.desk,
        secret,
        uid=sent.uid,
        name=sent.name,
        password=sent.password,
        mail=sent.mail,
        via="api",
        client=client_of(call.request),
    )
    body = {**shapes.account(made), "secret": _first_token(call, made.uid, sent.token) if sent.token else None}
    return Reply(body, 201, made.version, f"/api/v1/accounts/{made.uid}", secret=("secret",)).response()


def _first_token(call: Call, uid: str, label: str) -> str:
    """Make the token by which a newcomer goes on; it reads and writes, and governs nothing."""
    newcomer = Actor(uid, frozenset((Role.MEMBER,)), "api", client_of(call.request))
    return tokens.make(call.desk, newcomer, label, Scope())[1]
