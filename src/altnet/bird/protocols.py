"""The answers of ``birdc show protocols`` and ``birdc show protocols all`` (BIRD 2.0.12 to 2.17)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# Since is one word in BIRD's short formats and in the one that our configuration sets. "iso long" makes it
# two, so a second word that is a time of day is allowed for.
_PROTOCOL = re.compile(
    r"(?P<name>\S+)\s+(?P<proto>\S+)\s+(?P<table>\S+)\s+(?P<state>up|down|start|stop|flush)\s+"
    r"(?P<since>\S+(?:\s\d\d:\d\d:\d\d\S*)?)(?:\s+(?P<info>\S+)(?:\s+(?P<message>\S.*?))?)?\s*"
)
_DETAIL = re.compile(r"\s+(?P<key>[A-Z][^:]*):\s+(?P<value>\S.*?)\s*")
_COUNT = re.compile(r"(\d+) (imported|filtered|exported|preferred)")


@dataclass(frozen=True)
class Routes:
    """How many routes a session has. ``filtered`` are refused ones, counted where BIRD keeps them."""

    imported: int = 0
    filtered: int = 0
    exported: int = 0
    preferred: int = 0


@dataclass(frozen=True)
class Protocol:
    """One protocol instance; for BGP, one session.

    ``state`` is BIRD's (``up``, ``start``, ``down``), ``info`` the protocol's own (``Established``,
    ``Active``, ``Idle``; empty where it has none) and ``message`` what stands behind it, the reason of the
    last failure. ``since`` is text in the format of the daemon's configuration. The rest is None without
    ``all``, and where the protocol does not have it: ``routes`` needs a channel that is up. ``neighbour`` is
    an address without its interface.
    """

    name: str
    proto: str
    table: str
    state: str
    since: str
    info: str = ""
    message: str = ""
    description: str | None = None
    neighbour: str | None = None
    interface: str | None = None
    neighbour_asn: int | None = None
    last_error: str | None = None
    routes: Routes | None = None

    @property
    def established(self) -> bool:
        """The BGP session is up (RFC 4271 section 8.2.2)."""
        return self.proto == "BGP" and self.info == "Established"


def parse_protocols(text: str) -> tuple[Protocol, ...]:
    """Return the protocols in the order BIRD lists them.

    Lines that belong to no protocol (greeting, header, complaint) are passed over: text without a table gives
    none.
    """
    found: list[Protocol] = []
    for line in text.splitlines():
        match = _PROTOCOL.fullmatch(line)
        if match and not line[0].isspace():
            name, proto, table, state, since, info, message = (word or "" for word in match.groups())
            found.append(Protocol(name, proto, table, state, since, info, message))
            continue
        detail = _DETAIL.fullmatch(line)
        if detail and found:
            found[-1] = _with(found[-1], detail["key"], detail["value"])
    return tuple(found)


def _with(protocol: Protocol, key: str, value: str) -> Protocol:
    match key:
        case "Description":
            return replace(protocol, description=value)
        case "Neighbor address":
            address, _, interface = value.partition("%")
            return replace(protocol, neighbour=address, interface=interface or None)
        case "Neighbor AS":
            return replace(protocol, neighbour_asn=int(value))
        case "Last error":
            return replace(protocol, last_error=value)
        case "Routes":
            return replace(protocol, routes=_routes(value))
        case _:
            return protocol


def _routes(value: str) -> Routes:
    return Routes(**{kind: int(count) for count, kind in _COUNT.findall(value)})
