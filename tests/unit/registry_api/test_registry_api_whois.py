"""Whois on port 43, asked by a socket and by Debian's client."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager

import pytest

from altnet.registry.faces import whois

DS = "12345 13 2 " + "ab" * 32


@contextmanager
def served(desk):
    """Serve in a thread, and yield the port."""
    ready, loop, ports = threading.Event(), asyncio.new_event_loop(), []

    async def serve():
        ended = asyncio.Event()
        servers = await whois.Service(desk).listen(["::1"], 0)
        ports.extend((servers[0].sockets[0].getsockname()[1], ended))
        ready.set()
        await ended.wait()
        servers[0].close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(ports[1].set)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture(scope="module")
def people(shared):
    shared.ask("ann", "POST", "/domains", json={"name": "garden.alt"})
    shared.ask("ann", "POST", "/domains", json={"name": "gärten.alt"})
    shared.ask("ann", "POST", "/domains", json={"name": "meadow.alt"})
    shared.ask("ann", "PUT", "/domains/meadow.alt/delegation", json={
        "nameservers": ["ns1.meadow.alt."], "ds": [DS], "glue": {"ns1.meadow.alt.": ["fd12:3456:789a::99"]},
    })  # fmt: skip
    shared.prefix = shared.ask("ann", "POST", "/prefixes", json={"size": 56}).json()["prefix"]
    shared.number = shared.ask("ann", "POST", "/asns").json()["number"]
    shared.ask("ann", "POST", "/routes", json={"prefix": shared.prefix, "asn": shared.number})
    return shared


def asked(port: int, question: bytes) -> str:
    with closing(socket.create_connection(("::1", port), timeout=10)) as place:
        place.sendall(question)
        answer = b""
        while part := place.recv(4096):
            answer += part
    assert b"\n" not in answer.replace(b"\r\n", b"")
    return answer.decode()


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("garden.alt", ["Domain Name:    garden.alt", "Domain Status:  ok", "Registrant:     ann"]),
        ("GARDEN.ALT.", ["Domain Name:    garden.alt"]),
        ("-T dn garden.alt", ["Domain Name:    garden.alt"]),
        ("domain garden.alt", ["Domain Name:    garden.alt", "Name Server:    ns.alt fd12:3456:789a::53"]),
        ("gärten.alt", ["Domain Name:    xn--grten-gra.alt", "Internationalized Name: gärten.alt"]),
        ("meadow.alt", ["Name Server:    ns1.meadow.alt fd12:3456:789a::99", "DNSSEC:         signedDelegation"]),
        ("ann", ["person:         ann", "status:         active"]),
    ],
)
def test_objects(people, question, lines):
    text = whois.answer(people.desk, question)
    for line in lines:
        assert line in text.splitlines(), text
    assert "@" not in text
    assert "Secretname" not in text


def test_prefixes_and_numbers(people):
    for question in (people.prefix, people.prefix.partition("/")[0] + "1"):
        text = whois.answer(people.desk, question)
        assert f"inet6num:       {people.prefix}" in text
        assert f"origin:         AS{people.number}" in text
    for question in (f"AS{people.number}", f"as{people.number}", str(people.number)):
        assert f"aut-num:        AS{people.number}" in whois.answer(people.desk, question)


@pytest.mark.parametrize(
    "question",
    ["", " ", "nothing.alt", "garden.com", "nobody", "AS1", "AS99999999999", "192.0.2.1", "fd99::1", "a b c", "-", "\0",
     "ann\0", "%s", "' OR 1=1", "x" * 250, "..", ".", "\u202egarden.alt", "*.alt"],
)  # fmt: skip
def test_what_is_not_there(people, question):
    text = whois.answer(people.desk, question)
    assert text.startswith("% ")
    assert "ann" not in text.replace("found", "")


def test_over_a_socket(people):
    with served(people.desk) as port:
        assert "Domain Name:    garden.alt" in asked(port, b"garden.alt\r\n")
        assert "gärten.alt" in asked(port, "gärten.alt\n".encode())
        assert "UTF-8" in asked(port, b"\xff\xfe\r\n")
        assert "at most" in asked(port, b"x" * 300 + b"\r\n")


def test_who_says_nothing_is_not_waited_for(people, monkeypatch):
    monkeypatch.setattr(whois, "PATIENCE", 0.3)
    begun = time.monotonic()
    with served(people.desk) as port, closing(socket.create_connection(("::1", port), timeout=5)) as place:
        assert place.recv(10) == b""
    assert time.monotonic() - begun < 4


def test_one_client_has_few_questions_at_once(people):
    with served(people.desk) as port:
        held = [socket.create_connection(("::1", port), timeout=5) for _ in range(whois.EACH)]
        time.sleep(0.2)
        assert "Too many" in asked(port, b"garden.alt\r\n")
        for one in held:
            one.close()
        time.sleep(0.2)
        assert "Domain Name" in asked(port, b"garden.alt\r\n")


@pytest.mark.skipif(shutil.which("whois") is None, reason="NOT TESTED HERE: Debian's whois; the container has it")
@pytest.mark.parametrize("question", ["garden.alt", "gärten.alt", "ann"])
def test_by_debians_client(people, question):
    with served(people.desk) as port:
        asked_by = ["whois", "-h", "::1", "-p", str(port), question]
        done = subprocess.run(
            asked_by,
            capture_output=True,
            text=True,
            timeout=20,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin"},
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert f"{'person' if question == 'ann' else 'Domain Name'}:" in done.stdout
    if question == "gärten.alt":
        assert "Internationalized Name: gärten.alt" in done.stdout


@pytest.mark.skipif(shutil.which("whois") is None, reason="NOT TESTED HERE: Debian's whois; the container has it")
def test_numbers_by_debians_client(people):
    with served(people.desk) as port:
        for question, line in ((people.prefix, "inet6num"), (f"AS{people.number}", "aut-num")):
            done = subprocess.run(
                ["whois", "-h", "::1", "-p", str(port), question],
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert line in done.stdout, done.stdout + done.stderr
