"""How the registry is asked: again where that may help, once where it may not, and never anybody else."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from altnet.cli import client as asking
from altnet.cli.client import Client, where
from altnet.cli.failure import CommandError, RefusedError
from altnet.cli.settings import Settings

Reply = tuple[int, dict[str, str], bytes]
#: In place of a reply: the connection ends without one.
CUT: Reply = (0, {}, b"")


@dataclass
class Fake:
    """A server that answers as it is told, and remembers what it was asked."""

    url: str
    replies: list[Reply] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def client(self, token: str = "altnet_secret", **more) -> Client:
        return Client(Settings(self.url, **more), lambda: token, 5, self.slept.append)


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.asked.append((self.command, self.path, dict(self.headers), body))
            status, headers, data = fake.replies.pop(0) if fake.replies else (200, JSON, b"{}")
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            return

    return Handler


JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_a_write_is_asked_again_under_the_same_key(fake: Fake) -> None:
    fake.replies = [CUT, (503, PROBLEM, b"{}"), (201, JSON, b'{"name": "garden.alt."}')]
    answer = fake.client().ask("POST", ("domains",), {"name": "gärten"}, if_match='"3"')
    assert answer.body == {"name": "garden.alt."}
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in fake.asked}) == 1
    assert len({body for *_, body in fake.asked}) == 1
    method, path, headers, body = fake.asked[2]
    assert (method, path, json.loads(body)) == ("POST", "/api/v1/domains", {"name": "gärten"})
    assert (headers["Authorization"], headers["If-Match"]) == ("Bearer altnet_secret", '"3"')
    assert len(fake.slept) == 2
    # The next write has a key of its own.
    fake.client().ask("DELETE", ("domains", "x"))
    assert fake.asked[3][2]["Idempotency-Key"] != headers["Idempotency-Key"]


def test_it_is_not_asked_for_ever(fake: Fake) -> None:
    fake.replies = [(503, PROBLEM, b'{"title": "Away"}')] * 9
    with pytest.raises(RefusedError) as refused:
        fake.client().get("me")
    assert (refused.value.code, refused.value.lines(), len(fake.asked)) == (6, ["Away."], asking.TRIES)


def test_what_has_no_key_is_asked_once(fake: Fake) -> None:
    for reply in (CUT, (503, PROBLEM, b"{}")):
        fake.replies, fake.asked = [reply], []
        with pytest.raises(CommandError):
            fake.client().ask("POST", ("join", "x"), {}, once=True, anonymous=True)
        assert len(fake.asked) == 1
        assert not {"Idempotency-Key", "Authorization"} & set(fake.asked[0][2])


def test_the_registry_says_how_long_to_wait(fake: Fake) -> None:
    fake.replies = [(429, {**PROBLEM, "Retry-After": "7"}, b"{}")]
    fake.client().get("me")
    assert fake.slept == [7.0]
    fake.replies, fake.asked = [(429, {**PROBLEM, "Retry-After": "600"}, b'{"title": "Too many requests"}')], []
    with pytest.raises(RefusedError):
        fake.client().get("me")
    assert len(fake.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_goes_nowhere_else(fake: Fake, status: int) -> None:
    fake.replies = [(status, {"Location": f"{fake.url}/elsewhere"}, b"")]
    with pytest.raises(RefusedError, match="somewhere else"):
        fake.client().get("me")
    assert [path for _, path, _, _ in fake.asked] == ["/api/v1/me"]


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unheard:
        port = unheard.getsockname()[1]
    slept: list[float] = []
    client = Client(Settings(f"http://127.0.0.1:{port}"), lambda: "x", 1, slept.append)
    with pytest.raises(CommandError, match="does not answer") as away:
        client.get("me")
    assert (away.value.code, len(slept)) == (6, asking.TRIES - 1)


@pytest.mark.parametrize("token", ["", "two words", "line\nfeed", "ümlaut"])
def test_what_is_no_token_is_not_sent(fake: Fake, token: str) -> None:
    with pytest.raises(CommandError) as refused:
        fake.client(token).get("me")
    assert (refused.value.code, fake.asked) == (3, [])


def test_a_part_of_a_path_stays_one(fake: Fake) -> None:
    fake.client().get("prefixes", "fd12::/48")
    fake.client().get("domains", "a/../b?c#d", part="x&y", open=True, cursor=None)
    assert [path for _, path, _, _ in fake.asked] == [
        "/api/v1/prefixes/fd12%3A%3A%2F48",
        "/api/v1/domains/a%2F..%2Fb%3Fc%23d?part=x%26y&open=true",
    ]
    with pytest.raises(CommandError):
        where("domains", "", "rrsets")


def test_what_is_no_json_is_said_in_words(fake: Fake) -> None:
    fake.replies = [(502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>")] * 9
    with pytest.raises(RefusedError, match="answered 502"):
        fake.client().get("me")
    fake.replies = [(403, PROBLEM, b"[1, 2")]
    with pytest.raises(RefusedError) as refused:
        fake.client().get("me")
    assert refused.value.lines() == ["The registry answered 403."]


def test_an_answer_has_an_end(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST", 10)
    fake.replies = [(200, JSON, b'"' + b"x" * 20 + b'"')]
    with pytest.raises(CommandError, match="too long"):
        fake.client().get("me")


class TestTLS:
    @pytest.fixture
    def secure(self, tmp_path: Path) -> Iterator[tuple[str, Path]]:
        key, certificate = tmp_path / "key.pem", tmp_path / "root.pem"
        order = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ]
        order += [
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            certificate,
        ]
        subprocess.run(order, check=True, capture_output=True)
        made = Fake("")
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://localhost:{server.server_port}", certificate
        server.shutdown()
        server.server_close()

    def client(self, settings: Settings) -> Client:
        return Client(settings, lambda: "altnet_secret", 5, _never)

    def test_the_networks_root_is_taken(self, secure: tuple[str, Path]) -> None:
        url, root = secure
        assert self.client(Settings(url, str(root))).get("me").body == {}

    def test_others_are_not_and_nothing_is_tried_again(self, secure: tuple[str, Path]) -> None:
        with pytest.raises(CommandError, match="not known to be genuine") as refused:
            self.client(Settings(secure[0])).get("me")
        assert "--ca" in refused.value.remedy

    def test_a_root_that_is_none(self, secure: tuple[str, Path], tmp_path: Path) -> None:
        (tmp_path / "bad.pem").write_text("nothing\n")
        for name in ("bad.pem", "missing.pem"):
            with pytest.raises(CommandError, match="no file of certificates"):
                self.client(Settings(secure[0], str(tmp_path / name))).get("me")


def _never(_: float) -> None:
    raise AssertionError("it was tried again")


def test_what_was_sent_stands_at_its_fault() -> None:
    sent = {"rrsets": [{"name": "www", "type": "AAAA", "records": ["nonsense"]}], "password": "hidden"}
    place: Callable[[str], str] = lambda path: RefusedError(  # noqa: E731
        422, {"errors": [{"field": path, "detail": "this is wrong", "remedy": "mend it"}]}, sent
    ).lines()[0]
    assert place("rrsets[0].records[0]") == "rrsets[0].records[0] (www AAAA nonsense): This is wrong. Mend it."
    assert place("rrsets[7].ttl") == "rrsets[7].ttl: This is wrong. Mend it."
    assert place("password") == "password: This is wrong. Mend it."
    assert place("") == "This is wrong. Mend it."
