"""What the API makes of HTTP: who asks, ETags, keys, and everything that is no good request."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from altnet.registry.domain.model import Actor, Role
from altnet.registry.faces.api.problem import ALL
from altnet.registry.faces.signin import sessions

PROBLEM = "application/problem+json"
NAME = {"name": "garden.alt"}


def kind(answer):
    assert answer.headers["content-type"] == PROBLEM, answer.text
    return answer.json()["type"].rpartition("/")[2]


@pytest.mark.parametrize(
    "sent", ["Bearer", "Bearer nothing", "Basic YW5uOng=", "Bearer altnet_" + "a" * 60, "bearer \x00", "x" * 9000]
)
def test_who_cannot_be_known_is_told_so(registry, sent):
    answer = registry.client.get("/api/v1/me", headers={"Authorization": sent.encode("latin-1")})
    assert answer.status_code == 401
    assert kind(answer) == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_reads_and_acts_with_its_own_token_only(registry):
    secret = registry.session("ann")
    csrf = sessions.find(registry.world.signin, secret).csrf
    cookie = {"Cookie": f"__Host-altnet-session={secret}"}
    assert registry.ask(None, "GET", "/me", headers=cookie).json()["uid"] == "ann"
    for more in (
        {},
        {"X-CSRF-Token": "wrong"},
        {"X-CSRF-Token": csrf, "Origin": "https://evil.alt"},
        {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-site"},
    ):
        answer = registry.ask(None, "POST", "/domains", json=NAME, headers={**cookie, **more})
        assert (answer.status_code, kind(answer)) == (403, "forbidden")
    good = {**cookie, "X-CSRF-Token": csrf, "Origin": "https://portal.alt"}
    assert registry.ask(None, "POST", "/domains", json=NAME, headers=good).status_code == 201
    sessions.end(registry.world.signin, Actor("ann", frozenset({Role.MEMBER}), "portal"))
    assert registry.ask(None, "GET", "/me", headers=cookie).status_code == 401


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        (b"{", "application/json", "malformed"),
        (b"[" * 100_000, "application/json", "malformed"),
        (b'{"name": NaN}', "application/json", "malformed"),
        (b'{"name": "\\ud800.alt"}', "application/json", "malformed"),
        (b'{"name": ' + b"9" * 9000 + b"}", "application/json", "malformed"),
        (b'{"name": "\xff"}', "application/json", "malformed"),
        (b'{"name": "a\\u0000b.alt"}', "application/json", "invalid"),
        (b'{"name": 7}', "application/json", "invalid"),
        (b'{"name": "a.alt", "colour": "red"}', "application/json; charset=utf-8", "invalid"),
        (b"[]", "application/json", "invalid"),
        (b"null", "application/json", "invalid"),
        (b"", "application/json", "invalid"),
        (b"name=garden.alt", "application/x-www-form-urlencoded", "type"),
        (b'{"name": "garden.alt"}', "", "type"),
        (b'{"name": "' + b"a" * 1_010_000 + b'"}', "application/json", "too-large"),
    ],
    ids=range(15),
)
def test_bodies_that_are_none(registry, body, media, expected):
    headers = {"Authorization": f"Bearer {registry.secrets['ann']}", "Content-Type": media}
    answer = registry.client.post("/api/v1/domains", content=body, headers=headers)
    assert kind(answer) == expected
    assert answer.status_code == ALL[expected][0]
    assert registry.ask("ann", "GET", "/domains").json()["items"] == []


def test_what_is_nested_deeply_is_refused(registry):
    for depth in (500, 5000, 90_000):
        body = b'{"name":' * depth + b"1" + b"}" * depth
        answer = registry.ask("ann", "POST", "/domains", content=body, headers={"Content-Type": "application/json"})
        # How deep is too deep for the parser differs between versions of Python.
        assert kind(answer) in ("malformed", "invalid")


def test_a_body_without_a_length_is_bounded_too(registry):
    headers = {"Authorization": f"Bearer {registry.secrets['ann']}", "Content-Type": "application/json"}
    answer = registry.client.post("/api/v1/domains", content=iter([b"x" * 65_536] * 20), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM


def test_an_endless_head_is_refused(shared):
    many = {f"X-{number}": "x" * 600 for number in range(110)}
    for path, headers, status in (
        ("/me", {"X-Long": "x" * 70_000}, 431),
        ("/me", many, 431),
        ("/me?" + "x" * 60_000, {"X-Long": "x" * 6_000}, 431),
        ("/me", {"X-Long": "x" * 60_000}, 200),
    ):
        answer = shared.ask("ann", "GET", path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == (PROBLEM if status == 431 else "application/json")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/domains", 405),
        ("GET", "/domains/", 404),
        ("GET", "/domains/a%00b", 422),
        ("GET", "/domains/%FF", 422),
        ("GET", "/domains/" + "a" * 300, 422),
        ("GET", "/domains/garden.alt/rrsets/www/AA%20AA", 422),
        ("GET", "/asns/99999999999999999999", 422),
        ("GET", "/asns/-1", 422),
        ("GET", "/accounts/..%2F..%2Fetc", 404),
        ("GET", "/tokens/%27%20OR%201=1", 404),
        ("GET", "/audit?since=yesterday", 422),
        ("GET", "/audit?since=0001-01-01T00:00:00%2B14:00", 422),
        ("GET", "/domains?limit=1e9", 422),
        ("GET", "/domains?state=lost", 422),
        ("GET", "/domains?part=%00", 422),
        ("GET", "/problems/nothing", 404),
    ],
)
def test_paths_and_queries_that_are_none(registry, method, path, status):
    answer = registry.ask("ops", method, path)
    assert answer.status_code == status, answer.text
    assert kind(answer)


def test_methods_that_a_path_takes_are_said(registry):
    assert registry.ask("ann", "PUT", "/domains").headers["Allow"] == "GET, POST"


def test_what_is_known_already_is_not_sent_again(registry):
    tag = registry.ask("ann", "POST", "/domains", json=NAME).headers["ETag"]
    again = registry.ask("ann", "GET", "/domains/garden.alt", headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    registry.ask("ann", "PUT", "/domains/garden.alt/rrsets/www/AAAA", json={"records": ["fd12::1"]})
    fresh = registry.ask("ann", "GET", "/domains/garden.alt", headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert fresh.headers["ETag"] != tag


def test_whoever_read_an_older_version_changes_nothing(registry):
    old = registry.ask("ann", "POST", "/domains", json=NAME).headers["ETag"]
    path = "/domains/garden.alt/rrsets/www/AAAA"
    new = registry.ask("ann", "PUT", path, json={"records": ["fd12::1"]}, headers={"If-Match": old})
    assert new.status_code == 200
    late = registry.ask("ann", "PUT", path, json={"records": ["fd12::2"]}, headers={"If-Match": old})
    assert (late.status_code, kind(late)) == (412, "stale")
    for tag in ("garbage", '"x"', '"1", "2"', '"' + "9" * 4000 + '"'):
        assert registry.ask("ann", "DELETE", path, headers={"If-Match": tag}).status_code == 412
    assert registry.ask("ann", "GET", path).json()["records"] == ["fd12::1"]
    assert registry.ask("ann", "DELETE", path, headers={"If-Match": "*"}).status_code == 204


def test_an_act_under_one_key_is_done_once(registry):
    key = {"Idempotency-Key": "a-key"}
    first = registry.ask("ann", "POST", "/domains", json=NAME, headers=key)
    again = registry.ask("ann", "POST", "/domains", json=NAME, headers=key)
    assert again.status_code == first.status_code == 201
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    for header in ("ETag", "Location"):
        assert again.headers[header] == first.headers[header]
    other = registry.ask("ann", "POST", "/domains", json={"name": "meadow.alt"}, headers=key)
    assert other.status_code == 422
    assert registry.ask("ann", "DELETE", "/domains/garden.alt", headers=key).status_code == 422
    mine = registry.ask("ben", "POST", "/domains", json={"name": "meadow.alt"}, headers=key)
    assert mine.status_code == 201
    for bad in ("", " ", "k" * 129, "ключ".encode()):
        answer = registry.ask("ann", "POST", "/domains", json=NAME, headers={"Idempotency-Key": bad})
        assert answer.status_code == 422


def test_a_refusal_under_a_key_may_be_tried_again(registry):
    key = {"Idempotency-Key": "later"}
    assert registry.ask("ann", "POST", "/domains/garden.alt/lock", headers=key).status_code == 404
    registry.ask("ann", "POST", "/domains", json=NAME)
    assert registry.ask("ann", "POST", "/domains/garden.alt/lock", headers=key).status_code == 200


def test_a_secret_is_not_kept_for_a_second_answer(registry):
    key = {"Idempotency-Key": "token"}
    sent = {"label": "router"}
    first = registry.ask("ann", "POST", "/tokens", json=sent, headers=key).json()
    again = registry.ask("ann", "POST", "/tokens", json=sent, headers=key).json()
    assert first["secret"].startswith("altnet_")
    assert again == {**first, "secret": None}
    with registry.desk.store.read() as connection:
        kept = connection.exec_driver_sql("SELECT body FROM idempotency").scalars().all()
    assert not [body for body in kept if first["secret"].encode() in bytes(body)]


def test_of_fifty_who_ask_for_one_name_one_gets_it(registry):
    def ask(number):
        who = ("ann", "ben")[number % 2]
        return registry.ask(who, "POST", "/domains", json=NAME).status_code

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(ask, range(50)))
    assert sorted(set(found)) == [201, 409]
    assert found.count(201) == 1


def test_the_meaning_of_every_problem_can_be_read(registry):
    for one, (status, _) in ALL.items():
        answer = registry.client.get(f"/api/v1/problems/{one}")
        assert answer.status_code == 200
        assert str(status) in answer.text


def test_the_document_says_everything(registry):
    document = registry.client.get("/api/v1/openapi.json").json()
    ids = []
    for path, methods in document["paths"].items():
        for operation in methods.values():
            ids.append(operation["operationId"])
            assert operation["description"].endswith("."), path
            assert {"400", "401", "404", "422", "429", "503"} <= set(operation["responses"])
            assert "security" in operation
    assert len(ids) == len(set(ids))
    assert len(ids) > 50
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40), value=st.recursive(st.none() | st.integers() | st.floats() | st.text(),
       lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))  # fmt: skip
def test_nothing_that_is_sent_breaks_anything(registry, text, value):
    body = json.dumps(value).encode()
    headers = {"Content-Type": "application/json"}
    part = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for method, path in (("PUT", f"/domains/{part}/rrsets"), ("POST", "/domains"), ("GET", f"/domains?part={part}"),
                         ("POST", f"/join/{part}"), ("POST", "/tokens"), ("GET", f"/prefixes/{part}")):  # fmt: skip
        answer = registry.ask("ann", method, path, content=body, headers=headers)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            assert kind(answer)
