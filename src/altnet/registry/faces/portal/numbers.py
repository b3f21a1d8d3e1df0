"""Prefixes, AS numbers, routes and reverse delegations, for members who route."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import prefixes
from ...domain.errors import RegistryError, refuse
from ...domain.model import Prefix
from ...domain.prefixes import reverse_zone
from ..signin.session import Form
from .delegation import lines
from .look import slug
from .view import Member, Sent, View, version_of

router = APIRouter()


@router.get("/numbers")
def numbers(view: Member) -> Response:
    """List somebody's prefixes and AS numbers."""
    return _list(view)


@router.post("/numbers")
def register(view: Member, form: Sent) -> Response:
    """Register a prefix of a size, or an AS number."""
    kind = form.get("kind", "")
    try:
        if kind == "asn":
            return view.go("/numbers", view.say("AS%(number)s is yours.", number=_asn(view)))
        size = {"48": 48, "56": 56}.get(kind, 0)
        one = prefixes.register_prefix(view.desk, view.actor, size)
    except RegistryError as error:
        return _list(view, error, form)
    return view.go(f"/numbers/{slug(one.prefix)}", view.say("%(prefix)s is yours.", prefix=one.prefix))


@router.get("/numbers/as/{number}/release")
def ask_asn(view: Member, number: str) -> Response:
    """Ask before an AS number is given back."""
    one = prefixes.get_asn(view.desk, view.actor, _number(number))
    return view.page("asn_release.html", asn=one)


@router.post("/numbers/as/{number}/release")
def release_asn(view: Member, form: Sent, number: str) -> Response:
    """Give an AS number back."""
    one = prefixes.get_asn(view.desk, view.actor, _number(number))
    try:
        prefixes.release_asn(view.desk, view.actor, one.number, if_match=version_of(form))
    except RegistryError as error:
        return view.again("asn_release.html", error, form, asn=one)
    return view.go("/numbers", view.say("AS%(number)s is given back.", number=one.number))


@router.get("/numbers/{prefix}")
def show(view: Member, prefix: str) -> Response:
    """Show a prefix, with the forms of its routes and its reverse zone."""
    return _show(view, prefix)


@router.post("/numbers/{prefix}")
def change(view: Member, form: Sent, prefix: str) -> Response:
    """Change a prefix's routes, or the delegation of its reverse zone."""
    name, version, done = _prefix(prefix), version_of(form), form.get("do", "")
    try:
        if done == "route":
            prefixes.add_route(view.desk, view.actor, name, _number(form.get("asn", "")), if_match=version)
        elif done == "drop":
            prefixes.drop_route(view.desk, view.actor, name, _number(form.get("asn", "")), if_match=version)
        elif done == "reverse":
            servers, ds = lines(form.get("nameservers", "")), lines(form.get("ds", ""))
            prefixes.set_reverse(view.desk, view.actor, name, servers, ds, if_match=version)
        else:
            raise refuse("invalid", "This form is incomplete", "use the page's own buttons")
    except RegistryError as error:
        if error.kind in {"missing", "forbidden"} and not any(fault.field for fault in error.faults):
            raise
        return _show(view, prefix, error, form)
    return view.go(f"/numbers/{prefix}", view.say("Saved."))


@router.get("/numbers/{prefix}/release")
def ask(view: Member, prefix: str) -> Response:
    """Ask before a prefix is given back."""
    return view.page("prefix_release.html", prefix=prefixes.get_prefix(view.desk, view.actor, _prefix(prefix)))


@router.post("/numbers/{prefix}/release")
def release(view: Member, form: Sent, prefix: str) -> Response:
    """Give a prefix back."""
    one = prefixes.get_prefix(view.desk, view.actor, _prefix(prefix))
    try:
        prefixes.release_prefix(view.desk, view.actor, one.prefix, if_match=version_of(form))
    except RegistryError as error:
        return view.again("prefix_release.html", error, form, prefix=one)
    return view.go("/numbers", view.say("%(prefix)s is given back.", prefix=one.prefix))


def _list(view: View, error: RegistryError | None = None, form: Form | None = None) -> Response:
    actor = view.actor
    mine = prefixes.listed_prefixes(view.desk, actor, holder=actor.uid, limit=200)
    asns = prefixes.listed_asns(view.desk, actor, holder=actor.uid, limit=200)
    network = view.desk.policy.prefix
    return view.page("numbers.html", error=error, form=form, prefixes=mine.items, asns=asns.items, network=network)


def _show(view: View, prefix: str, error: RegistryError | None = None, form: Form | None = None) -> Response:
    one: Prefix = prefixes.get_prefix(view.desk, view.actor, _prefix(prefix))
    asns = prefixes.listed_asns(view.desk, view.actor, holder=one.holder, limit=200).items
    now = {"nameservers": "\n".join(one.nameservers), "ds": "\n".join(one.ds)}
    sent = form if form is not None and form.get("do") == "reverse" else now
    asked = form.get("do", "") if form is not None else ""
    return view.page(
        "prefix.html", error=error, form=sent, prefix=one, asked=asked, zone=reverse_zone(one.prefix),
        asns=[asn for asn in asns if asn.number not in one.asns],
    )  # fmt: skip


def _asn(view: View) -> int:
    return prefixes.register_asn(view.desk, view.actor).number


def _prefix(text: str) -> str:
    """Return the prefix of a path: its slash is a hyphen there."""
    head, _, size = text.rpartition("-")
    return f"{head}/{size}"


def _number(text: str) -> int:
    text = text.strip().upper().removeprefix("AS")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**32):
        raise refuse("missing", "There is no such AS number, or it is not yours", "choose one of yours", at="asn")
    return int(text)
