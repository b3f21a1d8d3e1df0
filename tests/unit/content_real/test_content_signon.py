"""Sign-on from outside: curl, Caddy, our authenticator and slapd."""

from __future__ import annotations

import json
import statistics
import time

import pytest
from content_host import SITES, Host
from content_servers import BIND_PASSWORD, PASSWORD, Client
from tests.daemons import until

pytestmark = pytest.mark.xdist_group("content-real")
NOTES = "https://notes.alt/"


def logged_in(host: Host, name: str, user: str = "bob") -> Client:
    client = host.client(name)
    assert client.log_in(client.visit(NOTES), user).status == 200
    return client


def test_refused_shown_and_refused_again(host: Host) -> None:
    client = host.client("first")
    form = client.visit(NOTES)
    assert "Members" not in form.body
    assert 'type="password"' in form.body
    assert client.log_in(form, "bob", "wrong").status == 403
    assert "Members" in client.log_in(client.visit(NOTES), "bob").body
    assert "Members" in client.get(NOTES).body
    times = []
    for _ in range(3):
        host.slapd.member("bob", "members", there=False)
        times.append(until(lambda: client.get(NOTES).status == 403))
        host.slapd.member("bob", "members", there=True)
        until(lambda: client.get(NOTES).status == 200)
    print(f"refused after a group was taken away: median {statistics.median(times):.1f} s, at most {max(times):.1f} s")
    assert max(times) < host.settings["recheck"] + 1


def test_who_is_in_no_group(host: Host) -> None:
    client = host.client("eve")
    assert client.log_in(client.visit(NOTES), "eve").status == 403


def test_an_account_that_was_locked_or_removed_is_out(host: Host) -> None:
    client = logged_in(host, "locked", "ada")
    change = "dn: uid=ada,ou=people,dc=alt\nchangetype: modify\n"
    assert host.slapd.modify(f"{change}add: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n") is None
    try:
        until(lambda: client.get(NOTES).status == 303)
        assert 'type="password"' in client.visit(NOTES).body
        assert client.log_in(client.visit(NOTES), "ada").status == 403
    finally:
        assert host.slapd.modify(f"{change}delete: pwdAccountLockedTime\n") is None


def test_one_login_and_the_application_learns_who_it_is(host: Host) -> None:
    client = logged_in(host, "app")
    told = json.loads(client.visit("https://app.neo/x?y=1").body)
    assert told["headers"]["Remote-User"] == "bob"
    assert told["headers"]["Remote-Groups"] == "members"
    assert "__Host-altnet" not in json.dumps(told["headers"])
    assert told["path"] == "/x?y=1"


def test_nobody_can_claim_to_be_somebody(host: Host) -> None:
    # An underscore, to an application that is told of headers by CGI's rules, is a hyphen.
    said = (
        "Remote-User: ada",
        "Remote_User: ada",
        "REMOTE_USER: ada",
        "Remote-Groups: operators",
        "remote_groups: all",
    )
    claims = [word for one in (*said, "Altnet-Site: www.alt") for word in ("--header", one)]
    told = json.loads(host.client("claim").get("https://open.alt/", *claims).body)
    assert [name for name in told["headers"] if name.lower().startswith("remote")] == []
    assert host.client("claim").get(NOTES, *claims).status == 303
    client = logged_in(host, "claim")
    client.visit("https://app.neo/")
    told = json.loads(client.get("https://app.neo/", *claims).body)
    assert {name: text for name, text in told["headers"].items() if name.lower().startswith("remote")} == {
        "Remote-User": "bob", "Remote-Groups": "members",
    }  # fmt: skip


def test_what_is_sent_to_an_application_gets_there(host: Host) -> None:
    client = logged_in(host, "post")
    client.visit("https://app.neo/")
    told = json.loads(client.get("https://app.neo/form", "--data", "a=" + "b" * 20_000).body)
    assert (told["method"], len(told["body"])) == ("POST", 20_002)
    assert host.client("nobody").get("https://app.neo/form", "--data", "a=b").status == 401


def test_a_code_is_for_one_use_one_site_and_one_browser(host: Host) -> None:
    client = logged_in(host, "codes")
    jar = client.place.read_text()
    client.place.write_text("".join(line for line in jar.splitlines(keepends=True) if "altnet-session" not in line))
    back = client.get(client.get(NOTES).header("location")).header("location")
    assert back.startswith("https://notes.alt/.altnet/callback?code=")
    client.get("https://app.neo/")
    assert client.get(back.replace("notes.alt", "app.neo")).status == 400
    other = host.client("other")
    other.get(NOTES)
    assert other.get(back).status == 400
    assert client.get(back).status == 303
    assert client.get(back).status == 400
    assert client.get(NOTES).status == 200


@pytest.mark.parametrize("path", ["//evil.example.net/", "/\\evil.example.net", "/%0d%0aX-Y:z", "/a?b=//c"])
def test_the_way_back_is_never_another_site(host: Host, path: str) -> None:
    client = host.client("redirect")
    form = client.visit(f"https://notes.alt{path}", "--path-as-is")
    client.log_in(form, "bob")
    assert {line.split("/")[2] for line in client.seen} <= {"notes.alt", "login.alt"}


def test_cookies_are_for_one_host_alone(host: Host) -> None:
    client = host.client("cookies")
    found = client.visit(NOTES).headers.get("set-cookie", []) + client.get(NOTES).headers["set-cookie"]
    for cookie in found:
        assert cookie.startswith("__Host-altnet-")
        assert "Domain" not in cookie
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_sessions_survive_a_restart(host: Host) -> None:
    client = logged_in(host, "restart")
    host.authenticator.stop()
    host.authenticator.run()
    assert client.get(NOTES).status == 200
    host.authenticator.stop()
    try:
        started = time.monotonic()
        assert client.get(NOTES).status == 502
        assert time.monotonic() - started < 10
    finally:
        host.authenticator.run()
    assert client.get(NOTES).status == 200


def test_the_directory_away_for_a_moment_and_for_longer(host: Host) -> None:
    client = logged_in(host, "away")
    host.slapd.stop()
    try:
        time.sleep(host.settings["recheck"] + 0.5)
        assert client.get(NOTES).status == 200
        until(lambda: client.get(NOTES).status == 503)
        assert host.client("new").get("https://www.alt/").status == 200
    finally:
        host.slapd.run()
    until(lambda: client.get(NOTES).status == 200)


def test_logging_out_is_out(host: Host) -> None:
    client = logged_in(host, "logout")
    client.visit("https://app.neo/")
    assert (
        client.get("https://notes.alt/.altnet/logout", "--data", "", "--header", "Origin: https://evil.alt").status
        == 403
    )
    done = client.visit("https://notes.alt/.altnet/logout", "--data", "", "--header", "Origin: https://notes.alt")
    assert "Logged out" in done.body
    assert client.get(NOTES).status == client.get("https://app.neo/").status == 303
    assert 'type="password"' in client.visit(NOTES).body


def test_too_many_tries(host: Host) -> None:
    client = host.client("tries")
    statuses = [client.log_in(client.visit(NOTES), "mallory", f"guess {number}").status for number in range(11)]
    assert statuses == [403] * 10 + [429]


def test_a_form_is_short(host: Host) -> None:
    long = host.client("long").get("https://login.alt/", "--data", "a=" + "b" * 40_000)
    assert long.status in {400, 413, 502}


def test_no_secret_in_any_log(host: Host) -> None:
    client = logged_in(host, "secrets")
    client.get(
        f"{NOTES}?token=sesame-open", "--header", "Authorization: Bearer sesame", "--referer", "https://x/?sesame"
    )
    client.get("https://dead.alt/?token=sesame-open", "--header", "Authorization: Bearer sesame")
    until(lambda: "/?-" in host.caddy.access.read_text())
    jars = [path.read_text() for path in host.place.glob("jar-*")]
    secrets = {line.split("\t")[-1] for jar in jars for line in jar.splitlines() if "__Host-altnet" in line} - {""}
    assert len(secrets) > 3
    logs = host.caddy.access.read_text() + host.caddy.log() + host.authenticator.log() + host.slapd.log()
    assert '"status":303' in logs
    for secret in (PASSWORD, BIND_PASSWORD, "sesame", "code=", "flow=", "gAAAA", *secrets):
        assert secret not in logs, secret
    assert len({site["name"] for site in SITES if f'"host":"{site["name"]}"' in logs}) > 3


def test_what_it_costs(host: Host) -> None:
    client = logged_in(host, "cost")
    before = [client.get(NOTES).status for _ in range(5)]
    print(f"memory: authenticator {host.authenticator.memory()} KiB, Caddy {host.caddy.memory()} KiB")
    assert before == [200] * 5
    assert host.authenticator.memory() < 100_000
