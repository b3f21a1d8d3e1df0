"""What a request costs: its statements are counted, since each takes a part of a millisecond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from starlette.types import Receive, Scope, Send

from altnet.registry.faces.metrics import Metrics
from altnet.registry.faces.programs import Shortcut, routes


@contextmanager
def counted(registry: Any) -> Iterator[list[str]]:
    """Have what is asked of the database noted; the BEGIN of a read goes past the listeners."""
    said: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    engine = registry.desk.store.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def garden(registry: Any) -> Any:
    sent = {"name": "garden.alt", "rrsets": [{"name": "@", "type": "AAAA", "records": ["fd12:3456:789a::7"]}]}
    assert registry.ask("ann", "POST", "/domains", json=sent).status_code == 201
    for who in ("ann", "ben", "reg"):
        registry.ask(who, "GET", "/me")  # that the token is used is noted, and what the directory says remembered
    return registry


@pytest.mark.parametrize(
    ("asked", "body", "most"),
    [
        ("ann GET /domains/garden.alt", None, 3),
        ("ann GET /domains", None, 2),
        ("reg GET /domains?part=arde", None, 2),
        ("ben GET /domains/garden.alt/check", None, 2),
        ("ben GET /domains/orchard.alt/check", None, 5),
        # Begin, the domain, whether its holder may, its records; the record, the version; the log and whom it is about;
        # the outbox; the file: what it says now, and its line in place of another.
        ("ann PUT /domains/garden.alt/rrsets/@/AAAA", {"ttl": 60, "records": ["fd12:3456:789a::8"]}, 15),
        ("ann PUT /domains/garden.alt/rrsets/www/AAAA", {"ttl": 60, "records": ["fd12:3456:789a::8"]}, 15),
    ],
)
def test_a_request_asks_the_database_so_often(garden: Any, asked: str, body: Any, most: int) -> None:
    with counted(garden) as said:
        answer = garden.ask(*asked.split(), json=body)
    assert answer.status_code == 200
    assert len(said) <= most, said


def test_rdap_asks_the_database_twice(garden: Any) -> None:
    with counted(garden) as said:
        assert garden.client.get("/rdap/domain/garden.alt").status_code == 200
    assert len(said) <= 2, said


def test_a_list_asks_as_often_however_long_it_is(garden: Any) -> None:
    with counted(garden) as short:
        garden.ask("ann", "GET", "/domains")
    for number in range(5):
        assert garden.ask("ann", "POST", "/domains", json={"name": f"bed{number}.alt"}).status_code == 201
    with counted(garden) as long:
        assert len(garden.ask("ann", "GET", "/domains").json()["items"]) == 6
    assert len(long) == len(short)


@pytest.mark.parametrize("way", ["read", "write"])
def test_no_transaction_is_left_behind(registry: Any, way: str) -> None:
    store = registry.desk.store
    used = []

    def fail() -> None:
        with getattr(store, way)() as connection:
            used.append(connection.connection.dbapi_connection)
            assert used[-1].in_transaction
            raise ValueError("of the one who asks")

    with getattr(store, way)() as connection:
        used.append(connection.connection.dbapi_connection)
        assert used[-1].in_transaction
    with pytest.raises(ValueError, match="of the one who asks"):
        fail()
    assert len(used) == 2
    assert not any(one.in_transaction for one in used)
    with store.write():
        pass


@pytest.mark.parametrize(
    ("path", "host", "past"),
    [
        ("/api/v1/me", "portal.alt", True),
        ("/rdap/help", "portal.alt", True),
        ("/help", "rdap.alt", True),
        ("/help", "portal.alt", False),
        ("/rdap", "portal.alt", False),
        ("/nic/update", "portal.alt", False),
        ("/metrics", "portal.alt", False),
        ("/api/v2/me", "portal.alt", False),
    ],
)
def test_programs_go_past_the_pages(registry: Any, path: str, host: str, past: bool) -> None:
    import anyio  # noqa: PLC0415

    reached = []

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        assert "router" not in scope
        reached.append(scope["path"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    short = Shortcut(pages, routes(registry.world, Metrics(registry.desk)))
    headers = [(b"host", host.encode())]
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "https", "server": (host, 443), "client": None,
    }  # fmt: skip
    anyio.run(short, scope, receive, send)
    assert reached == ([] if past else [path])
