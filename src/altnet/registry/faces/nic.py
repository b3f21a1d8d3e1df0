"""Dynamic DNS as routers speak it (dyndns2): GET /nic/update?hostname=home.garden.alt&myipv6=fd12::7."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from ..acts import records, tokens
from ..domain.errors import RegistryError, refuse
from ..domain.model import Actor, RRset
from .metrics import note
from .signin.session import client_of

if TYPE_CHECKING:
    from ..acts.desk import Desk
    from .world import World

#: Names in one update; more is "numhost".
MOST = 20
TTL = 60
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAME = re.compile(r"(?:[^.\s\x00-\x1f]{1,63}\.)+[^.\s\x00-\x1f]{1,63}\.?")
_WORDS = {"missing": "nohost", "forbidden": "nohost", "state": "nohost", "too-many": "abuse", "unavailable": "911"}


def updater(world: World) -> Callable[[Request], Response]:
    """Return what answers an update: one word a name, as dyndns2 has them."""

    def update(request: Request) -> Response:
        note(request.scope)["route"] = "/nic/update"
        try:
            actor = _actor(world.desk, request)
        except RegistryError as error:
            if error.kind in ("too-many", "unavailable"):
                return _answer([_WORDS[error.kind]], error.status)
            note(request.scope)["failed"] = "dyndns"
            return _answer(["badauth"], 401, {"WWW-Authenticate": 'Basic realm="dyndns", charset="UTF-8"'})
        return _answer(_update(world.desk, actor, request))

    return update


def _update(desk: Desk, actor: Actor, request: Request) -> list[str]:
    names = [name for name in request.query_params.get("hostname", "").split(",") if name]
    if not names:
        return ["notfqdn"]
    if len(names) > MOST:
        return ["numhost"]
    try:
        addresses = tuple(_addresses(request))
    except ValueError:
        return ["dnserr"]
    return [_one(desk, actor, name, addresses) for name in names]


def _answer(words: Iterable[str], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response("\n".join(words) + "\n", status, {"Cache-Control": "no-store", **(headers or {})}, "text/plain")


def _actor(desk: Desk, request: Request) -> Actor:
    """Return who asks: a token as the password of its account, or as a bearer's."""
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    user, secret = "", sent.strip()
    if kind.lower() == "basic":
        with suppress(binascii.Error, ValueError):
            user, _, secret = base64.b64decode(secret, validate=True).decode().partition(":")
    elif kind.lower() != "bearer":
        secret = ""
    if not secret or "\0" in secret:
        raise refuse("unauthenticated", "there is no token", "send an account and its token")
    actor = tokens.authenticate(desk, secret, client_of(request), "dyndns")
    if user and user != actor.uid:
        raise refuse("unauthenticated", "the token is somebody else's")
    return actor


def _addresses(request: Request) -> Iterator[Address]:
    """Yield the addresses: those that are said, or the one that asks; ValueError where one is none."""
    said = [
        part.strip()
        for name in ("myip", "myipv6", "myipv4")
        for part in request.query_params.get(name, "").split(",")
        if part.strip()
    ]
    for text in said or [client_of(request)]:
        address = ipaddress.ip_address(text)
        if any((address.is_link_local, address.is_unspecified, address.is_loopback, address.is_multicast)):
            raise ValueError("an address that means nothing to others")
        yield address


def _one(desk: Desk, actor: Actor, name: str, addresses: tuple[Address, ...]) -> str:
    """Set one name's addresses, and return dyndns2's word for what came of it."""
    if len(name) > 255 or not _NAME.fullmatch(name):
        return "notfqdn"
    owner = name.lower().rstrip(".") + "."
    domain = ".".join(owner.split(".")[-3:])
    shown, changed = ",".join(map(str, addresses)), False
    try:
        known = _known(desk, actor, domain)
        for kind, version in (("AAAA", 6), ("A", 4)):
            wanted = tuple(sorted(str(address) for address in addresses if address.version == version))
            there = next((one for one in known if one.name == owner and one.type == kind), None)
            if not wanted or (there is not None and there.records == wanted):
                continue
            records.put(desk, actor, domain, owner, kind, TTL if there is None else there.ttl, wanted)
            changed = True
    except RegistryError as error:
        return _WORDS.get(error.kind, "dnserr")
    return f"{'good' if changed else 'nochg'} {shown}"


def _known(desk: Desk, actor: Actor, domain: str) -> tuple[RRset, ...]:
    """Return what the domain says; nothing to a token that may only write."""
    try:
        return records.listed(desk, actor, domain)
    except RegistryError as error:
        if error.kind != "forbidden":
            raise
        return ()
