"""What was done, and how the registry is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..failure import REFUSED
from ..tool import Tool, arg, verb
from .names import LIMITED

ENTRIES: Final = (
    ("NO", "number"), ("TIME", "time"), ("WHO", "actor"), ("BY", "via"), ("ACTION", "action"), ("OBJECT", "object"),
    ("DETAIL", "detail"),
)  # fmt: skip


def _list(tool: Tool) -> None:
    given = tool.given
    tool.listed(
        ENTRIES, "audit", account=given.account, action=given.action, object=given.object, since=given.since,
        until=given.until,
    )  # fmt: skip


def _verify(tool: Tool) -> int:
    found = tool.get("audit", "verification").body
    tool.say(["The audit log is what it was."] if found["good"] else found["problems"], found)
    return 0 if found["good"] else REFUSED


def _state(path: str) -> Callable[[Tool], None]:
    def run(tool: Tool) -> None:
        items = tool.get(path).body["items"]
        keys = list(dict.fromkeys(key for one in items for key in one))
        tool.table([(key.upper().replace("_", " "), key) for key in keys] or [("NOTHING", "nothing")], items)

    return run


def _drift(tool: Tool) -> None:
    found = tool.get("drift").body["drift"]
    if found is None:
        tool.done("The reconciler has not run yet.", None)
        return
    tool.one([(key.replace("_", " "), key) for key in found], found)


VERBS = (
    verb(
        "audit list", "read the audit log: what is yours, or all for operators", _list,
        arg("--account", default="", about="only what somebody did"),
        arg("--action", default="", about="only one action, as in domain.register"),
        arg("--object", default="", about="only one object, as in garden.alt."),
        arg("--since", default="", about="from a time on (RFC 3339, UTC)"),
        arg("--until", default="", about="up to a time"), LIMITED,
    ),
    verb("audit verify", "verify the whole log; for operators", _verify),
    verb("state outbox", "list zones that wait to be written", _state("outbox")),
    verb("state drift", "show what the reconciler found last", _drift),
    verb("state servers", "list the name servers", _state("servers")),
)  # fmt: skip
