"""A name's own page, and the steps that are taken with it as a whole."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import domains
from ...domain.errors import RegistryError, refuse
from ...domain.model import Domain, Zone
from . import steps
from .editor import sorted_for
from .view import Member, Sent, View, version_of

router = APIRouter()


@router.get("/names/{name}")
def show(view: Member, name: str) -> Response:
    """Show a name: its state, its records, and what can be done with it."""
    return view.page("name.html", **about(view, domains.get(view.desk, view.actor, name)))


@router.get("/names/{name}/transfer-key")
def key(view: Member, name: str) -> Response:
    """Say what a transfer key is, before one is made."""
    domain = domains.get(view.desk, view.actor, name).domain
    return view.page("transfer_key.html", domain=domain, secret=None)


@router.post("/names/{name}/transfer-key")
def make_key(view: Member, form: Sent, name: str) -> Response:
    """Make a key by which the zone can be fetched, and show its secret this once."""
    actor = view.actor
    domain = domains.get(view.desk, actor, name).domain
    try:
        domain, known_as, secret = domains.allow_transfer(view.desk, actor, name, if_match=version_of(form))
    except RegistryError as error:
        return view.again("transfer_key.html", error, form, domain=domain, secret=None)
    return view.page("transfer_key.html", domain=domain, secret=secret, key=known_as, servers=view.desk.policy)


@router.get("/names/{name}/{key}")
def ask(view: Member, name: str, key: str) -> Response:
    """Ask before a step is taken: what it does, and what it needs."""
    step, domain = _step(view, name, key)
    return view.page("step.html", step=step, domain=domain, current=None)


@router.post("/names/{name}/{key}")
def take(view: Member, form: Sent, name: str, key: str) -> Response:
    """Take a step."""
    step, domain = _step(view, name, key)
    try:
        step.act(view.desk, view.actor, name, form, version_of(form))
    except RegistryError as error:
        # With the version that is there now: who has read what changed may go on.
        return view.again("step.html", error, form, step=step, domain=domain)
    path = steps.AFTER.get(step.after, f"/names/{domain.name.removesuffix('.')}")
    return view.go(path, view.say(step.done, name=domain.unicode))


def about(view: View, zone: Zone) -> dict[str, Any]:
    """Return what a name's page needs to know."""
    domain, actor = zone.domain, view.actor
    offered = steps.possible(domain, actor)
    return {
        "domain": domain,
        "rrsets": sorted_for(zone),
        "steps": [step for step in offered if not step.harm and step.key != "host"],
        "harm": [step for step in offered if step.harm and step.key not in {"host", "forbid-transfer"}],
        "can_change": steps.can("change", domain, actor),
        "mine": domain.holder == actor.uid,
        "policy": view.desk.policy,
    }


def _step(view: View, name: str, key: str) -> tuple[steps.Step, Domain]:
    step = steps.STEPS.get(key)
    if step is None:
        raise refuse("missing", "There is no such page")
    return step, domains.get(view.desk, view.actor, name).domain
