"""Coming and going: joining by an invitation, logging in and out, who one is."""

from __future__ import annotations

import re
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from .. import portal, settings
from ..failure import USAGE, CommandError, RefusedError
from ..tool import Tool, arg, verb

_LINK: Final = re.compile(r"/join/([^/?#]+)")
ME: Final = (
    ("account", "uid"), ("state", "state"), ("roles", "roles"), ("since", "created"), ("invited by", "invited_by"),
    ("token", "token"), ("token may", lambda one: (one.get("scope") or {}).get("verbs")),
    ("for names", lambda one: (one.get("scope") or {}).get("names")),
    ("for types", lambda one: (one.get("scope") or {}).get("types")),
)  # fmt: skip


def _join(tool: Tool) -> None:
    """Join, and be logged in with what was just made up."""
    link = str(tool.given.link)
    found = _LINK.search(link)
    if "/" in link and found is None:
        raise CommandError("This is no invitation's link", "it looks like https://portal.alt/join/…", USAGE)
    secret = found[1] if found else link
    if found and "://" in link and not tool.option("url"):
        parts = urlsplit(link)
        tool.given.url = f"{parts.scheme}://{parts.netloc}"
    good = tool.client.ask("GET", ("join", secret), anonymous=True).body
    tool.note(f"{good['inviter']} invites you.")
    uid = tool.given.uid or tool.ask("The name you want here (small letters and digits): ")
    name = tool.given.name or tool.ask(f"What people call you [{uid}]: ", uid)
    password = tool.secret("A password of your own: ")
    body = {"uid": uid, "name": name, "password": password, "mail": tool.given.mail}
    made = tool.client.ask("POST", ("join", secret), body, anonymous=True, once=True).body
    settings.save(tool.settings)
    _keep(tool, uid, password)
    tool.done(f"Welcome, {uid}. You are logged in; get a name: altnet name register NAME", made)


def _login(tool: Tool) -> None:
    """Keep a token: one that is given, or one that the portal makes for a password."""
    if tool.given.token:
        secret = tool.secret("Token: ").strip()
        tool.client.token = lambda: secret
        me = tool.get("me").body
        settings.save(tool.settings)
        settings.keep_token(secret)
    else:
        uid = tool.given.user or tool.ask("Name: ")
        password = tool.secret("Password: ")
        _keep(tool, uid, password)
        settings.save(tool.settings)
        me = tool.get("me").body
    tool.done(f"You are logged in as {me['uid']}.", me)


def _keep(tool: Tool, uid: str, password: str) -> None:
    """Sign in, and keep a token for this machine."""
    given = tool.given
    scope: dict[str, Any] = {"verbs": ["full"]} if not getattr(given, "read_only", False) else {"verbs": ["read"]}
    wanted = {"label": f"altnet on {socket.gethostname()}"[:100], "scope": scope, "days": getattr(given, "days", 90)}
    code = lambda: tool.ask("The code that your app shows: ")  # noqa: E731
    secret = portal.token(tool.client, uid, password, code, wanted)
    settings.keep_token(secret)
    tool.client.token = lambda: secret


def _logout(tool: Tool) -> None:
    """Revoke the token that is kept here, and forget it."""
    if not settings.token():
        raise CommandError("You are not logged in")
    try:
        token = tool.get("me").body["token"]
        tool.write("DELETE", "tokens", token)
    except RefusedError as error:
        if error.status != 401:
            raise
    settings.forget_token()
    tool.done("The token is revoked and forgotten.", {"logged_in": False})


def _whoami(tool: Tool) -> None:
    tool.one(ME, tool.get("me").body)


VERBS = (
    verb(
        "join", "join by an invitation's link, and log in", _join,
        arg("link", about="the invitation's link, or its last part"),
        arg("--uid", default="", about="the name you want here; else you are asked"),
        arg("--name", default="", about="what people call you"),
        arg("--mail", default="", about="an address of electronic mail, if you want to give one"),
    ),
    verb(
        "login", "log in: have a token on this machine", _login,
        arg("user", nargs="?", default="", about="your name; else you are asked"),
        arg("--token", action="store_true", about="give a token, by a pipe or unseen, in place of name and password"),
        arg("--read-only", action="store_true", about="a token that changes nothing"),
        arg("--days", type=int, default=90, about="how long the token is good (90)"),
    ),
    verb("logout", "revoke this machine's token, and forget it", _logout),
    verb("whoami", "say who you are here, and what you may", _whoami),
)  # fmt: skip
