"""RDAP's paths (RFC 9082) and what is answered at them (RFC 9083, RFC 7480)."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...domain.errors import KINDS, RegistryError
from .. import public
from ..metrics import note
from .objects import LEVEL, MEDIA, Maker, Object
from .signing import nobody

if TYPE_CHECKING:
    from ...acts.desk import Desk

#: Found objects in one answer; a search for more is cut off, and says so.
MOST = 50
#: Letters that a search has before its asterisk: nobody reads the whole list of people this way.
SHORTEST = 2
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
CORS = {"Access-Control-Allow-Origin": "*"}
_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
_PATTERN = re.compile(r"(?=.)[^*\x00-\x20]{0,253}\*?[^*\x00-\x20]{0,253}")


class Answer(Exception):  # noqa: N818 - an answer that is no object
    """What is answered instead of an object."""

    def __init__(self, status: int, title: str, *words: str) -> None:
        super().__init__(title)
        self.status, self.title, self.words = status, title, words


class Service:
    """Answers queries."""

    def __init__(self, make: Maker) -> None:
        self.desk, self.make = make.desk, make

    def help(self, _: Request) -> Object:
        """Say what this is."""
        words = (
            "Answers are what the registry has now. Names of people, their addresses and mail are not in them.",
            f"Searches take one * at the end, after {SHORTEST} characters: domains?name=, entities?handle=.",
        )
        return {"notices": [{"title": "About this service", "description": list(words), "links": [self._about()]}]}

    def domain(self, request: Request) -> Object:
        """Answer for a domain."""
        name = request.path_params["name"]
        if not 0 < len(name) <= 255 or re.search(r"[\x00-\x20/]", name):
            raise Answer(400, "This is no domain name")
        zone = public.domain(self.desk, name)
        if zone is None:
            raise Answer(404, "There is no such domain")
        return self.make.domain(zone.domain, zone)

    def nameserver(self, request: Request) -> Object:
        """Answer for a name server."""
        found = public.host(self.desk, request.path_params["name"])
        if found is None:
            raise Answer(404, "There is no such name server")
        return self.make.nameserver(*found)

    def entity(self, request: Request) -> Object:
        """Answer for an account."""
        handle = request.path_params["handle"]
        account = public.account(self.desk, handle) if _HANDLE.fullmatch(handle) else None
        if account is None:
            raise Answer(404, "There is no such entity")
        return redacted(self.make.entity(account))

    def ip(self, request: Request) -> Object:
        """Answer for an address or a prefix."""
        try:
            net = ipaddress.ip_network(request.path_params["net"], strict=False)
        except ValueError:
            raise Answer(400, "This is no address and no prefix") from None
        found = public.prefix(self.desk, net) if isinstance(net, ipaddress.IPv6Network) else None
        if found is None:
            raise Answer(404, "There is no such network")
        return self.make.prefix(found)

    def autnum(self, request: Request) -> Object:
        """Answer for an autonomous system."""
        number = request.path_params["number"]
        if not re.fullmatch(r"[0-9]{1,10}", number, re.ASCII) or int(number) > 4_294_967_295:
            raise Answer(400, "This is no autonomous system's number")
        found = public.asn(self.desk, int(number))
        if found is None:
            raise Answer(404, "There is no such autonomous system")
        return self.make.autnum(found)

    def domains(self, request: Request) -> Object:
        """Search domains by name."""
        pattern = _pattern(request, "name")
        page = public.domains_like(self.desk, pattern.partition("*")[0], MOST)
        wanted = pattern.rstrip(".")
        found = [
            self.make.domain(one)
            for one in page.items
            if _fits(one.name.rstrip("."), wanted) or _fits(one.unicode, wanted)
        ]
        return _results("domainSearchResults", found, cut=page.next is not None)

    def entities(self, request: Request) -> Object:
        """Search accounts by handle."""
        pattern = _pattern(request, "handle")
        page = public.accounts_like(self.desk, pattern.partition("*")[0], MOST)
        found = [self.make.entity(one) for one in page.items if _fits(one.uid, pattern)]
        return _results("entitySearchResults", found, cut=page.next is not None)

    def unknown(self, _: Request) -> Object:
        """Answer what is not searched here."""
        raise Answer(501, "This is not searched here", "Searches are domains?name= and entities?handle=.")

    def nothing(self, _: Request) -> Object:
        """Answer all other paths."""
        raise Answer(400, "This is no query (RFC 9082)", "Try /help.")

    def _about(self) -> Object:
        return self.make.link("/help")


def _pattern(request: Request, by: str) -> str:
    """Return what is searched for; raises Answer."""
    if by not in request.query_params:
        raise Answer(501, "This is not searched here", f"Search by {by}=.")
    pattern = str(request.query_params[by]).lower()
    if not _PATTERN.fullmatch(pattern):
        raise Answer(400, "This is no search pattern", "It has letters, and one * at most.")
    if "*" in pattern and len(pattern.partition("*")[0]) < SHORTEST:
        raise Answer(422, "This is too short", f"Write {SHORTEST} characters before the *.")
    return pattern


def _fits(name: str, pattern: str) -> bool:
    head, star, tail = pattern.partition("*")
    if not star:
        return name == head
    return len(name) >= len(head) + len(tail) and name.startswith(head) and name.endswith(tail)


def _results(member: str, found: list[Object], *, cut: bool) -> Object:
    if not cut:
        return {member: found}
    kind, words = "result set truncated due to unexplainable reasons", f"Only the first {MOST} were looked at."
    return {member: found, "notices": [{"title": "Search Policy", "type": kind, "description": [words]}]}


def redacted(entity: Object) -> Object:
    """Say what is left out of an entity (RFC 9537)."""
    left = (("Registrant Name", "fn"), ("Registrant Email", "email"))
    marks = [
        {
            "name": {"description": name},
            ("postPath" if member == "fn" else "prePath"): f"$.vcardArray[1][?(@[0]=='{member}')]",
            "pathLang": "jsonpath",
            "method": "replacementValue" if member == "fn" else "removal",
            "reason": {"description": "Members' names and mail are theirs to give."},
        }
        for name, member in left
    ]
    return {**entity, "redacted": marks}


def make(desk: Desk, base: str, port43: str, signers: Callable[[str], tuple[str, ...]] = nobody) -> Starlette:
    """Return the application, for a site of its own or below a path of another one.

    ``base`` is where it is for those who ask, ``port43`` the whois server's name; ``signers`` knows a zone's DS.
    """
    service = Service(Maker(desk, base.rstrip("/"), port43, signers))
    paths: Mapping[str, Callable[[Request], Object]] = {
        "/help": service.help,
        "/domain/{name:path}": service.domain,
        "/nameserver/{name:path}": service.nameserver,
        "/entity/{handle:path}": service.entity,
        "/ip/{net:path}": service.ip,
        "/autnum/{number:path}": service.autnum,
        "/domains": service.domains,
        "/entities": service.entities,
        "/nameservers": service.unknown,
        "/{rest:path}": service.nothing,
    }
    return Starlette(routes=[Route(path, _endpoint(path, answer), methods=METHODS) for path, answer in paths.items()])


def _endpoint(path: str, answer: Callable[[Request], Object]) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        note(request.scope)["route"] = "/rdap" + path
        if request.method == "OPTIONS":
            more = {**CORS, "Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Max-Age": "86400"}
            return Response(None, 204, more)
        if request.method not in ("GET", "HEAD"):
            return _error(Answer(405, "Only GET and HEAD are answered"), {"Allow": "GET, HEAD, OPTIONS"})
        try:
            found = answer(request)
        except Answer as other:
            return _error(other)
        except RegistryError as error:
            return _error(Answer(error.status, KINDS[error.kind][1]))
        conformance = [
            LEVEL,
            *(["cidr0"] if "cidr0_cidrs" in found else []),
            *(["redacted"] if "redacted" in found else []),
        ]
        return _response({"rdapConformance": conformance, **found}, 200, {"Cache-Control": "max-age=10"})

    return endpoint


def _error(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    body: Object = {"rdapConformance": [LEVEL], "errorCode": answer.status, "title": answer.title}
    if answer.words:
        body["description"] = list(answer.words)
    return _response(body, answer.status, {"Cache-Control": "no-store", **(headers or {})})


def _response(body: Object, status: int, headers: Mapping[str, str]) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(text, status, {**CORS, **headers}, MEDIA)
