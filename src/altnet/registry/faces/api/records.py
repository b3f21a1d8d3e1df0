"""What a domain says: its records, or to whom it is delegated."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import domains, records
from ...domain.errors import refuse
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Line, Model, Name, Owner, Rdata, Type, example
from .names import Set, Ttl, of_zone

router = APIRouter(route_class=Route)


class Content(Model):
    """The records of an RRset whose name and type the path says."""

    model_config = example(ttl=300, records=["fd12:3456:789a::7"])
    ttl: Ttl = 3600
    records: list[Rdata] = Field(max_length=1000)


class Sets(Model):
    """All RRsets that a domain is to have."""

    model_config = example(rrsets=[{"name": "@", "type": "AAAA", "ttl": 300, "records": ["fd12:3456:789a::7"]}])
    rrsets: list[Set] = Field(max_length=2000)


class Delegation(Model):
    """Your own servers; those named in the domain itself need their addresses."""

    model_config = example(
        nameservers=["ns1.garden.alt."],
        ds=["12345 13 2 " + "ab" * 32],
        glue={"ns1.garden.alt.": ["fd12:3456:789a::53"]},
    )
    nameservers: list[Line] = Field(max_length=16)
    ds: list[Line] = Field([], max_length=16)
    glue: dict[Line, list[Line]] = Field({}, max_length=16)


@router.get("/domains/{name}/rrsets", tags=["records"], response_model=answers.RRsets)
def list_rrsets(call: Caller, name: Name) -> Response:
    """Read all records of a domain. Its holder; registrars: all."""
    return call.show({"items": [shapes.rrset(one) for one in records.listed(call.desk, call.actor, name)]})


@router.put("/domains/{name}/rrsets", tags=["records"], response_model=answers.Zone)
def replace_rrsets(call: Caller, name: Name, sent: Sets) -> Response:
    """Replace all records of a domain at once; what is not sent goes. Its holder."""
    wanted = [one.model_dump() for one in sent.rrsets]
    return call.write(lambda: of_zone(records.replace(call.desk, call.actor, name, wanted, if_match=call.if_match)))


@router.get("/domains/{name}/rrsets/{owner}/{type}", tags=["records"], response_model=answers.RRset)
def get_rrset(call: Caller, name: Name, owner: Owner, type: Type) -> Response:  # noqa: A002 - the path's
    """Read an RRset. The domain's holder; registrars: all."""
    zone = domains.get(call.desk, call.actor, name)
    full = _absolute(owner, zone.domain.name)
    for one in zone.rrsets:
        if one.name == full and one.type == type.upper():
            return call.show(shapes.rrset(one), zone.domain.version)
    raise refuse("missing", "there are no such records", "look at all of the domain's")


@router.put("/domains/{name}/rrsets/{owner}/{type}", tags=["records"], response_model=answers.RRset)
def put_rrset(call: Caller, name: Name, owner: Owner, type: Type, sent: Content) -> Response:  # noqa: A002
    """Set all records of one name and type. The domain's holder."""

    def act() -> Reply:
        return Reply(
            shapes.rrset(
                records.put(call.desk, call.actor, name, owner, type, sent.ttl, sent.records, if_match=call.if_match)
            )
        )

    return call.write(act)


@router.delete("/domains/{name}/rrsets/{owner}/{type}", tags=["records"], status_code=204, response_model=None)
def delete_rrset(call: Caller, name: Name, owner: Owner, type: Type) -> Response:  # noqa: A002
    """Remove all records of one name and type. The domain's holder."""

    def act() -> Reply:
        records.delete(call.desk, call.actor, name, owner, type, if_match=call.if_match)
        return Reply(None, 204)

    return call.write(act)


@router.put("/domains/{name}/delegation", tags=["records"], response_model=answers.Zone)
def delegate_domain(call: Caller, name: Name, sent: Delegation) -> Response:
    """Delegate a domain to your own servers, which are asked first. Its holder."""
    return call.write(
        lambda: of_zone(
            records.delegate(call.desk, call.actor, name, sent.nameservers, sent.ds, sent.glue, if_match=call.if_match)
        )
    )


@router.delete("/domains/{name}/delegation", tags=["records"], response_model=answers.Zone)
def host_domain(call: Caller, name: Name) -> Response:
    """Have the network serve the domain again. Its holder."""
    return call.write(lambda: of_zone(records.host(call.desk, call.actor, name, if_match=call.if_match)))


def _absolute(owner: str, domain: str) -> str:
    """Return an owner's full name, as it is kept."""
    lower = owner.lower()
    if lower in ("@", ""):
        return domain
    return lower if lower.endswith(".") else f"{lower}.{domain}"
