"""What registrars do: the queue, holds and takedowns, transfers, accounts and their quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..failure import USAGE, CommandError
from ..tool import Tool, arg, verb
from .names import LIMITED, LIST, NAME, YES

ACCOUNTS: Final = (
    ("ACCOUNT", "uid"), ("STATE", "state"), ("INVITED BY", "invited_by"),
    ("SINCE", lambda one: str(one["created"])[:10]), ("QUOTAS", lambda one: _set(one["quota"])),
)  # fmt: skip
TREE: Final = (
    ("ACCOUNT", lambda one: "  " * one["depth"] + one["uid"]), ("STATE", "state"),
    ("SINCE", lambda one: str(one["created"])[:10]),
)  # fmt: skip
REASON: Final = arg("--reason", required=True, about="why; its holder reads it")
UID: Final = arg("uid", about="the account")


def _set(quota: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in quota.items() if value is not None}


def _queue(tool: Tool) -> None:
    tool.listed(LIST, "domains", state="requested")


def _domain(act: str, said: str, *, reason: bool = False, sure: str = "") -> Callable[[Tool], None]:
    """Return a verb that does one act of the API's with a name."""

    def run(tool: Tool) -> None:
        name = tool.given.name
        if sure:
            tool.sure(sure, name)
        body: dict[str, Any] | None = {"reason": tool.given.reason} if reason else None
        if act == "move":
            body = {"to": tool.given.to, "reason": tool.given.reason}
        found = tool.write("POST", "domains", name, act, body=body).body
        shown = found if isinstance(found, dict) else {"unicode": name, "done": True}
        tool.done(f"{shown['unicode']} {said.format(**shown)}", shown)

    return run


def _list(tool: Tool) -> None:
    tool.listed(ACCOUNTS, "accounts", part=tool.given.part, state=tool.given.state)


def _tree(tool: Tool) -> None:
    tool.table(TREE, tool.get("referrals", root=tool.given.root).body["items"])


def _quota(tool: Tool) -> None:
    given = {key: getattr(tool.given, key) for key in ("domains", "prefixes", "invitations")}
    body = {key: None if value == "policy" else _count(key, value) for key, value in given.items() if value is not None}
    if not body:
        raise CommandError("There is nothing to set", "give --domains, --prefixes or --invitations", USAGE)
    found = tool.write("PATCH", "accounts", tool.given.uid, body=body).body
    said = ", ".join(f"{key} {value}" for key, value in _set(found["quota"]).items())
    tool.done(f"{found['uid']} may have: {said or 'what everybody may'}.", found)


def _count(key: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise CommandError(f"--{key} {value!r} is no number", "give one, or policy for what everybody may", USAGE)
    return int(value)


def _lock(tool: Tool) -> None:
    found = tool.write("POST", "accounts", tool.given.uid, "lock", body={"reason": tool.given.reason}).body
    tool.done(f"{found['uid']} is locked.", found)


def _unlock(tool: Tool) -> None:
    found = tool.write("POST", "accounts", tool.given.uid, "unlock").body
    tool.done(f"{found['uid']} is let in again.", found)


def _cut(tool: Tool) -> None:
    tool.sure("lock the account and all who came by it, and take their names out of the DNS", tool.given.uid)
    names = "keep" if tool.given.keep_names else "hold"
    found = tool.write("POST", "accounts", tool.given.uid, "cut", body={"reason": tool.given.reason, "names": names})
    items = found.body["items"]
    tool.done(f"Locked: {', '.join(one['uid'] for one in items)}.", found.body)


VERBS = (
    verb("registrar queue", "list registrations that wait", _queue, LIMITED),
    verb("registrar approve", "approve one", _domain("approve", "is registered."), NAME),
    verb("registrar reject", "reject one", _domain("reject", "is rejected.", reason=True), NAME, REASON),
    verb("registrar hold", "take a name out of the DNS", _domain("hold", "is held.", reason=True), NAME, REASON),
    verb("registrar unhold", "let it back", _domain("unhold", "is back in the DNS."), NAME),
    verb(
        "registrar revoke", "take a name down for good",
        _domain("revoke", "is revoked.", reason=True, sure="take the name down for good"), NAME, REASON, YES,
    ),
    verb(
        "registrar move", "give a name to somebody else", _domain("move", "is {holder}'s.", reason=True), NAME,
        arg("to", about="their account"), REASON,
    ),
    verb("registrar reserve", "reserve a name", _domain("reserve", "is reserved.", reason=True), NAME, REASON),
    verb("registrar unreserve", "let people have it", _domain("unreserve", "can be had."), NAME),
    verb(
        "registrar accounts", "list accounts", _list, arg("--part", default="", about="only what has this in it"),
        arg("--state", default="", about="only those in a state"), LIMITED,
    ),
    verb(
        "registrar tree", "show who invited whom; members below themselves", _tree,
        arg("root", nargs="?", default="", about="below an account"),
    ),
    verb(
        "registrar quota", "set how much an account may have", _quota, UID,
        *(arg(f"--{key}", about="a number, or policy") for key in ("domains", "prefixes", "invitations")),
    ),
    verb("registrar lock", "shut somebody out", _lock, UID, REASON),
    verb("registrar unlock", "let somebody in again", _unlock, UID),
    verb(
        "registrar cut", "lock an account and all who came by it", _cut, UID, REASON,
        arg("--keep-names", action="store_true", about="leave their names in the DNS"), YES,
    ),
)  # fmt: skip
