"""Debian's Caddy with what we render: its checker, and what a browser gets."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from content_host import SITES, Host
from content_servers import Caddy, Client
from tests.certificates import Authority
from tests.daemons import until

from altnet.content import asking, caddy, checker, loaded, root

pytestmark = pytest.mark.xdist_group("content-real")
WWW = "https://www.alt/"


def test_the_checker_takes_it_and_leaves_nothing_behind(host: Host) -> None:
    log = host.place / "new" / "access.log"
    other = host.place / "other.json"
    other.write_text(host.caddy.config.read_text().replace(str(host.caddy.access), str(log)))
    assert checker.check(other) == ""
    assert not log.parent.exists()


def test_the_checker_sees_a_key_that_caddy_cannot_read(host: Host) -> None:
    key = host.pki / "www.alt" / "key.pem"
    key.chmod(0o600)
    try:
        assert "permission denied" in checker.check(host.caddy.config)
    finally:
        key.chmod(0o644)


def test_the_checker_refuses_what_is_wrong(host: Host) -> None:
    good = host.caddy.config.read_text()
    try:
        host.caddy.config.write_text(good.replace('"file_server"', '"fail_server"'))
        wrong = checker.check(host.caddy.config)
        assert "fail_server" in wrong
        assert str(host.caddy.config) in wrong or "/tmp/tmp" not in wrong
        assert "fail_server" in host.caddy.reload()
        assert host.client("bad").get(WWW).status == 200, "a bad configuration has stopped the good one"
    finally:
        host.caddy.config.write_text(good)


@pytest.mark.parametrize(
    ("option", "version"), [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2"), ("--http3-only", "HTTP/3")]
)
def test_every_http(host: Host, option: str, version: str) -> None:
    answer = host.client("http").get(WWW, option)
    assert (answer.status, answer.version) == (200, version)
    assert version == "HTTP/3" or answer.header("alt-svc").startswith('h3=":')


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_compressed(host: Host, kind: str) -> None:
    answer = host.client("gzip").get(WWW, "--header", f"Accept-Encoding: {kind}")
    assert answer.header("content-encoding") == kind
    assert "accept-encoding" in answer.header("vary").lower()


def test_kept_for_as_long_as_was_said(host: Host) -> None:
    client = host.client("cache")
    answer = client.get(WWW)
    assert answer.header("cache-control") == "public, max-age=300"
    again = client.get(WWW, "--header", f"If-None-Match: {answer.header('etag')}")
    assert again.status == 304
    assert client.get("https://files.alt/").header("cache-control") == "public, max-age=60"
    assert client.get("https://open.alt/").header("cache-control") == ""


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (WWW, 200),
        (f"{WWW}none", 404),
        ("https://dead.alt/", 502),
        ("https://notes.alt/", 303),
        ("https://open.alt/", 200),
    ],
)
def test_nothing_is_answered_without_them(host: Host, url: str, status: int) -> None:
    answer = host.client("always").get(url)
    assert answer.status == status
    assert answer.header("strict-transport-security") == "max-age=31536000"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("content-security-policy")
    assert answer.header("x-frame-options") in {"SAMEORIGIN", "DENY"}
    assert answer.header("server") == ""


def test_security_headers(host: Host) -> None:
    answer = host.client("headers").get(WWW)
    assert answer.header("strict-transport-security") == "max-age=31536000"
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("x-frame-options") == "SAMEORIGIN"
    assert answer.header("referrer-policy") == "same-origin"
    assert answer.header("content-security-policy").startswith("default-src 'self'")
    assert answer.header("permissions-policy")
    assert answer.header("server") == ""


def test_an_application_has_its_way_where_it_says_something(host: Host) -> None:
    answer = host.client("app").get("https://open.alt/")
    assert answer.header("x-frame-options") == "DENY"
    assert answer.header("strict-transport-security")


def test_what_is_nobodys_business(host: Host) -> None:
    client = host.client("hidden")
    for name in (".gitlab-ci.yml", ".env.production", ".htpasswd"):
        (host.place / "www" / name).write_text("secret")
        assert client.get(WWW + name).status == 404, name
    for path in (".git/config", "%2egit/config", "..%2f..%2fpki/www.alt/key.pem", "../pki/www.alt/key.pem"):
        answer = client.get(WWW + path, "--path-as-is")
        assert answer.status in {400, 404}, path
        assert "secret" not in answer.body
    assert ".git" not in client.get("https://files.alt/").body


def test_a_file_area_is_listed_and_a_site_is_not(host: Host) -> None:
    (host.place / "www" / "pictures").mkdir(exist_ok=True)
    (host.place / "www" / "pictures" / "cat.jpeg").write_bytes(b"meow")
    client = host.client("files")
    assert "cat.jpeg" in client.get("https://files.alt/pictures/").body
    assert client.get("https://www.alt/pictures/").status == 404


def test_an_application_that_is_dead_harms_nobody_else(host: Host) -> None:
    client = host.client("dead")
    answer = client.get("https://dead.alt/")
    assert answer.status == 502
    assert "dead.alt answers with 502" in answer.body
    assert client.get(WWW).status == 200


def test_plain_http_leads_to_https(host: Host) -> None:
    client = host.client("plain")
    answer = client.get("http://www.alt/a?b=c")
    assert (answer.status, answer.header("location")) == (308, "https://www.alt/a?b=c")
    assert client.get("http://www.alt/.well-known/acme-challenge/none").status == 404
    assert client.get("http://evil.example.net/").status == 404


def test_the_network_s_root_is_there_with_and_without_tls(host: Host) -> None:
    client, roots = host.client("root"), (host.pki / "roots.pem").read_text()
    short = root.fingerprint(roots).replace(":", "").lower()[:8]
    for scheme in ("https", "http"):
        for file in ("root.pem", f"root-{short}.crt"):
            answer = client.get(f"{scheme}://start.alt/{file}")
            assert (answer.status, answer.header("content-type")) == (200, "application/x-x509-ca-cert")
            assert answer.body.strip() == roots.strip()
        page = client.get(f"{scheme}://start.alt/root.html")
        assert root.fingerprint(roots) in page.body
        assert page.header("content-type").startswith("text/html")
        assert page.header("content-security-policy")
    assert client.get("http://start.alt/root.pem").header("cache-control") == "no-store"
    assert client.get("http://start.alt/root.pem").header("strict-transport-security") == ""
    # Nothing else is there without TLS, and no other site has it.
    assert client.get("http://start.alt/").header("location") == "https://start.alt/"
    assert client.get("http://start.alt/root.html/../index.html", "--path-as-is").status in {308, 400, 404}
    assert client.get("http://www.alt/root.pem").header("location") == "https://www.alt/root.pem"


def test_a_name_that_is_not_here(host: Host) -> None:
    client = host.client("unknown")
    assert client.get(WWW, "--header", "Host: evil.alt").status == 421
    with pytest.raises(AssertionError):
        client.get("https://other.alt/")


def test_it_listens_where_it_was_told_to(host: Host) -> None:
    assert host.caddy.process is not None
    inodes = set()
    for entry in Path(f"/proc/{host.caddy.process.pid}/fd").iterdir():
        try:
            inodes |= set(re.findall(r"socket:\[(\d+)\]", str(entry.readlink())))
        except FileNotFoundError:
            continue
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{host.caddy.process.pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes and words[3] in {"0A", "07"}:
                found.add((table, words[1]))
    loopback = "00000000000000000000000001000000"
    assert {address.partition(":")[0] for _, address in found} == {loopback}
    assert {(table, int(address.partition(":")[2], 16)) for table, address in found} == {
        ("tcp6", host.caddy.http), ("tcp6", host.caddy.https), ("udp6", host.caddy.https)
    }  # fmt: skip


def test_a_site_more_without_a_dropped_request(host: Host) -> None:
    more = {"name": "new.alt", "kind": "static", "root": "/srv/www"}
    host.authority.issue("new.alt")
    good = host.caddy.config.read_text()
    client = host.client("reload")
    try:
        started = time.monotonic()
        host.configure([*SITES, more])
        assert checker.check(host.caddy.config) == ""
        assert host.caddy.reload() == ""
        until(lambda: client.get("https://new.alt/").status == 200)
        print(f"checked, loaded and answered in {time.monotonic() - started:.1f} s")
    finally:
        host.caddy.config.write_text(good)
        assert host.caddy.reload() == ""
    assert client.get(WWW).status == 200


def test_the_same_sites_give_the_same_bytes(host: Host) -> None:
    content = host.content(SITES)
    shuffled = {key: content[key] for key in reversed(content)} | {"sites": content["sites"][::-1]}
    assert caddy.render(content) == caddy.render(shuffled)
    json.loads(caddy.render(content))


def test_what_is_loaded_is_known(host: Host) -> None:
    admin = host.caddy.place / "admin"
    before = loaded.digest(admin)
    assert loaded.digest(admin) == before
    good = host.caddy.config.read_text()
    try:
        host.configure(SITES[:2])
        assert host.caddy.reload() == ""
        assert loaded.digest(admin) != before
    finally:
        host.caddy.config.write_text(good)
        assert host.caddy.reload() == ""
    assert loaded.digest(admin) == before


def test_logs_are_rotated(host: Host) -> None:
    client = host.client("rotate")
    big = "x" * 60_000
    for _ in range(25):
        client.get("http://www.alt/", "--header", f"X-Padding: {big}")
    sites = [client.get(WWW, "--header", f"X-Padding: {big}").status for _ in range(25)]
    assert set(sites) == {200}
    until(lambda: len(list(host.caddy.place.glob("access*.log*"))) > 1)


class TestChallenge:
    """A challenge that lands on the sibling of the host that has asked."""

    def sibling(self, tmp_path: Path, address: str, of: str, root: Path | None = None) -> Caddy:
        """A Caddy whose sibling is at ``of``, ports included; ``root`` answers as a pending challenge would."""
        (tmp_path / "pki").mkdir(exist_ok=True)
        authority = Authority(tmp_path / "pki")
        authority.issue("www.alt")
        one = Caddy(tmp_path / address.replace(":", "_"), address)
        content = {
            "sites": [{"name": "www.alt", "kind": "static", "directory": str(tmp_path), "to": "", "groups": [],
                       "policy": "", "cache": 0}],
            "addresses": [address], "siblings": ["fd00::sibling"], "log_size": 1, "log_keep": 1,
            "certificates": {"mode": "files", "directory": str(tmp_path / "pki")},
        }  # fmt: skip
        one.paths = {"[fd00::sibling]:80": of, **one.paths}
        configuration = caddy.configuration(content)
        if root:
            known: dict[str, object] = {
                "match": [{"path": ["/.well-known/acme-challenge/known"]}],
                "handle": [{"handler": "static_response", "status_code": 200, "body": "known.thumbprint"}],
                "terminal": True,
            }
            configuration["apps"]["http"]["servers"]["plain"]["routes"].insert(0, known)
        one.write(json.dumps(configuration))
        return one

    @pytest.mark.usefixtures("host")
    def test_it_is_passed_on_once(self, tmp_path: Path) -> None:
        asked = self.sibling(tmp_path, "::1", "[::1]:1", tmp_path)
        other = self.sibling(tmp_path, "127.0.0.1", f"[::1]:{asked.http}")
        asked.paths["[::1]:1"] = "127.0.0.1:1"
        other.write(other.config.read_text().replace("[127.0.0.1]", "127.0.0.1"))
        other_http = other.http
        asked.write(asked.config.read_text().replace('"[::1]:1"', f'"127.0.0.1:{other_http}"'))
        try:
            asked.start("caddy", "run", "--config", str(asked.config), XDG_DATA_HOME=str(asked.place / "home"))
            other.start("caddy", "run", "--config", str(other.config), XDG_DATA_HOME=str(other.place / "home"))
            client = Client(tmp_path / "jar", asked, tmp_path / "pki")
            at = f"www.alt:80:127.0.0.1:{other_http}"

            def known() -> bool:
                try:
                    url = "http://www.alt/.well-known/acme-challenge/known"
                    return client.get(url, "--connect-to", at).body == "known.thumbprint"
                except AssertionError:
                    return False

            until(known, tell=lambda: asked.log() + other.log())
            started = time.monotonic()
            unknown = client.get("http://www.alt/.well-known/acme-challenge/other", "--connect-to", at)
            assert unknown.status == 404, "nobody knows it, and it was passed to and fro"
            assert time.monotonic() - started < 2
        finally:
            asked.stop()
            other.stop()


def test_a_host_asks_its_own_sites(host: Host) -> None:
    def found(name: str, port: int | None = None) -> asking.Found:
        roots = str(host.pki / "roots.pem")
        return asking.ask(asking.Question("::1", name, roots, port or host.caddy.https, host.caddy.http), 5)

    assert found("www.alt") == asking.Found(200, "", present=True)
    assert found("notes.alt").refusal == ""
    assert found("dead.alt").refusal == "answers with 502"
    bare = found("new.alt")
    assert (bare.refusal, bare.present) == ("has no certificate", True)
    assert found("www.alt", 1).present
    # Nothing of that is written down.
    host.client("watcher").get("https://www.alt/seen")
    until(lambda: "/seen" in host.caddy.access.read_text())
    assert asking.WATCHER not in host.caddy.access.read_text()
    gone = asking.ask(asking.Question("::1", "www.alt", str(host.pki / "roots.pem"), 1, 1), 5)
    assert (gone.refusal, gone.present) == ("does not answer: Connection refused", False)
