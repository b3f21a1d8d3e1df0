"""Questions over real sockets: good answers, bad ones, and none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from altnet.resolver import wire
from altnet.resolver.asking import Question, ask, main


class Server:
    """A name server on ::1 that answers every question with the same flags."""

    def __init__(self, flags: int | None, answers: int) -> None:
        self.place = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.place.bind(("::1", 0))
        self.port = self.place.getsockname()[1]
        self.flags, self.answers = flags, answers
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            packet, sender = self.place.recvfrom(4096)
            if self.flags is not None:
                ident = wire.HEADER.unpack_from(packet)[0]
                head = wire.HEADER.pack(ident, wire.QR | self.flags, 1, self.answers, 0, 0)
                self.place.sendto(b"what is none", sender)
                self.place.sendto(head + packet[12:], sender)


@pytest.fixture
def serve() -> Callable[..., Server]:
    return lambda flags, answers=1: Server(flags, answers)


@pytest.mark.parametrize(
    ("flags", "answers", "want", "refusal"),
    [
        (wire.AD, 1, "ad", ""),
        (0, 1, "ad", "alt SOA at [::1]:{port} is not validated"),
        (2, 0, "ad", "alt SOA at [::1]:{port} is SERVFAIL"),
        (wire.AD, 0, "ad", "alt SOA at [::1]:{port} is without data"),
        (wire.AA, 1, "aa", ""),
        (0, 1, "aa", "alt SOA at [::1]:{port} is not authoritative"),
        (5, 0, "any", ""),
        (None, 0, "any", "[::1]:{port} does not answer: no answer within 0.2 s"),
    ],
)
def test_ask(serve, flags: int | None, answers: int, want: str, refusal: str) -> None:
    port = serve(flags, answers).port
    one = Question("::1", port, "alt", "SOA", want)
    assert ask([one], 0.2) == {one: refusal.format(port=port)}


def test_a_closed_port_is_known_at_once_and_all_are_asked_together(serve) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as place:
        place.bind(("::1", 0))
        closed = place.getsockname()[1]
    silent = [Question("::1", serve(None).port, "alt", "SOA", "aa") for _ in range(3)]
    refused = Question("::1", closed, "alt", "SOA", "aa")
    begin = time.monotonic()
    found = ask([refused, *silent, refused], 0.3)
    assert time.monotonic() - begin < 0.6
    assert found[refused].endswith("does not answer: Connection refused")
    assert list(found.values())[1:] == [f"[::1]:{one.port} does not answer: no answer within 0.3 s" for one in silent]


def test_main(serve, capsys: pytest.CaptureFixture[str]) -> None:
    port = str(serve(wire.AD).port)
    assert main(["::1", port, "alt", "SOA", "ad"]) == 0
    assert main(["::1", port, "alt", "SOA", "aa"]) == 1
    assert capsys.readouterr().err == f"alt SOA at [::1]:{port} is not authoritative\n"
