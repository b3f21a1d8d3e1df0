"""Tokens: what programs have instead of a password."""

from __future__ import annotations

from typing import Final

from ..tool import Tool, arg, verb
from .names import LIMITED
from .records import LOST

LIST: Final = (
    ("ID", "id"), ("ACCOUNT", "account"), ("LABEL", "label"), ("MAY", lambda one: one["scope"]["verbs"]),
    ("NAMES", lambda one: one["scope"]["names"]), ("TYPES", lambda one: one["scope"]["types"]),
    ("FROM", lambda one: one["scope"]["sources"]), ("EXPIRES", "expires"), ("USED", "used"), ("REVOKED", "revoked"),
)  # fmt: skip


def _create(tool: Tool) -> None:
    given = tool.given
    scope = {
        "verbs": given.may or ["read", "write"],
        "names": given.for_name,
        "types": [one.upper() for one in given.for_type],
        "sources": given.source,
    }
    made = tool.write("POST", "tokens", body={"label": given.label, "scope": scope, "days": given.days}).body
    if not made["secret"]:
        tool.note(LOST)
    tool.done(made["secret"] or made["id"], made)
    tool.note("The token is not shown again.")


def _list(tool: Tool) -> None:
    tool.listed(LIST, "tokens", account=tool.given.account)


def _revoke(tool: Tool) -> None:
    found = tool.write("DELETE", "tokens", tool.given.id).body
    tool.done(f"{found['label']} ({found['id']}) is revoked.", found)


VERBS = (
    verb(
        "token create", "make a token, and print it", _create,
        arg("label", about="what it is for"),
        arg("--may", action="append", default=[], choices=("read", "write", "full"), about="what (read and write)"),
        arg("--for-name", action="append", default=[], about="only for a name, or *.NAME for all below it"),
        arg("--for-type", action="append", default=[], about="only for a type of records"),
        arg("--source", action="append", default=[], about="only from a prefix of addresses"),
        arg("--days", type=int, default=None, about="how long it is good; else until it is revoked"),
    ),
    verb(
        "token list", "list tokens, without their secrets", _list,
        arg("--account", default="", about="only somebody's"), LIMITED,
    ),
    verb("token revoke", "revoke a token", _revoke, arg("id", about="as token list shows it")),
)  # fmt: skip
