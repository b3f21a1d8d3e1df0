"""The first page after signing in: what is yours, and what waits for you."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import accounts, domains, history, invitations, tokens
from ...domain.errors import RegistryError
from ...domain.model import Domain, DomainState, Role
from .deeds import deed, said
from .view import Member, View

router = APIRouter()
#: How long before its end somebody is told that a name expires.
SOON: Final = timedelta(days=30)
_SHOWN: Final = 5


@router.get("/")
def home(view: Member) -> Response:
    """Show the start page."""
    desk, actor = view.desk, view.actor
    own = accounts.me(desk, actor)
    names = domains.listed(desk, actor, holder=actor.uid, limit=200)
    offered = _offered(view)
    policy = desk.policy
    return view.page(
        "home.html",
        name=_called(view),
        names=names.items[:_SHOWN],
        count=len(names.items),
        more=names.next is not None,
        quota=policy.domains_quota if own.domains_quota is None else own.domains_quota,
        soon=[one for one in names.items if _soon(one, view)][:3],
        offered=offered,
        open=len(invitations.listed(desk, actor, inviter=actor.uid, open_only=True).items),
        invitations_quota=policy.invitations_quota if own.invitations_quota is None else own.invitations_quota,
        tokens=sum(1 for one in tokens.listed(desk, actor, limit=200).items if one.revoked is None),
        waiting=len(domains.listed(desk, actor, state=DomainState.REQUESTED, limit=200).items)
        if actor.may(Role.REGISTRAR)
        else 0,
        entries=history.listed(desk, actor, account=actor.uid, limit=_SHOWN).items,
        deed=deed,
        said=said,
    )


def _soon(domain: Domain, view: View) -> bool:
    if domain.state == DomainState.EXPIRED:
        return True
    return domain.state in {DomainState.REGISTERED, DomainState.LOCKED} and domain.expires - view.now < SOON


def _offered(view: View) -> list[Domain]:
    """Return what is offered to the reader; a registrar's list has everybody's."""
    found = domains.listed(view.desk, view.actor, state=DomainState.TRANSFERRING, limit=200).items
    return [one for one in found if one.transfer_to == view.actor.uid]


def _called(view: View) -> str:
    """Return what somebody calls themselves; their account's name where the directory does not answer."""
    try:
        person = view.desk.directory.person(view.actor.uid)
    except RegistryError:
        person = None
    return person.name if person and person.name else view.actor.uid
