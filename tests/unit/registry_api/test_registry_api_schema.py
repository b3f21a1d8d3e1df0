"""A stranger reads the OpenAPI document and asks everything it offers, as each role (schemathesis).

Nothing breaks; every answer is one that the document announces; and whoever it is, ann's things are neither read nor
changed but by those who govern. ``ALTNET_SCHEMATHESIS`` is how many requests are made up for each act (else a few).
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

import pytest

schemathesis = pytest.importorskip(
    "schemathesis", reason="NOT TESTED HERE: schemathesis is on the control node, where this is tested"
)
import jsonschema  # noqa: E402
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from altnet.registry.domain.model import Scope  # noqa: E402

MANY = int(os.environ.get("ALTNET_SCHEMATHESIS", "2"))
#: In everything that is ann's, so that a leak is found by one search.
MARK = "zq7marked"
#: Tables with rows of ann's, and by what they are known.
TABLES = {
    "accounts": "uid = 'ann'", "domains": "holder = 'ann'", "rrsets": f"domain = '{MARK}.alt.'",
    "prefixes": "holder = 'ann'", "asns": "holder = 'ann'", "tokens": "account = 'ann' AND label <> 'test'",
    "invitations": "inviter = 'ann'", "routes": "1 = 1",
}  # fmt: skip
ROLES = ("nobody", "ben", "scoped", "reg", "ops")


@pytest.fixture(scope="module")
def marked(shared):
    """ann has one of each, all marked; ben has names too, and a token for one of them."""
    ask = shared.ask
    ask("ann", "POST", "/domains", json={"name": f"{MARK}.alt", "rrsets": [
        {"name": "@", "type": "TXT", "records": [f'"{MARK}"']}]})  # fmt: skip
    ask("ann", "POST", "/invitations", json={"note": MARK})
    ask("ann", "POST", "/tokens", json={"label": MARK})
    prefix = ask("ann", "POST", "/prefixes", json={"size": 56}).json()["prefix"]
    number = ask("ann", "POST", "/asns").json()["number"]
    assert ask("ann", "POST", "/routes", json={"prefix": prefix, "asn": number}).status_code == 201
    ask("ben", "POST", "/domains", json={"name": "bens.alt"})
    ask("ben", "POST", "/domains", json={"name": "other.alt"})
    shared.secrets["scoped"] = shared.token("ben", Scope(("read", "write"), ("bens.alt.", "*.bens.alt."), ("AAAA",)))
    shared.marks = (MARK, prefix, str(number))
    return shared


def rows(registry: Any) -> dict[str, Any]:
    with registry.desk.store.read() as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} WHERE {where}")]
            for table, where in TABLES.items()
        }


def operations(registry: Any) -> list[Any]:
    document = registry.client.get("/api/v1/openapi.json").json()
    document["servers"] = [{"url": "https://portal.alt/api/v1"}]
    schema = schemathesis.openapi.from_dict(document)
    schema.config.output.truncation.enabled = False
    return [one.ok() for one in schema.get_all_operations()]


#: What a generator would not find by itself: names that are there, ann's and others'.
def known(registry: Any) -> dict[str, list[str]]:
    return {
        "name": [f"{MARK}.alt", "bens.alt", "other.alt", "free.alt"], "owner": ["@", "www", f"{MARK}.alt."],
        "type": ["TXT", "AAAA", "NS"], "uid": ["ann", "ben", "nobody"],
        "prefix": [registry.marks[1].replace("/", "%2F")], "number": [registry.marks[2]],
    }  # fmt: skip


def send(registry: Any, role: str, case: Any, steer: dict[str, str]) -> Any:
    """Send a made-up request, some of its path's parts changed to names that are there."""
    parts = {name: quote(str(value), safe="") for name, value in (case.path_parameters or {}).items()} | steer
    path = case.operation.path
    for name, value in parts.items():
        path = path.replace("{" + name + "}", value)
    headers = {
        name: str(value).encode("utf-8", "replace")
        for name, value in (case.headers or {}).items()
        if name.lower() not in ("authorization", "cookie", "content-type")
    }
    if role != "nobody":
        headers["Authorization"] = f"Bearer {registry.secrets[role]}".encode()
    more: dict[str, Any] = {}
    if isinstance(case.body, dict | list | str | int | float | bool | None):
        body = json.dumps(case.body)
        more = {"content": body.encode("utf-8", "replace")}
        headers["Content-Type"] = b"application/json"
    return registry.client.request(case.method, "/api/v1" + path, params=case.query or {}, headers=headers, **more)


def judge(registry: Any, role: str, case: Any, answer: Any) -> None:
    where = (
        f"{role}: {case.method} {case.operation.path} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    )
    assert answer.status_code < 500, where
    announced = case.operation.definition.raw["responses"]
    assert str(answer.status_code) in announced, where
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", where
        assert answer.json()["status"] == answer.status_code, where
    elif answer.content and answer.headers["content-type"] == "application/json":
        fits(case, answer, where)
    if role in ("nobody", "ben", "scoped") and answer.status_code < 400:
        sent = str(answer.request.url) + answer.request.content.decode("utf-8", "replace")
        found = [mark for mark in registry.marks if mark in answer.text and mark not in sent]
        assert not found, where


def fits(case: Any, answer: Any, where: str) -> None:
    """Hold an answer against the document's schema of it."""
    raw = case.operation.definition.raw["responses"][str(answer.status_code)]
    wanted = raw.get("content", {}).get("application/json", {}).get("schema")
    if wanted is None:
        return
    root = case.operation.schema.raw_schema
    faults = jsonschema.Draft202012Validator({**wanted, "components": root["components"]}).iter_errors(answer.json())
    assert [fault.message for fault in faults] == [], where


def explore(registry: Any, role: str, operation: Any, steers: Any) -> int:
    """Ask for one operation many times, and return how often."""
    path, method, asked = operation.path, operation.method, 0

    @settings(
        max_examples=MANY, deadline=None, database=None, phases=[Phase.generate], derandomize=MANY < 20,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), steer=steers)
    def ask(case, steer):
        nonlocal asked
        # Registrars would shut the others out, and ben himself: the rest would be answered with 401.
        theirs = role in ("reg", "ops") or "ben" in (steer.get("uid"), (case.path_parameters or {}).get("uid"))
        if "/accounts/" in path and method != "get" and role != "nobody" and theirs:
            return
        judge(registry, role, case, send(registry, role, case, steer))
        asked += 1

    ask()
    return asked


@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_with_the_document(marked, role):
    """Registrars and operators may change ann's things; for the others they have to be what they were."""
    before = rows(marked)
    asked = 0
    for operation in operations(marked):
        names = known(marked)
        steers = st.fixed_dictionaries(
            {},
            optional={
                part: st.sampled_from(values) for part, values in names.items() if "{" + part + "}" in operation.path
            },
        )

        asked += explore(marked, role, operation, steers)
    assert asked >= 40
    if role not in ("reg", "ops"):
        assert rows(marked) == before
    print(f"{role}: {asked} requests, 0 server errors")
