"""Records: all of a name, one set at a time, one value at a time, or from a zone file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from ..client import Answer
from ..failure import IN_THE_WAY, USAGE, CommandError, RefusedError
from ..tool import Tool, arg, verb

T = TypeVar("T")
LOST: Final = "It was made, and its answer was lost on the way: remove it, and make another."
_TRIES: Final = 4
_QUOTED: Final = frozenset(("TXT", "SPF"))
RRset = dict[str, Any]


def sets(given: Iterable[str], ttl: int) -> list[RRset]:
    """Return record sets from texts such as ``@ AAAA fd12::1``."""
    found: list[RRset] = []
    for one in given:
        words = one.split(None, 2)
        if len(words) < 3:
            remedy = "write owner, type and value: '@ MX 10 mail.garden.alt.'"
            raise CommandError(f"{one!r} is no record", remedy, USAGE)
        add(found, words[0], words[1], ttl, [words[2]])
    return found


def add(found: list[RRset], owner: str, kind: str, ttl: int, values: Sequence[str]) -> None:
    """Add records to the set that they belong to."""
    if not values:
        return
    mine = next((one for one in found if (one["name"], one["type"]) == (owner, kind.upper())), None)
    if mine is None:
        mine = {"name": owner, "type": kind.upper(), "ttl": ttl, "records": []}
        found.append(mine)
    mine["records"] += quoted(kind, values)


def quoted(kind: str, values: Sequence[str]) -> list[str]:
    """Return values as a zone file has them: a text without its quotes gets them, in parts of 255 bytes (RFC 1035)."""
    if kind.upper() not in _QUOTED:
        return list(values)
    return [value if value.lstrip().startswith('"') else _strings(value) for value in values]


def _strings(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    parts = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join('"' + "".join(map(_byte, part)) + '"' for part in parts)


def _byte(one: int) -> str:
    if one in b'"\\':
        return "\\" + chr(one)
    return chr(one) if 32 <= one < 127 else f"\\{one:03d}"


def show_sets(tool: Tool, found: Sequence[RRset], domain: str) -> None:
    """Show record sets, a line for each record."""
    lines = [
        {"name": _owner(one["name"], domain), "ttl": one["ttl"], "type": one["type"], "value": value}
        for one in found
        for value in one["records"]
    ]
    tool.table((("OWNER", "name"), ("TTL", "ttl"), ("TYPE", "type"), ("VALUE", "value")), lines)


def _owner(name: str, domain: str) -> str:
    return "@" if name == domain else name.removesuffix(f".{domain}")


def _list(tool: Tool) -> None:
    given = tool.given
    if tool.json:
        tool.table((), tool.get("domains", given.name, "rrsets").body["items"])
        return
    zone = tool.get("domains", given.name).body
    if given.zone_file:
        rrsets = zone["rrsets"]
        tool.say(f"{one['name']} {one['ttl']} IN {one['type']} {value}" for one in rrsets for value in one["records"])
        return
    show_sets(tool, zone["rrsets"], zone["name"])


def _put(tool: Tool) -> None:
    given = tool.given
    body = {"ttl": given.ttl, "records": quoted(given.type, given.values)}
    made = tool.write("PUT", "domains", given.name, "rrsets", given.owner, given.type, body=body).body
    tool.done(f"{made['name']} {made['type']} is {', '.join(made['records'])}.", made)


def _add(tool: Tool) -> None:
    """Add values to a set, or make it; what others write meanwhile is not lost."""
    given, values = tool.given, quoted(tool.given.type, tool.given.values)

    def act() -> RRset:
        there = _read(tool)
        if there is None:
            body = {"ttl": 3600 if given.ttl is None else given.ttl, "records": values}
            version = tool.get("domains", given.name).version
        else:
            old = there.body
            ttl = old["ttl"] if given.ttl is None else given.ttl
            body = {"ttl": ttl, "records": [*old["records"], *(one for one in values if one not in old["records"])]}
            version = there.version
        made: RRset = _place(tool, "PUT", body, version).body
        return made

    made = _again(act)
    tool.done(f"{made['name']} {made['type']} is {', '.join(made['records'])}.", made)


def _delete(tool: Tool) -> None:
    """Remove a set, or some values of it."""
    given = tool.given
    if not given.values:
        tool.write("DELETE", "domains", given.name, "rrsets", given.owner, given.type)
        tool.done(f"{given.owner} {given.type} of {given.name} is gone.", {"removed": True})
        return
    values = quoted(given.type, given.values)

    def act() -> None:
        there = _read(tool)
        old = there.body["records"] if there else []
        strange = [one for one in values if one not in old]
        if there is None or strange:
            raise CommandError(f"There is no {strange[0]}", f"look: altnet record list {given.name}", IN_THE_WAY)
        rest = [one for one in old if one not in values]
        body = {"ttl": there.body["ttl"], "records": rest} if rest else None
        _place(tool, "PUT" if rest else "DELETE", body, there.version)

    _again(act)
    tool.done(f"{', '.join(values)} is gone.", {"removed": True})


def _import(tool: Tool) -> None:
    """Make a name say what a zone file says, and nothing else; shown before it is done."""
    given = tool.given
    zone = tool.get("domains", given.name)
    domain = zone.body["name"]
    wanted = _zone_file(given.file, domain)
    old, new = _flat(zone.body["rrsets"]), _flat(wanted)
    if given.merge:
        kept = {(one["name"], one["type"]) for one in wanted}
        wanted += [one for one in zone.body["rrsets"] if (one["name"], one["type"]) not in kept]
        new = _flat(wanted)
    changes = [f"- {one}" for one in sorted(old - new)] + [f"+ {one}" for one in sorted(new - old)]
    for line in changes:
        tool.note(line)
    if given.dry_run or not changes:
        tool.done(f"{len(changes)} records {'would change' if changes else 'change'}.", {"changes": changes})
        return
    made = tool.client.ask(
        "PUT", ("domains", given.name, "rrsets"), {"rrsets": wanted}, if_match=zone.version
    ).body  # fmt: skip
    tool.done(f"{made['unicode']} is changed: {len(changes)} records.", made)


def _flat(found: Iterable[RRset]) -> set[str]:
    return {f"{one['name']} {one['ttl']} {one['type']} {value}" for one in found for value in one["records"]}


def _zone_file(place: str, domain: str) -> list[RRset]:
    """Read a zone file (RFC 1035 §5); SOA and the apex's NS are the network's, and left out."""
    try:
        import dns.exception  # noqa: PLC0415 - the one verb that needs more than Python
        import dns.rdatatype  # noqa: PLC0415
        import dns.zone  # noqa: PLC0415
    except ImportError:
        remedy = "install it: apt install python3-dnspython, or pip install dnspython"
        raise CommandError("Reading a zone file needs dnspython", remedy, USAGE) from None
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
        zone = dns.zone.from_text(text, origin=domain, relativize=False, check_origin=False, allow_include=False)
    except OSError as error:
        raise CommandError(f"{place} cannot be read ({error.strerror})", code=USAGE) from None
    except (dns.exception.DNSException, ValueError) as error:
        raise CommandError(f"{place}: {error}", "mend the file", USAGE) from None
    found: list[RRset] = []
    for name, rdataset in zone.iterate_rdatasets():
        kind = dns.rdatatype.to_text(rdataset.rdtype)
        if kind == "SOA" or (kind == "NS" and name == zone.origin):
            continue
        values = [one.to_text() for one in rdataset]
        found.append({"name": name.to_text(), "type": kind, "ttl": rdataset.ttl, "records": values})
    return found


def _read(tool: Tool) -> Answer | None:
    """Return a set as it is, None where there is none."""
    given = tool.given
    try:
        return tool.get("domains", given.name, "rrsets", given.owner, given.type)
    except RefusedError as error:
        if error.status != 404:
            raise
        return None


def _place(tool: Tool, method: str, body: object, version: str) -> Answer:
    given = tool.given
    return tool.write(method, "domains", given.name, "rrsets", given.owner, given.type, body=body, if_match=version)


def _again(act: Callable[[], T]) -> T:
    """Read and write once more where somebody else wrote in between."""
    for _ in range(_TRIES - 1):
        try:
            return act()
        except RefusedError as error:
            if error.status != 412:
                raise
    return act()


_NAME = arg("name", about="the name, as in garden.alt")
_OWNER = arg("owner", about="within the name: www, or @ for the name itself")
_TYPE = arg("type", about="the record's type: AAAA, MX, TXT …")
VERBS = (
    verb(
        "record list", "list a name's records", _list, _NAME,
        arg("--zone-file", action="store_true", about="as lines of a zone file"),
    ),
    verb(
        "record put", "set all records of one owner and type", _put, _NAME, _OWNER, _TYPE,
        arg("values", nargs="+", about="their values"),
        arg("--ttl", type=int, default=3600, about="in seconds (3600)"),
    ),
    verb(
        "record add", "add records to those of one owner and type", _add, _NAME, _OWNER, _TYPE,
        arg("values", nargs="+", about="their values"),
        arg("--ttl", type=int, default=None, about="in seconds, of the whole set"),
    ),
    verb(
        "record delete", "remove all records of one owner and type, or some", _delete, _NAME, _OWNER, _TYPE,
        arg("values", nargs="*", about="those to remove; none: all"),
    ),
    verb(
        "record import", "make a name say what a zone file says", _import, _NAME,
        arg("file", about="the zone file, - for what is piped in"),
        arg("--merge", action="store_true", about="keep what the file does not speak of"),
        arg("--dry-run", action="store_true", about="only show what would change"),
    ),
)  # fmt: skip
