"""The application between the web server and the decisions: which path, which site, how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from signon_world import CHAT, LOGIN, PASSWORD, WIKI, World, hidden

from altnet.authenticator.messages import Reply

pytest.importorskip("starlette", reason="not installed; lab/unit-debian has it and runs this")


def call(
    world: World, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, list[tuple[str, str]], str]:
    """Ask the application of the first host."""
    from altnet.authenticator.app import make  # noqa: PLC0415 - needs Starlette

    sent: list[Any] = []
    whole, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": whole,
        "raw_path": whole.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http", "server": None,
        "client": None, "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(make(world.hosts[LOGIN].context)(scope, receive, send))
    lines = [(key.decode().lower(), value.decode()) for key, value in sent[0]["headers"]]
    return sent[0]["status"], lines, b"".join(part.get("body", b"") for part in sent[1:]).decode()


HTML = {"accept": "text/html", "altnet_client": "fd12:3456:789a::9"}


def test_a_question_is_about_another_request(signon: World) -> None:
    asked = {**HTML, "altnet_site": WIKI, "altnet_uri": "/a?b", "altnet_method": "GET"}
    status, lines, _ = call(signon, "GET", "/check", **asked)
    assert status == 303
    assert dict(lines)["location"].startswith(f"https://{LOGIN}/authorize?flow=")
    assert call(signon, "GET", "/check", **{**asked, "altnet_method": "POST"})[0] == 401


def test_each_path_is_one_sites(signon: World) -> None:
    assert call(signon, "GET", "/", altnet_site=LOGIN)[0] == 200
    assert call(signon, "GET", "/.altnet/logout", altnet_site=WIKI)[0] == 200
    for path, site in (("/", WIKI), ("/authorize", WIKI), ("/.altnet/callback", LOGIN), ("/nothing", LOGIN), ("/", "")):
        assert call(signon, "GET", path, altnet_site=site)[0] == 404, (path, site)
    assert call(signon, "PUT", "/", altnet_site=LOGIN)[0] == 405
    assert call(signon, "POST", "/check", altnet_site=WIKI)[0] == 405


def test_a_form_and_every_cookie(signon: World) -> None:
    _, lines, body = call(signon, "GET", "/", altnet_site=LOGIN)
    cookie = dict(lines)["set-cookie"].partition(";")[0]
    token = hidden(Reply(200, body))["token"]
    form = f"token={token}&user=ada&password={PASSWORD.replace(' ', '+')}".encode()
    status, lines, _ = call(signon, "POST", "/", form, altnet_site=LOGIN, cookie=cookie, origin=f"https://{LOGIN}")
    assert status == 303
    cookies = [value.partition("=")[0] for key, value in lines if key == "set-cookie"]
    assert cookies == ["__Host-altnet-login", "__Host-altnet-form"]
    assert dict(lines)["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"a" * 20_000, b"&".join([b"a=b"] * 20), b"\xff\xfe", b""])
def test_a_form_that_is_none(signon: World, body: bytes) -> None:
    assert call(signon, "POST", "/", body, altnet_site=LOGIN)[0] == (413 if len(body) > 16_384 else 403)


def test_a_site_that_is_not_known_here(signon: World) -> None:
    assert call(signon, "GET", "/check", altnet_site=CHAT, altnet_uri="/")[0] == 403
