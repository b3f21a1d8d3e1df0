"""Registrars: accounts, their quotas, and how one, or a whole branch, is shut out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import accounts, domains, history, invitations
from ...domain.errors import RegistryError, refuse
from ...domain.model import Account, AccountState
from ..signin import resets
from ..signin.session import Form
from .deeds import deed, said
from .view import Registrar, Sent, View, version_of

router = APIRouter()
_TREE_MOST = 500


@router.get("/registrar/accounts")
def listed(view: Registrar) -> Response:
    """List accounts."""
    part, state = view.query("part"), view.query("state")
    page = accounts.listed(
        view.desk, view.actor, part=part, state=AccountState(state) if state in set(AccountState) else None,
        cursor=view.query("cursor") or None,
    )  # fmt: skip
    return view.page("accounts.html", page=page, form={"part": part, "state": state})


@router.get("/registrar/accounts/{uid}")
def show(view: Registrar, uid: str) -> Response:
    """Show an account: who it is, what it has, and who came by it."""
    return view.page("account.html", **_about(view, uid))


@router.post("/registrar/accounts/{uid}")
def quota(view: Registrar, form: Sent, uid: str) -> Response:
    """Say how much an account may have."""
    try:
        wanted = {field: _quota(form, field) for field in ("domains", "prefixes", "invitations")}
        accounts.set_quota(view.desk, view.actor, uid, **wanted, if_match=version_of(form))
    except RegistryError as error:
        return view.again("account.html", error, form, **_about(view, uid))
    return view.go(f"/registrar/accounts/{uid}", view.say("Saved."))


@router.get("/registrar/accounts/{uid}/{act}")
def ask(view: Registrar, uid: str, act: str) -> Response:
    """Ask before something is done to an account; before a branch is cut, show all that it hits."""
    return view.page("account_step.html", **_step(view, uid, act))


@router.post("/registrar/accounts/{uid}/{act}")
def take(view: Registrar, form: Sent, uid: str, act: str) -> Response:
    """Do something to an account."""
    desk, actor, reason = view.desk, view.actor, form.get("reason", "")
    around = _step(view, uid, act)
    try:
        if act == "reset":
            drop = form.get("drop") == "yes"
            link = f"{view.world.signin.origin}/reset/{resets.make(view.world.signin, actor, uid, drop_factors=drop)}"
            return view.page("account_reset.html", account=around["account"], link=link)
        if act == "lock":
            accounts.lock(desk, actor, uid, reason)
            done = view.say("%(uid)s is locked.", uid=uid)
        elif act == "unlock":
            accounts.unlock(desk, actor, uid)
            done = view.say("%(uid)s may sign in again.", uid=uid)
        else:
            hit = accounts.cut(desk, actor, uid, reason, names="keep" if form.get("names") == "keep" else "hold")
            done = view.say("%(number)s accounts are locked.", number=len(hit))
    except RegistryError as error:
        if error.kind == "forbidden":
            return view.page("account_step.html", error=error, form=form, **around)
        return view.again("account_step.html", error, form, **around)
    return view.go(f"/registrar/accounts/{uid}", done)


def _about(view: View, uid: str) -> dict[str, Any]:
    account = accounts.get(view.desk, view.actor, uid)
    names = domains.listed(view.desk, view.actor, holder=uid, limit=20)
    tree = [(level, one) for level, one in accounts.tree(view.desk, view.actor, uid) if level]
    return {
        "account": account,
        "person": _person(view, uid),
        "names": names,
        "tree": tree[:_TREE_MOST],
        "below": len(tree),
        "open": len(invitations.listed(view.desk, view.actor, inviter=uid, open_only=True).items),
        "entries": history.listed(view.desk, view.actor, account=uid, limit=10).items,
        "deed": deed,
        "said": said,
        "policy": view.desk.policy,
    }


def _step(view: View, uid: str, act: str) -> dict[str, Any]:
    if act not in {"lock", "unlock", "cut", "reset"}:
        raise refuse("missing", "There is no such page")
    account = accounts.get(view.desk, view.actor, uid)
    branch: list[tuple[int, Account]] = accounts.tree(view.desk, view.actor, uid) if act == "cut" else []
    names = [
        domain
        for _, one in branch[:_TREE_MOST]
        for domain in domains.listed(view.desk, view.actor, holder=one.uid, limit=200).items
    ]
    return {"account": account, "act": act, "branch": branch, "names": names, "most": _TREE_MOST}


def _person(view: View, uid: str) -> Any:  # noqa: ANN401  # a Person, or None
    try:
        return view.desk.directory.person(uid)
    except RegistryError:
        return None


def _quota(form: Form, field: str) -> int | None:
    text = form.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse("invalid", "This is no number", "write digits, or nothing for the usual quota", at=field)
    return int(text)
