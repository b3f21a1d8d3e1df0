"""A PowerDNS that does not answer: how long it is waited for, and what is said of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from powerdns_fakes import arguments, zone

from altnet.powerdns import client, order
from altnet.powerdns.errors import PowerdnsError, text

KEY = "k" * 40
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
MEND = "Remedy: see `systemctl status pdns` on the primary, then run again."
Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that gives its answers, one a connection, and then takes connections and says nothing."""
    opened: list[socket.socket] = []

    def start(*answers: bytes) -> int:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        opened.append(listener)
        threading.Thread(target=give, args=(listener, answers), daemon=True).start()
        return int(listener.getsockname()[1])

    def give(listener: socket.socket, answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            taken, _ = listener.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(answer)

    yield start
    for one in opened:
        one.close()


def refused(api: client.HttpApi, method: str) -> str:
    with pytest.raises(PowerdnsError) as caught:
        api.call(method, "/zones/alt.", {} if method != "GET" else None)
    return text(caught.value, "core2")


def test_one_that_hangs_is_given_up_soon(serve, monkeypatch) -> None:
    assert client._FIRST == 10
    monkeypatch.setattr(client, "_FIRST", 0.2)
    port, began = serve(), time.monotonic()
    said = refused(client.HttpApi("::1", port, KEY), "GET")
    assert said == f"host core2: [::1]:{port}: PowerDNS's API does not answer (timed out); no zone was changed. {MEND}"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("method", "known"),
    [
        ("GET", "no zone was changed by this request"),
        ("PATCH", "whether this request changed its zone is not known"),
    ],
)
def test_one_that_hangs_later_is_waited_for_as_long_as_work_may_take(serve, monkeypatch, method, known) -> None:
    monkeypatch.setattr(client, "_FIRST", 0.2)
    port, began = serve(OK), time.monotonic()
    said = refused(client.HttpApi("::1", port, KEY, timeout=1), method)
    assert said == f"host core2: [::1]:{port}: PowerDNS's API does not answer (timed out); {known}. {MEND}"
    assert time.monotonic() - began >= 1


def test_the_first_contact_is_made_once(serve) -> None:
    api = client.HttpApi("::1", serve(OK, OK, OK), KEY, timeout=1)
    assert [api.call("GET", "/zones") for _ in range(2)] == [[], []]


def test_the_module_s_order_says_it_and_is_not_remembered(serve, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(client, "_FIRST", 0.2)
    file = tmp_path / "api.key"
    file.write_text(KEY)
    file.chmod(0o600)
    port, path = serve(), tmp_path / "order.json"
    with pytest.raises(PowerdnsError, match=rf"\[::1\]:{port}: .*; no zone was changed\. Remedy: see "):
        order.run(arguments(zone("alt."), address="::1", port=port, key_file=str(file)), check_mode=False, path=path)
    assert not path.exists()


def test_nobody_there(serve) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as one:
        port = one.getsockname()[1]
    said = refused(client.HttpApi("::1", port, KEY, patience=0), "GET")
    assert said.startswith(f"host core2: [::1]:{port}: PowerDNS's API does not answer ([Errno 111] Connection refused)")
    assert said.endswith(f"; no zone was changed. {MEND}")
