"""Names: whether they can be had, registering, keeping, giving away and letting go."""

from __future__ import annotations

from typing import Any, Final

from ..failure import IN_THE_WAY, USAGE, CommandError
from ..tool import LIMIT, Tool, arg, verb
from . import records

LIST: Final = (
    ("NAME", "unicode"), ("STATE", "state"), ("HOSTING", "hosting"), ("HOLDER", "holder"),
    ("EXPIRES", lambda one: str(one["expires"])[:10]),
)  # fmt: skip
SHOW: Final = (
    ("name", "unicode"), ("in the DNS", lambda one: one["name"] if one["name"] != one["unicode"] + "." else None),
    ("state", "state"), ("reason", "reason"), ("hosting", "hosting"), ("holder", "holder"),
    ("offered to", "transfer_to"), ("created", "created"), ("updated", "updated"), ("expires", "expires"),
    ("transfer key", "tsig"),
)  # fmt: skip
NAME: Final = arg("name", about="the name, as in garden.alt; without a dot it is in the first TLD")
NS: Final = arg(
    "--ns", action="append", default=[], metavar="HOST[=ADDRESS,…]",
    about="a server of yours; with addresses where its name is in the domain itself",
)  # fmt: skip
DS: Final = arg("--ds", action="append", default=[], metavar="'TAG ALGORITHM TYPE DIGEST'", about="a DS record")
YES: Final = arg("--yes", action="store_true", about="do not ask whether it is meant")
LIMITED: Final = arg("--limit", type=int, default=LIMIT, about=f"how many at most ({LIMIT}; 0 is all)")


def _check(tool: Tool) -> int:
    """Ask for each name whether it can be had; 5 where one cannot."""
    found = [tool.get("domains", name, "check").body for name in tool.given.names]
    why = lambda one: "; ".join(error["detail"] for error in one["errors"])  # noqa: E731
    tool.table((("NAME", "unicode"), ("TO HAVE", "available"), ("STATE", "state"), ("WHY NOT", why)), found)
    return 0 if all(one["available"] for one in found) else IN_THE_WAY


def _register(tool: Tool) -> None:
    given = tool.given
    body: dict[str, Any] = {"name": given.name}
    rrsets = records.sets(given.record, given.ttl)
    for address in given.address:
        kind = "AAAA" if ":" in address else "A"
        records.add(rrsets, "@", kind, given.ttl, [address])
    if given.ns:
        if rrsets:
            raise CommandError("A name has records here or servers of its own", "give --ns or the others", USAGE)
        hosts, glue = nameservers(given.ns)
        body["hosting"] = "delegated"
        records.add(rrsets, "@", "NS", given.ttl, hosts)
        records.add(rrsets, "@", "DS", given.ttl, given.ds)
        for host, addresses in glue.items():
            for address in addresses:
                records.add(rrsets, host, "AAAA" if ":" in address else "A", given.ttl, [address])
    if rrsets:
        body["rrsets"] = rrsets
    made = tool.write("POST", "domains", body=body).body
    waits = made["state"] == "requested"
    tool.done(f"{made['unicode']} {'waits for a registrar.' if waits else 'is yours.'}", made)


def _list(tool: Tool) -> None:
    given = tool.given
    tool.listed(LIST, "domains", holder=given.holder, state=given.state, part=given.part)


def _show(tool: Tool) -> None:
    found = tool.get("domains", tool.given.name).body
    tool.one(SHOW, found)
    if not tool.json and found["rrsets"]:
        tool.done("")
        records.show_sets(tool, found["rrsets"], found["name"])


def _simple(act: str, said: str) -> Any:  # noqa: ANN401 - what argparse calls
    def run(tool: Tool) -> None:
        found = tool.write("POST", "domains", tool.given.name, act).body
        tool.done(f"{found['unicode']} {said.format(**found)}", found)

    return run


def _release(tool: Tool) -> None:
    tool.sure("let the name go, for others to have", tool.given.name)
    found = tool.write("DELETE", "domains", tool.given.name).body
    tool.done(f"{tool.given.name} is released.", found)


def _offer(tool: Tool) -> None:
    found = tool.write("POST", "domains", tool.given.name, "offer", body={"to": tool.given.to}).body
    tool.done(f"{found['unicode']} is offered to {found['transfer_to']}, who has to accept it.", found)


def _delegate(tool: Tool) -> None:
    hosts, glue = nameservers(tool.given.ns)
    if not hosts:
        raise CommandError("There is no server", "give --ns for each", USAGE)
    body = {"nameservers": hosts, "ds": tool.given.ds, "glue": glue}
    found = tool.write("PUT", "domains", tool.given.name, "delegation", body=body).body
    tool.done(f"{found['unicode']} is delegated to {', '.join(hosts)}.", found)


def _host(tool: Tool) -> None:
    found = tool.write("DELETE", "domains", tool.given.name, "delegation").body
    tool.done(f"{found['unicode']} is on the network's servers again.", found)


def _key(tool: Tool) -> None:
    """Make, or end, the key by which a zone is fetched."""
    if tool.given.forbid:
        found = tool.write("DELETE", "domains", tool.given.name, "transfer-key").body
        tool.done(f"Nobody fetches {found['unicode']} any more.", found)
        return
    found = tool.write("POST", "domains", tool.given.name, "transfer-key").body
    fields = (("key", "key_name"), ("algorithm", "key_algorithm"), ("secret", "key"))
    tool.one(fields, found)
    tool.note("The secret is not shown again." if found["key"] else records.LOST)


def nameservers(given: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return servers and their addresses from ``HOST=ADDRESS,ADDRESS``."""
    hosts, glue = [], {}
    for one in given:
        host, _, addresses = one.partition("=")
        hosts.append(host)
        if addresses:
            glue[host] = addresses.split(",")
    return hosts, glue


VERBS = (
    verb("name check", "ask whether names can be had", _check, arg("names", nargs="+", about="names")),
    verb(
        "name register", "register a name", _register, NAME,
        arg("--address", action="append", default=[], about="an address that it has"),
        arg(
            "--record", action="append", default=[], metavar="'OWNER TYPE VALUE'",
            about="a record, as '@ MX 10 mail.garden.alt.'",
        ),
        arg("--ttl", type=int, default=3600, about="of its records, in seconds (3600)"), NS, DS,
    ),
    verb(
        "name list", "list names: yours, or all for registrars", _list,
        arg("--part", default="", about="only what has this in its name"),
        arg("--state", default="", about="only what is in a state"),
        arg("--holder", default="", about="only somebody's"), LIMITED,
    ),
    verb("name show", "show a name with its records", _show, NAME),
    verb("name renew", "keep a name for another term", _simple("renew", "is yours until {expires}."), NAME),
    verb("name release", "let a name go", _release, NAME, YES),
    verb("name lock", "lock a name: nothing of it changes", _simple("lock", "is locked."), NAME),
    verb("name unlock", "unlock a name", _simple("unlock", "is unlocked."), NAME),
    verb("name offer", "offer a name to somebody", _offer, NAME, arg("to", about="their account")),
    verb("name accept", "accept a name that is offered to you", _simple("accept", "is yours."), NAME),
    verb("name withdraw", "take an offer back, or decline it", _simple("withdraw", "stays with {holder}."), NAME),
    verb("name delegate", "delegate a name to servers of your own", _delegate, NAME, NS, DS),
    verb("name host", "have the network serve a name again", _host, NAME),
    verb(
        "name key", "make the TSIG key by which you fetch a zone (AXFR)", _key, NAME,
        arg("--forbid", action="store_true", about="end the key instead"),
    ),
)  # fmt: skip
