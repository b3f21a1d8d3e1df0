"""Tokens, by which programs act for somebody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import tokens
from ...domain.errors import RegistryError
from ...domain.model import Scope, Token
from ..signin.session import Form, SignInError
from .delegation import lines
from .view import Member, Sent, View
from .words import N_

router = APIRouter()
LIFETIMES: Final = (
    ("30", N_("30 days")), ("90", N_("90 days")), ("365", N_("a year")), ("3650", N_("ten years")),
    ("", N_("until it is revoked")),
)  # fmt: skip
_VERBS: Final = {"read": ("read",), "write": ("read", "write"), "full": ("full",)}


@router.get("/tokens")
def listed(view: Member) -> Response:
    """List somebody's tokens."""
    page = tokens.listed(view.desk, view.actor, cursor=view.query("cursor") or None)
    return view.page("tokens.html", page=page, dead=_dead(view))


@router.get("/tokens/new")
def new(view: Member) -> Response:
    """Show the form."""
    form = {"may": "write", "lifetime": "365", "names": view.query("names")}
    return view.page("token_new.html", form=form, lifetimes=LIFETIMES)


@router.post("/tokens/new")
def make(view: Member, form: Sent) -> Response:
    """Make a token and show its secret, this once; one for everything only for who proved a moment ago who they are."""
    may = form.get("may", "read")
    if may == "full" and view.session is not None and not view.session.fresh:
        raise SignInError("/tokens/new", again=True)
    days = form.get("lifetime", "365")
    try:
        one, secret = tokens.make(
            view.desk, view.actor, form.get("label", ""), _scope(form, may),
            lifetime=timedelta(days=int(days)) if days in {"30", "90", "365", "3650"} else None,
        )  # fmt: skip
    except RegistryError as error:
        return view.again("token_new.html", error, form, lifetimes=LIFETIMES)
    return view.page("token_made.html", token=one, secret=secret)


@router.get("/tokens/{token}/revoke")
def ask(view: Member, token: str) -> Response:
    """Ask before a token ends."""
    return view.page("token_revoke.html", token=tokens.get(view.desk, view.actor, token))


@router.post("/tokens/{token}/revoke")
def revoke(view: Member, _: Sent, token: str) -> Response:
    """End a token."""
    one = tokens.revoke(view.desk, view.actor, token)
    return view.go("/tokens", view.say("The token “%(label)s” is over.", label=one.label))


def _dead(view: View) -> Callable[[Token], bool]:
    return lambda token: token.revoked is not None or (token.expires is not None and token.expires <= view.now)


def _scope(form: Form, may: str) -> Scope:
    def words(name: str) -> tuple[str, ...]:
        return tuple(one for line in lines(form.get(name, "")) for one in line.replace(",", " ").split())

    return Scope(_VERBS.get(may, ()), words("names"), words("types"), words("sources"))
