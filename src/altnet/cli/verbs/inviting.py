"""Invitations: links by which others join."""

from __future__ import annotations

from typing import Final

from ..tool import Tool, arg, verb
from .names import LIMITED
from .records import LOST

LIST: Final = (
    ("ID", "id"), ("BY", "inviter"), ("USED", lambda one: f"{one['uses']}/{one['uses_max']}"), ("EXPIRES", "expires"),
    ("REVOKED", "revoked"), ("NOTE", "note"),
)  # fmt: skip


def _create(tool: Tool) -> None:
    given = tool.given
    body = {"uses_max": given.uses, "days": given.days, "note": given.note}
    made = tool.write("POST", "invitations", body=body).body
    if not made["link"]:
        tool.note(LOST)
    tool.done(made["link"] or made["id"], made)
    tool.note(f"Good until {made['expires']}, for {made['uses_max']}. The link is not shown again.")


def _list(tool: Tool) -> None:
    tool.listed(LIST, "invitations", inviter=tool.given.inviter, open=tool.given.open)


def _revoke(tool: Tool) -> None:
    found = tool.write("DELETE", "invitations", tool.given.id).body
    tool.done(f"Nobody joins by {found['id']} any more.", found)


VERBS = (
    verb(
        "invite create", "make an invitation, and print its link", _create,
        arg("--uses", type=int, default=1, about="how many may join by it (1)"),
        arg("--days", type=int, default=None, about="how long it is good; else as the network has it"),
        arg("--note", default="", about="a note for yourself"),
    ),
    verb(
        "invite list", "list invitations: yours, or all for registrars", _list,
        arg("--open", action="store_true", about="only those that can still be used"),
        arg("--inviter", default="", about="only somebody's"), LIMITED,
    ),
    verb("invite revoke", "revoke an invitation", _revoke, arg("id", about="as invite list shows it")),
)  # fmt: skip
