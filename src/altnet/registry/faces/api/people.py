"""Accounts, and what registrars do with them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import accounts
from ...domain.model import Account, AccountState
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Cursor, Filter, Limit, Model, Search, Text, Uid, example

router = APIRouter(route_class=Route)
Amount = Annotated[int, Field(ge=0, le=1_000_000)] | None


class Quotas(Model):
    """How much an account may have. What is left out stays; null is the network's policy."""

    model_config = example(domains=25)
    domains: Amount = None
    prefixes: Amount = None
    invitations: Amount = None


class Reason(Model):
    """Why."""

    model_config = example(reason="Sends unwanted mail to everybody; see the list of 27 November.")
    reason: Text = Field(min_length=1)


class Cut(Reason):
    """Why, and what becomes of the names."""

    model_config = example(reason="Invited robots.", names="hold")
    names: Literal["hold", "keep"] = "hold"


def _reply(account: Account) -> Reply:
    return Reply(shapes.account(account), version=account.version)


@router.get("/me", tags=["accounts"], response_model=answers.Me)
def get_me(call: Caller) -> Response:
    """Read your own account, and by what right you ask. Anybody who is signed in."""
    actor, account = call.actor, accounts.me(call.desk, call.actor)
    scope = None if actor.scope is None else shapes.scope(actor.scope)
    more = {"roles": sorted(role.value for role in actor.roles), "token": actor.token, "scope": scope}
    return call.show({**shapes.account(account), **more})


@router.get("/accounts", tags=["accounts"], response_model=answers.Accounts)
def list_accounts(
    call: Caller,
    *,
    part: Search = "",
    state: AccountState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List accounts. Registrars; members see their own."""
    page = accounts.listed(call.desk, call.actor, part=part, state=state, cursor=cursor, limit=limit)
    return call.page([shapes.account(one) for one in page.items], page.next)


@router.get("/referrals", tags=["accounts"], response_model=answers.Branches)
def list_referrals(call: Caller, root: Filter = None) -> Response:
    """Read who invited whom, below an account or all. Registrars; members below themselves."""
    found = accounts.tree(call.desk, call.actor, root)
    return call.show({"items": [{**shapes.account(one), "depth": depth} for depth, one in found]})


@router.get("/accounts/{uid}", tags=["accounts"], response_model=answers.Account)
def get_account(call: Caller, uid: Uid) -> Response:
    """Read an account. Registrars; members their own."""
    account = accounts.get(call.desk, call.actor, uid)
    return call.show(shapes.account(account), account.version)


@router.patch("/accounts/{uid}", tags=["accounts"], response_model=answers.Account)
def set_account_quota(call: Caller, uid: Uid, sent: Quotas) -> Response:
    """Set how much an account may have. Registrars."""
    given = {name: getattr(sent, name) for name in sent.model_fields_set}
    return call.write(lambda: _reply(accounts.set_quota(call.desk, call.actor, uid, **given, if_match=call.if_match)))


@router.post("/accounts/{uid}/lock", tags=["accounts"], response_model=answers.Account)
def lock_account(call: Caller, uid: Uid, sent: Reason) -> Response:
    """Shut somebody out. Registrars."""
    return call.write(lambda: _reply(accounts.lock(call.desk, call.actor, uid, sent.reason)))


@router.post("/accounts/{uid}/unlock", tags=["accounts"], response_model=answers.Account)
def unlock_account(call: Caller, uid: Uid) -> Response:
    """Let somebody in again. Registrars."""
    return call.write(lambda: _reply(accounts.unlock(call.desk, call.actor, uid)))


@router.post("/accounts/{uid}/cut", tags=["accounts"], response_model=answers.Branches)
def cut_account(call: Caller, uid: Uid, sent: Cut) -> Response:
    """Lock an account and all who came by it, with their invitations and tokens. Registrars."""

    def act() -> Reply:
        found = accounts.cut(call.desk, call.actor, uid, sent.reason, names=sent.names)
        return Reply({"items": [{**shapes.account(one), "depth": 0} for one in found]})

    return call.write(act)


@router.delete("/accounts/{uid}", tags=["accounts"], response_model=answers.Account)
def close_account(call: Caller, uid: Uid) -> Response:
    """Close an account for good. Its own, or registrars."""
    return call.write(lambda: _reply(accounts.close(call.desk, call.actor, uid)))
