"""Domains: registering, keeping, giving away and letting go."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import domains
from ...domain.labels import to_unicode
from ...domain.model import Domain, DomainState, Hosting, Zone
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Cursor, Filter, Limit, Line, Model, Name, Rdata, Search, example

router = APIRouter(route_class=Route)
Ttl = Annotated[int, Field(ge=0, le=2_147_483_647)]


class Set(Model):
    """All records of one name and type."""

    model_config = example(name="www", type="AAAA", ttl=300, records=["fd12:3456:789a::7"])
    name: Line = Field(description="Within the domain (`www`, `@` for the domain itself), or with a final dot.")
    type: Line = Field(max_length=16)
    ttl: Ttl = 3600
    records: list[Rdata] = Field(max_length=1000)


class Registration(Model):
    """A name that is wanted."""

    model_config = example(name="garden.alt", rrsets=[{"name": "@", "type": "AAAA", "records": ["fd12:3456:789a::7"]}])
    name: Line = Field(min_length=1, description="As people write it (U-labels) or in A-labels.")
    rrsets: list[Set] | None = Field(None, max_length=2000)
    hosting: Hosting = Hosting.ZONE


def where(name: str) -> str:
    """Return a domain's address."""
    return f"/api/v1/domains/{quote(name, safe='')}"


def reply(domain: Domain) -> Reply:
    """Return a domain."""
    return Reply(shapes.domain(domain), version=domain.version)


def of_zone(zone: Zone) -> Reply:
    """Return a domain with what it says."""
    return Reply(shapes.zone(zone), version=zone.domain.version)


@router.get("/domains", tags=["domains"], response_model=answers.Domains)
def list_domains(
    call: Caller,
    *,
    holder: Filter = None,
    state: DomainState | None = None,
    part: Search = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """List domains. Your own; registrars: all."""
    page = domains.listed(call.desk, call.actor, holder=holder, state=state, part=part, cursor=cursor, limit=limit)
    return call.page([shapes.domain(one) for one in page.items], page.next)


@router.post("/domains", tags=["domains"], status_code=201, response_model=answers.Zone)
def register_domain(call: Caller, sent: Registration) -> Response:
    """Register a domain; of those who ask at once, one gets it. Members, within their quota."""

    def act() -> Reply:
        rrsets = None if sent.rrsets is None else [one.model_dump() for one in sent.rrsets]
        zone = domains.register(call.desk, call.actor, sent.name, rrsets=rrsets, hosting=sent.hosting.value)
        return Reply(shapes.zone(zone), 201, zone.domain.version, where(zone.domain.name))

    return call.write(act)


@router.get("/domains/{name}", tags=["domains"], response_model=answers.Zone)
def get_domain(call: Caller, name: Name) -> Response:
    """Read a domain with what it says. Its holder; registrars: all."""
    zone = domains.get(call.desk, call.actor, name)
    return call.show(shapes.zone(zone), zone.domain.version)


@router.get("/domains/{name}/check", tags=["domains"], response_model=answers.Check)
def check_domain(call: Caller, name: Name) -> Response:
    """Ask whether a name can be had, and why not. Members."""
    found, state, faults = domains.check(call.desk, call.actor, name)
    errors = [
        {"field": fault.field, "code": fault.code, "detail": fault.what, "remedy": fault.remedy} for fault in faults
    ]
    available = state is DomainState.AVAILABLE and not faults
    return call.show(
        {
            "name": found,
            "unicode": to_unicode(found) if found.endswith(".") else found,
            "state": state.value,
            "available": available,
            "errors": errors,
        }
    )


@router.delete("/domains/{name}", tags=["domains"], response_model=answers.Domain)
def release_domain(call: Caller, name: Name) -> Response:
    """Let a domain go: from now on others can have it. Its holder."""
    return call.write(lambda: reply(domains.release(call.desk, call.actor, name, if_match=call.if_match)))


@router.post("/domains/{name}/renew", tags=["domains"], response_model=answers.Domain)
def renew_domain(call: Caller, name: Name) -> Response:
    """Keep a domain for another term. Its holder."""
    return call.write(lambda: reply(domains.renew(call.desk, call.actor, name, if_match=call.if_match)))


@router.post("/domains/{name}/lock", tags=["domains"], response_model=answers.Domain)
def lock_domain(call: Caller, name: Name) -> Response:
    """Lock a domain: nothing of it changes until it is unlocked. Its holder."""
    return call.write(lambda: reply(domains.lock(call.desk, call.actor, name, if_match=call.if_match)))


@router.post("/domains/{name}/unlock", tags=["domains"], response_model=answers.Domain)
def unlock_domain(call: Caller, name: Name) -> Response:
    """Unlock a domain. Its holder."""
    return call.write(lambda: reply(domains.unlock(call.desk, call.actor, name, if_match=call.if_match)))
