"""Zones that are flushed: when, how often, and by a real socket."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from altnet.resolver import flush, wire


def answer(zone: str, serial: int, ident: int = 0) -> bytes:
    return wire.HEADER.pack(ident, wire.QR | wire.AA, 1, 1, 0, 0) + wire.encode(zone) + bytes([serial])


class Flushed(list[str]):
    """What Unbound was told to forget."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = False

    def __call__(self, zone: str) -> None:
        if self.failing:
            raise OSError("no answer")
        self.append(zone)


def test_at_once_and_once_more() -> None:
    done = Flushed()
    agenda = flush.Agenda(done)
    agenda.note("alt.", 100.0)
    agenda.run(100.0)
    agenda.run(100.5)
    assert done == ["alt."]
    agenda.run(101.0)
    assert done == ["alt.", "alt."]
    assert agenda.left(101.0) is None


def test_what_fails_is_tried_again() -> None:
    done = Flushed()
    agenda = flush.Agenda(done)
    done.failing = True
    agenda.note("alt.", 100.0)
    agenda.run(100.0)
    assert agenda.left(100.0) == flush.RETRY
    done.failing = False
    agenda.run(101.0)
    agenda.run(101.0)
    assert done == ["alt.", "alt."]


def test_a_zone_that_was_notified_is_watched_until_its_answer_changes() -> None:
    done = Flushed()
    agenda = flush.Agenda(done)
    agenda.notified("alt.", 100.0)
    agenda.run(100.0)
    agenda.saw(answer("alt.", 1), 100.1)
    agenda.saw(answer("alt.", 1, ident=9), 100.2)
    agenda.run(101.0)
    assert done == ["alt.", "alt."]
    agenda.saw(answer("alt.", 2), 102.0)
    agenda.run(102.0)
    assert done == ["alt."] * 3
    assert agenda.to_look_at(104.9) == ["alt."]
    assert agenda.to_look_at(105.1) == []


def test_a_mass_of_changes_is_not_watched_but_flushed() -> None:
    done = Flushed()
    agenda = flush.Agenda(done)
    for number in range(200):
        agenda.notified(f"z{number}.alt.", 100.0)
    assert len(agenda.to_look_at(100.0)) == flush.WATCHED
    agenda.run(100.0)
    assert len(done) == 200


def test_the_answers_to_one_look_do_not_bring_the_next() -> None:
    agenda = flush.Agenda(Flushed())
    agenda.notified("alt.", 100.0)
    agenda.run(100.0)
    assert agenda.to_look_at(100.0) == ["alt."]
    assert agenda.to_look_at(100.0 + flush.LOOK / 2) == []
    assert agenda.left(100.0 + flush.LOOK / 2) == pytest.approx(flush.LOOK / 2)
    assert agenda.to_look_at(100.0 + flush.LOOK) == ["alt."]


def test_a_secondary_that_answers_at_once_is_asked_no_more_often() -> None:
    asked: list[bytes] = []

    class Enough(Exception):  # noqa: N818  # ends the loop
        pass

    def forget(zone: str) -> None:
        if asked:
            raise Enough(zone)

    def answers() -> None:
        while packet := secondary.recvfrom(512):
            if not packet[0]:
                return
            asked.append(packet[0])
            secondary.sendto(answer("alt.", 1), packet[1])

    agenda = flush.Agenda(forget)
    agenda.notified("alt.", time.monotonic())
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as secondary, socket.socket(socket.AF_INET6, kind) as asking:
        secondary.bind(("::1", 0))
        asking.connect(secondary.getsockname())
        thread = threading.Thread(target=answers)
        thread.start()
        with socket.socket(socket.AF_INET6, kind) as place, pytest.raises(Enough):
            flush.serve(place, asking, agenda)
        asking.send(b"")
        thread.join()
    assert 1 <= len(asked) <= flush.AGAIN / flush.LOOK + 1


def test_an_answer_nobody_asked_for() -> None:
    agenda = flush.Agenda(Flushed())
    agenda.saw(answer("alt.", 1), 100.0)
    agenda.saw(b"x", 100.0)
    assert (agenda.due, agenda.seen) == ({}, {})


@pytest.mark.parametrize(("reply", "error"), [(b"ok removed 3 rrsets\n", ""), (b"error unknown\n", "error unknown")])
def test_unbounds_control_socket(tmp_path: Path, reply: bytes, error: str) -> None:
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "ctl"))
        server.listen()

        def serve() -> None:
            with server.accept()[0] as connection:
                heard.append(connection.recv(100))
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        if error:
            with pytest.raises(OSError, match=error):
                flush.control("flush_zone alt.", str(tmp_path / "ctl"))
        else:
            assert flush.control("flush_zone alt.", str(tmp_path / "ctl")) == "ok removed 3 rrsets"
        thread.join()
    assert heard == [b"UBCT1 flush_zone alt.\n"]


def test_a_notify_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    agenda = flush.Agenda(Flushed())
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_INET6, kind) as place, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        place.bind(("::1", 0))
        sender.settimeout(5)
        sender.connect(place.getsockname())
        packet = wire.HEADER.pack(9, wire.NOTIFY, 1, 0, 0, 0) + wire.encode("alt.") + b"\x00\x06\x00\x01"
        sender.send(packet)
        flush.take(place, place, agenda)
        assert sender.recv(100)[:3] == b"\x00\x09\xa4"
    assert list(agenda.watched) == ["alt."]
