"""Prefixes, autonomous systems and route objects of members who route."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import prefixes
from ...domain.model import Prefix
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Cursor, Filter, Limit, Line, Model, Net, Number, example

router = APIRouter(route_class=Route)


class NewPrefix(Model):
    """A /56 of the network's, or a /48 by RFC 4193: one that is found for you, or one that you have."""

    model_config = example(size=56)
    size: Literal[48, 56]
    prefix: Line | None = Field(None, max_length=64)


class Reverse(Model):
    """Servers of the prefix's reverse zone; none: it is not delegated."""

    model_config = example(nameservers=["ns1.garden.alt."], ds=[])
    nameservers: list[Line] = Field(max_length=16)
    ds: list[Line] = Field([], max_length=16)


class NewRoute(Model):
    """An autonomous system that may announce a prefix; both are yours."""

    model_config = example(prefix="fd12:3456:789a:8000::/56", asn=4200100001)
    prefix: Line = Field(max_length=64)
    asn: int = Field(ge=1, le=4_294_967_295)


def _reply(prefix: Prefix, status: int = 200, location: str = "") -> Reply:
    return Reply(shapes.prefix(prefix), status, prefix.version, location)


@router.get("/prefixes", tags=["prefixes"], response_model=answers.Prefixes)
def list_prefixes(call: Caller, *, holder: Filter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """List prefixes. Your own; registrars: all."""
    page = prefixes.listed_prefixes(call.desk, call.actor, holder=holder, cursor=cursor, limit=limit)
    return call.page([shapes.prefix(one) for one in page.items], page.next)


@router.post("/prefixes", tags=["prefixes"], status_code=201, response_model=answers.Prefix)
def register_prefix(call: Caller, sent: NewPrefix) -> Response:
    """Register a prefix. Members, within their quota."""

    def act() -> Reply:
        made = prefixes.register_prefix(call.desk, call.actor, sent.size, prefix=sent.prefix)
        return _reply(made, 201, f"/api/v1/prefixes/{quote(made.prefix, safe='')}")

    return call.write(act)


@router.get("/prefixes/{prefix}", tags=["prefixes"], response_model=answers.Prefix)
def get_prefix(call: Caller, prefix: Net) -> Response:
    """Read a prefix. Its holder; registrars: all."""
    found = prefixes.get_prefix(call.desk, call.actor, prefix)
    return call.show(shapes.prefix(found), found.version)


@router.delete("/prefixes/{prefix}", tags=["prefixes"], status_code=204, response_model=None)
def release_prefix(call: Caller, prefix: Net) -> Response:
    """Give a prefix back, with its route objects and its reverse zone. Its holder."""

    def act() -> Reply:
        prefixes.release_prefix(call.desk, call.actor, prefix, if_match=call.if_match)
        return Reply(None, 204)

    return call.write(act)


@router.put("/prefixes/{prefix}/reverse", tags=["prefixes"], response_model=answers.Prefix)
def set_reverse(call: Caller, prefix: Net, sent: Reverse) -> Response:
    """Delegate a prefix's reverse zone to your own servers. Its holder."""
    return call.write(
        lambda: _reply(
            prefixes.set_reverse(call.desk, call.actor, prefix, sent.nameservers, sent.ds, if_match=call.if_match)
        )
    )


@router.get("/asns", tags=["asns"], response_model=answers.Asns)
def list_asns(call: Caller, *, holder: Filter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """List autonomous systems. Your own; registrars: all."""
    page = prefixes.listed_asns(call.desk, call.actor, holder=holder, cursor=cursor, limit=limit)
    return call.page([shapes.asn(one) for one in page.items], page.next)


@router.post("/asns", tags=["asns"], status_code=201, response_model=answers.Asn)
def register_asn(call: Caller) -> Response:
    """Get a number for an autonomous system. Members, within their quota."""

    def act() -> Reply:
        made = prefixes.register_asn(call.desk, call.actor)
        return Reply(shapes.asn(made), 201, made.version, f"/api/v1/asns/{made.number}")

    return call.write(act)


@router.get("/asns/{number}", tags=["asns"], response_model=answers.Asn)
def get_asn(call: Caller, number: Number) -> Response:
    """Read an autonomous system. Its holder; registrars: all."""
    found = prefixes.get_asn(call.desk, call.actor, number)
    return call.show(shapes.asn(found), found.version)


@router.delete("/asns/{number}", tags=["asns"], status_code=204, response_model=None)
def release_asn(call: Caller, number: Number) -> Response:
    """Give an autonomous system's number back. Its holder."""

    def act() -> Reply:
        prefixes.release_asn(call.desk, call.actor, number, if_match=call.if_match)
        return Reply(None, 204)

    return call.write(act)


@router.get("/routes", tags=["routes"], response_model=answers.Routes)
def list_routes(call: Caller, *, holder: Filter = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """List route objects; ``limit`` counts their prefixes. Your own; registrars: all."""
    page = prefixes.listed_prefixes(call.desk, call.actor, holder=holder, cursor=cursor, limit=limit)
    found = [{"prefix": one.prefix, "asn": number, "holder": one.holder} for one in page.items for number in one.asns]
    return call.page(found, page.next)


@router.post("/routes", tags=["routes"], status_code=201, response_model=answers.Prefix)
def add_route(call: Caller, sent: NewRoute) -> Response:
    """Let an autonomous system announce a prefix. Who holds both."""
    return call.write(lambda: _reply(prefixes.add_route(call.desk, call.actor, sent.prefix, sent.asn), 201))


@router.delete("/routes/{prefix}/{number}", tags=["routes"], response_model=answers.Prefix)
def drop_route(call: Caller, prefix: Net, number: Number) -> Response:
    """Let an autonomous system announce a prefix no longer. The prefix's holder."""
    return call.write(lambda: _reply(prefixes.drop_route(call.desk, call.actor, prefix, number)))
