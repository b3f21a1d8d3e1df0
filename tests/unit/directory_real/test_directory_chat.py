"""Two people with the directory's accounts talk to each other, and nobody else gets in."""

from __future__ import annotations

import asyncio
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import NAME, ROOMS, Chat, missing
from directory_servers import Provider, account, group, network, person
from tests.daemons import until

from altnet.chat import asking

pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}; lab/unit-debian has it and runs this"),
]
SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Provider]]:
    both = network(tmp_path_factory.mktemp("chat") / ".", 2)
    try:
        for one in both:
            one.start()
        for uid in ("ada", "bob", "eve"):
            both[0].modify(account(uid, f"{uid}@example.alt", f"userPassword: {SECRET}\n"))
        for uid in ("ada", "bob"):
            both[0].modify(f"dn: {group('members')}\nchangetype: modify\nadd: member\nmember: {person(uid)}\n")
        until(lambda: both[0].csn() == both[1].csn(), 20)
        yield both
    finally:
        for one in both:
            one.kill()


@pytest.fixture(scope="module")
def chat(providers: list[Provider]) -> Iterator[Chat]:
    # Prosody is not root, and has to reach it.
    place = Path(tempfile.mkdtemp(prefix="chat-"))
    place.chmod(0o755)
    one = Chat(place / "prosody", providers)
    try:
        one.write()
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(place, ignore_errors=True)


def login(chat: Chat, uid: str, secret: str, *, direct: bool = True) -> str:
    async def enter() -> str:
        client = chat.client(uid, secret, direct=direct)
        try:
            return str(await client.enter())
        finally:
            client.abort()

    return asyncio.run(enter())


def test_the_checker_is_content(chat: Chat) -> None:
    done = chat.check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_finds_what_is_no_configuration(chat: Chat, tmp_path: Path) -> None:
    text = chat.config.read_text()
    try:
        chat.config.write_text(text + '\nVirtualHost "')
        assert chat.check().returncode != 0
    finally:
        chat.config.write_text(text)


@pytest.mark.parametrize("direct", [True, False])
def test_a_member_gets_in(chat: Chat, direct: bool) -> None:
    assert login(chat, "ada", SECRET, direct=direct) == "in", chat.log()


@pytest.mark.parametrize(
    ("uid", "secret"),
    [("ada", "wrong"), ("ada", ""), ("eve", SECRET), ("nobody", SECRET), ("*", SECRET), ("ada)(uid=*", SECRET)],
)  # fmt: skip
def test_nobody_else_does(chat: Chat, uid: str, secret: str) -> None:
    try:
        found = login(chat, uid, secret)
    except ValueError:  # The client itself says that nobody can be called that.
        return
    assert found != "in"


def test_a_message_and_a_room(chat: Chat) -> None:
    async def talk() -> list[tuple[str, str]]:
        ada, bob = chat.client("ada", SECRET), chat.client("bob", SECRET, direct=False)
        try:
            assert [await ada.enter(), await bob.enter()] == ["in", "in"]
            ada.send_message(f"bob@{NAME}", "hello bob")
            first = await asyncio.wait_for(bob.heard.get(), 10)
            room = f"garden@{ROOMS}"
            for one, nick in ((ada, "ada"), (bob, "bob")):
                one.plugin["xep_0045"].join_muc(room, nick)
                await asyncio.wait_for(one.joined.wait(), 10)
            bob.send_message(room, "hello all", mtype="groupchat")
            second = await asyncio.wait_for(ada.heard.get(), 10)
            return [first, second]
        finally:
            ada.abort()
            bob.abort()

    found = asyncio.run(talk())
    assert found == [(f"ada@{NAME}/test", "hello bob"), (f"garden@{ROOMS}/bob", "hello all")]


def test_no_password_without_tls(chat: Chat) -> None:
    with socket.create_connection(("127.0.0.1", chat.plain), 5) as line:
        line.sendall(
            f"<stream:stream to='{NAME}' version='1.0' xmlns='jabber:client'"
            " xmlns:stream='http://etherx.jabber.org/streams'>".encode()
        )
        heard = b""
        while b"</stream:features>" not in heard:
            heard += line.recv(4096)
    assert b"starttls" in heard
    assert b"mechanism" not in heard


def test_it_talks_to_no_other_server(chat: Chat) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", 5269), 2):
        pass


def test_asking_says_why_not(chat: Chat, tmp_path: Path) -> None:
    assert not chat.refusal()
    assert "unrecognized name" in asking.ask("127.0.0.1", "other.alt", str(chat.roots), chat.tls)
    assert "its certificate is refused" in asking.ask("127.0.0.1", NAME, "/etc/ssl/certs/ca-certificates.crt", chat.tls)
    assert "Connection refused" in asking.ask("127.0.0.1", NAME, str(chat.roots), 1)


def test_no_password_is_written_down(chat: Chat) -> None:
    login(chat, "ada", SECRET)
    for path in chat.place.rglob("*"):
        if path.is_file() and path.name not in {"altnet.cfg.lua"}:
            assert SECRET.encode() not in path.read_bytes(), path
    assert not stat.S_IMODE(chat.config.stat().st_mode) & 0o007


def test_a_membership_ends(chat: Chat, providers: list[Provider]) -> None:
    change = f"dn: {group('members')}\nchangetype: modify\n%s: member\nmember: {person('bob')}\n"
    providers[0].modify(change % "delete")
    until(lambda: providers[0].csn() == providers[1].csn(), 20)
    assert login(chat, "bob", SECRET) == "refused"
    providers[0].modify(change % "add")
    until(lambda: providers[0].csn() == providers[1].csn(), 20)
    assert login(chat, "bob", SECRET) == "in"


def test_a_provider_is_lost(chat: Chat, providers: list[Provider]) -> None:
    providers[0].kill()
    try:
        begun = time.monotonic()
        assert login(chat, "ada", SECRET) == "in", chat.log()
        assert time.monotonic() - begun < 10
    finally:
        providers[0].start()
    providers[1].kill()
    try:
        assert login(chat, "ada", SECRET) == "in", chat.log()
    finally:
        providers[1].start()
