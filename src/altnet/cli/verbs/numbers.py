"""Prefixes, autonomous system numbers and route objects, of members who route."""

from __future__ import annotations

from typing import Final

from ..failure import USAGE, CommandError
from ..tool import Tool, arg, verb
from .names import DS, LIMITED, YES

PREFIXES: Final = (
    ("PREFIX", "prefix"), ("HOLDER", "holder"), ("ORIGINS", lambda one: [f"AS{number}" for number in one["asns"]]),
    ("REVERSE", "nameservers"),
)  # fmt: skip
PREFIX: Final = (
    ("prefix", "prefix"), ("holder", "holder"), ("origins", lambda one: [f"AS{number}" for number in one["asns"]]),
    ("reverse", "nameservers"), ("DS", "ds"), ("created", "created"), ("updated", "updated"),
)  # fmt: skip
ASNS: Final = (("ASN", lambda one: f"AS{one['number']}"), ("HOLDER", "holder"), ("CREATED", "created"))
ROUTES: Final = (("PREFIX", "prefix"), ("ORIGIN", lambda one: f"AS{one['asn']}"), ("HOLDER", "holder"))


def number(given: str) -> int:
    """Return an AS number, as ``AS4200065536`` or bare."""
    digits = given.upper().removeprefix("AS")
    if not (digits.isascii() and digits.isdigit()):
        raise CommandError(f"{given!r} is no AS number", "write it like AS4200065536", USAGE)
    return int(digits)


def _register_prefix(tool: Tool) -> None:
    made = tool.write("POST", "prefixes", body={"size": tool.given.size, "prefix": tool.given.prefix}).body
    tool.done(f"{made['prefix']} is yours.", made)


def _list_prefixes(tool: Tool) -> None:
    tool.listed(PREFIXES, "prefixes", holder=tool.given.holder)


def _show_prefix(tool: Tool) -> None:
    tool.one(PREFIX, tool.get("prefixes", tool.given.prefix).body)


def _release_prefix(tool: Tool) -> None:
    tool.sure("give the prefix back, with its routes and its reverse zone", tool.given.prefix)
    tool.write("DELETE", "prefixes", tool.given.prefix)
    tool.done(f"{tool.given.prefix} is given back.", {"released": True})


def _reverse(tool: Tool) -> None:
    body = {"nameservers": tool.given.ns, "ds": tool.given.ds}
    found = tool.write("PUT", "prefixes", tool.given.prefix, "reverse", body=body).body
    servers = ", ".join(found["nameservers"])
    tool.done(f"The reverse zone of {found['prefix']} is {f'at {servers}' if servers else 'not delegated'}.", found)


def _register_asn(tool: Tool) -> None:
    made = tool.write("POST", "asns").body
    tool.done(f"AS{made['number']} is yours.", made)


def _list_asns(tool: Tool) -> None:
    tool.listed(ASNS, "asns", holder=tool.given.holder)


def _release_asn(tool: Tool) -> None:
    tool.sure("give the number back", tool.given.asn)
    tool.write("DELETE", "asns", str(number(tool.given.asn)))
    tool.done(f"AS{number(tool.given.asn)} is given back.", {"released": True})


def _add_route(tool: Tool) -> None:
    body = {"prefix": tool.given.prefix, "asn": number(tool.given.asn)}
    found = tool.write("POST", "routes", body=body).body
    tool.done(f"AS{body['asn']} may announce {found['prefix']}.", found)


def _drop_route(tool: Tool) -> None:
    origin = number(tool.given.asn)
    found = tool.write("DELETE", "routes", tool.given.prefix, str(origin)).body
    tool.done(f"AS{origin} may announce {found['prefix']} no longer.", found)


def _list_routes(tool: Tool) -> None:
    tool.listed(ROUTES, "routes", holder=tool.given.holder)


_PREFIX = arg("prefix", about="the prefix, as in fd12:3456:789a:8000::/56")
_ASN = arg("asn", about="the number, as in AS4200065536")
_HOLDER = arg("--holder", default="", about="only somebody's")
VERBS = (
    verb(
        "prefix register", "get a prefix: a /56 of the network's, or a /48", _register_prefix,
        arg("size", type=int, choices=(48, 56), about="48 or 56"),
        arg("--prefix", default=None, about="a /48 by RFC 4193 that you have"),
    ),
    verb("prefix list", "list prefixes", _list_prefixes, _HOLDER, LIMITED),
    verb("prefix show", "show a prefix", _show_prefix, _PREFIX),
    verb("prefix release", "give a prefix back", _release_prefix, _PREFIX, YES),
    verb(
        "prefix reverse", "delegate a prefix's reverse zone, or end that", _reverse, _PREFIX,
        arg("--ns", action="append", default=[], metavar="HOST", about="a server of yours; none: no delegation"), DS,
    ),
    verb("asn register", "get an autonomous system number", _register_asn),
    verb("asn list", "list autonomous system numbers", _list_asns, _HOLDER, LIMITED),
    verb("asn release", "give a number back", _release_asn, _ASN, YES),
    verb("route add", "let a number announce a prefix", _add_route, _PREFIX, _ASN),
    verb("route drop", "let it no longer", _drop_route, _PREFIX, _ASN),
    verb("route list", "list route objects", _list_routes, _HOLDER, LIMITED),
)  # fmt: skip
