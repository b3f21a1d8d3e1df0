"""Tokens: what programs have instead of a person's session."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import tokens
from ...domain import model
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Cursor, Filter, Id, Limit, Line, Model, example

router = APIRouter(route_class=Route)


class Scope(Model):
    """What a token may do; empty lists limit nothing."""

    model_config = example(verbs=["write"], names=["home.garden.alt."], types=["AAAA"], sources=[])
    verbs: list[Literal["read", "write", "full"]] = Field(default=["read", "write"], min_length=1, max_length=3)
    names: list[Line] = Field(default=[], max_length=100)
    types: list[Line] = Field(default=[], max_length=50)
    sources: list[Line] = Field(default=[], max_length=50)


class NewToken(Model):
    """A token that is wanted."""

    model_config = example(
        label="router",
        scope={"verbs": ["write"], "names": ["home.garden.alt."], "types": ["AAAA"], "sources": []},
        days=365,
    )
    label: Line = Field(min_length=1, max_length=100)
    scope: Scope = Field(default_factory=Scope)
    days: int | None = Field(None, ge=1, le=3650, description="How long it is good; null: until it is revoked.")


@router.get("/tokens", tags=["tokens"], response_model=answers.Tokens)
def list_tokens(call: Caller, *, account: Filter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """List tokens, without their secrets. Your own; registrars: all."""
    page = tokens.listed(call.desk, call.actor, account=account, cursor=cursor, limit=limit)
    return call.page([shapes.token(one) for one in page.items], page.next)


@router.post("/tokens", tags=["tokens"], status_code=201, response_model=answers.NewToken)
def create_token(call: Caller, sent: NewToken) -> Response:
    """Make a token; with a token, only a narrower one. Its secret is answered once. Members."""

    def act() -> Reply:
        lifetime = None if sent.days is None else timedelta(days=sent.days)
        wanted = model.Scope(
            tuple(sent.scope.verbs), tuple(sent.scope.names), tuple(sent.scope.types), tuple(sent.scope.sources)
        )
        made, secret = tokens.make(call.desk, call.actor, sent.label, wanted, lifetime=lifetime)
        return Reply(
            {**shapes.token(made), "secret": secret}, 201, location=f"/api/v1/tokens/{made.id}", secret=("secret",)
        )

    return call.write(act)


@router.get("/tokens/{id}", tags=["tokens"], response_model=answers.Token)
def get_token(call: Caller, id: Id) -> Response:  # noqa: A002 - the path's
    """Read a token, without its secret. Its account; registrars: all."""
    return call.show(shapes.token(tokens.get(call.desk, call.actor, id)))


@router.delete("/tokens/{id}", tags=["tokens"], response_model=answers.Token)
def revoke_token(call: Caller, id: Id) -> Response:  # noqa: A002
    """Revoke a token. Its account; registrars: all."""
    return call.write(lambda: Reply(shapes.token(tokens.revoke(call.desk, call.actor, id))))
