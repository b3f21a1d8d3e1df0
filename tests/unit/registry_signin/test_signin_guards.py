"""What stands before every face: limits, bodies, headers, the log; and what is said when something is away."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from signin_world import CLIENT, PASSWORD, Portal
from sqlalchemy import text

from altnet.registry.faces import guards
from altnet.registry.settings import Limits


class Few(Portal):
    limits = Limits(requests=6, writes=2)


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Few]:
    made = Few(tmp_path)
    yield made
    made.desk.store.close()


class TestLimits:
    def test_a_client_waits_and_others_do_not(self, few: Few) -> None:
        one, other = few.browser("fd12::1"), few.browser("fd12::2")
        assert [one.get("/login").status_code for _ in range(7)] == [200] * 6 + [429]
        assert 1 <= int(one.last.headers["retry-after"]) <= 11
        assert "Too many requests" in one.last.text
        assert other.get("/login").status_code == 200

    def test_writing_is_counted_by_itself(self, few: Few) -> None:
        browser = few.browser()
        assert [browser.send("POST", "/login", {}).status_code for _ in range(3)] == [403, 403, 429]
        assert browser.get("/login").status_code == 200

    def test_programs_get_a_problem(self, few: Few) -> None:
        for _ in range(7):
            answer = few.client().get("/api/v1/domains", headers={"altnet-client": CLIENT})
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 429

    def test_the_bucket_fills_with_time(self) -> None:
        now = [0.0]
        limit = guards.Limit(None, requests=60, writes=6, clock=lambda: now[0])  # type: ignore[arg-type]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": [(b"altnet-client", b"a")]}
        assert [limit._wait(scope) for _ in range(61)] == [0] * 60 + [2]
        now[0] += 1.01
        assert limit._wait(scope) == 0
        assert limit._wait(scope) > 0
        now[0] += 1_000_000
        assert [limit._wait(scope) for _ in range(61)].count(0) == 60


class TestBodies:
    def test_a_length_that_is_said(self, portal: Portal) -> None:
        answer = portal.client().post("/login", content=b"a=" + b"x" * 200_000)
        assert answer.status_code == 413

    @pytest.mark.parametrize("path", ["/login", "/api/v1/domains"])
    def test_a_length_that_is_not_said(self, portal: Portal, path: str) -> None:
        def parts() -> Iterator[bytes]:
            for _ in range(80):
                yield b"x" * 65_536

        answer = portal.client().post(path, content=parts())
        assert answer.status_code in {413, 401, 422}

    def test_a_client_that_goes_away_is_no_fault(self, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/login",
            "raw_path": b"/login", "query_string": b"", "root_path": "", "scheme": "https", "server": None,
            "client": None, "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        }  # fmt: skip
        asyncio.run(portal.app(scope, receive, send))
        assert "Traceback" not in caplog.text


class TestHeaders:
    def test_pages_run_our_scripts_alone(self, portal: Portal) -> None:
        for path, status in (("/login", 200), ("/logout", 200), ("/nothing", 404), ("/authorize?flow=x", 410)):
            answer = portal.browser().get(path)
            assert answer.status_code == status
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert " style=" not in answer.text
            assert "onclick" not in answer.text
            assert "<script>" not in answer.text

    @pytest.mark.parametrize("path", ["/static/signin/passkeys.js", "/healthz", "/security", "/api/v1/domains"])
    def test_everything_else_says_the_least(self, portal: Portal, path: str) -> None:
        answer = portal.client().get(path, follow_redirects=False)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]

    def test_what_sets_a_cookie_is_kept_by_nobody(self, portal: Portal) -> None:
        answer = portal.browser().sign_in()
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("path", ["/static/signin/../routes.py", "/static/signin/%2e%2e/routes.py", "/static/x"])
    def test_files_are_those_that_are_meant(self, portal: Portal, path: str) -> None:
        assert portal.client().get(path).status_code == 404


class TestLog:
    def test_no_secret_is_in_it(self, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        browser = portal.browser()
        flow = portal.seals.seal("flow", site="wiki.alt", path="/", mark="m")
        browser.get(f"/authorize?flow={flow}x")
        browser.get("/reset/averysecretsecret")
        browser.get("/join/averysecretsecret")
        browser.sign_in("ada", "averysecretsecret")
        browser.sign_in()
        browser.get("/security")
        browser.fill("/security/password", old="averysecretsecret", new="averysecretsecret", again="x")
        ours = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("altnet"))
        assert "POST /login" in ours
        assert "ada has signed in by password" in ours
        said = "\n".join(one.getMessage() for one in caplog.records if not one.name.startswith(("httpx", "httpcore")))
        for secret in (flow, "averysecretsecret", PASSWORD, *browser.cookies.values()):
            assert secret not in said

    def test_a_path_cannot_write_lines_of_its_own(self, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        portal.client().get("/a%0aaltnet-registry: ops has signed in%1b[0m")
        ours = [one.getMessage() for one in caplog.records if one.name.startswith("altnet")]
        assert ours
        assert not any(char in line for line in ours for char in "\n\x1b")


class TestAway:
    def test_health(self, portal: Portal) -> None:
        assert portal.client().get("/healthz").text == "well\n"

    def test_a_database_that_is_away(self, portal: Portal) -> None:
        browser = portal.browser()
        browser.sign_in()
        portal.desk.store.close()
        for file in portal.place.iterdir():
            file.unlink()
        (portal.place / "registry.db").mkdir()
        for path in ("/healthz", "/security", "/logout"):
            answer = browser.get(path)
            assert answer.status_code == 503
            assert "database does not answer" in answer.text
        answer = portal.client().get("/api/v1/domains", headers={"authorization": "Bearer altnet_" + "a" * 43})
        assert answer.status_code in {401, 503}
        assert answer.headers["content-type"] == "application/problem+json"
        (portal.place / "registry.db").rmdir()

    def test_a_schema_that_is_old_is_not_well(self, portal: Portal) -> None:
        with portal.desk.store.write() as connection:
            connection.execute(text("update alembic_version set version_num = '0001'"))
        assert portal.client().get("/healthz").status_code == 503

    def test_what_is_broken_says_so_and_no_more(self, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("secret of the house")

        monkeypatch.setattr(portal.people, "authenticate", broken)
        client = portal.client()
        page = client.get("/login")
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        cookie = page.headers["set-cookie"].partition(";")[0]
        headers = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
        answer = client.post("/login", content=f"csrf={csrf}&user=ada&password=x", headers=headers)
        assert answer.status_code == 500
        assert "secret of the house" not in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"])
def test_a_method_that_a_page_has_not(portal: Portal, method: str) -> None:
    answer = portal.client().request(method, "/authorize?flow=x")
    assert answer.status_code == 405


def test_it_serves_on_a_socket_and_ends_in_peace(tmp_path: Path) -> None:
    """The verb ``serve``, as systemd runs it."""
    (tmp_path / "signin").write_text("x" * 40)
    (tmp_path / "password").write_text("secret")
    (tmp_path / "roots.pem").write_bytes(_root())
    where, notify = tmp_path / "socket", tmp_path / "notify"
    value = {
        "database": f"sqlite:///{tmp_path / 'registry.db'}",
        "site": "portal.alt",
        "policy": {"tlds": ["alt"], "prefix": "fd12:3456:789a::/48"},
        "directory": {
            "uris": ["ldap://[::1]:1"], "base": "dc=alt", "bind_dn": "uid=portal", "roots": str(tmp_path / "roots.pem"),
            "password_file": str(tmp_path / "password"),
        },
        "signin_secret_file": str(tmp_path / "signin"),
        "serving": {"socket": str(where), "group": os.environ.get("GROUP") or _group()},
    }  # fmt: skip
    (tmp_path / "settings.json").write_text(json.dumps(value))
    call = [sys.executable, "-m", "altnet.registry"]
    settings = str(tmp_path / "settings.json")
    refused = subprocess.run([*call, "serve", settings], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "run the verb migrate" in refused.stderr.lower()
    subprocess.run([*call, "migrate", settings], check=True, timeout=60)
    import socket  # noqa: PLC0415

    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.bind(str(notify))
    ready.settimeout(60)
    log = (tmp_path / "log").open("w")
    running = subprocess.Popen([*call, "serve", settings], env={**os.environ, "NOTIFY_SOCKET": str(notify)}, stderr=log)
    try:
        assert b"READY=1" in ready.recv(200)
        assert stat.S_IMODE(where.stat().st_mode) == 0o660
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(where)), base_url="http://portal.alt") as client:
            assert client.get("/healthz").text == "well\n"
            answer = client.get("/login")
            assert answer.status_code == 200
            assert "server" not in answer.headers
            csrf = answer.text.partition('name="csrf" value="')[2].partition('"')[0]
            answer = client.post(
                "/login", data={"csrf": csrf, "user": "ada", "password": "averysecretsecret"},
                headers={"cookie": answer.headers["set-cookie"].partition(";")[0]},
            )  # fmt: skip
            assert answer.status_code == 503
            assert "directory does not answer" in answer.text
        running.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        # It ends by the signal itself, after it has answered everybody.
        assert running.wait(30) in {0, -signal.SIGTERM}
        assert time.monotonic() - begun < 10
    finally:
        running.kill()
        ready.close()
        log.close()
    assert "averysecretsecret" not in (tmp_path / "log").read_text()


def _group() -> str:
    import grp  # noqa: PLC0415

    return grp.getgrgid(os.getgid()).gr_name


def _root() -> bytes:
    """Return a root certificate of nobody's."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
