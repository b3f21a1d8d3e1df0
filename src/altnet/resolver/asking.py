"""Questions to name servers, all at once, and why an answer is not the wanted one."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from . import wire

#: What an answer has to carry: the resolver's word that it is validated, the server's that it is its own, nothing.
WANTS = ("ad", "aa", "any")


@dataclass(frozen=True)
class Question:
    """One question to one server, and what counts as a good answer."""

    server: str
    port: int
    name: str
    kind: str
    want: str

    def refusal(self, found: wire.Answer) -> str:
        """Say why an answer is not good; empty for a good one. With ``any``, every answer that came is good."""
        if self.want == "any":
            return ""
        where = f"{self.name} {self.kind} at [{self.server}]:{self.port}"
        if found.rcode != "NOERROR" or not found.answers:
            return f"{where} is {found.rcode if found.rcode != 'NOERROR' else 'without data'}"
        if self.want == "ad" and not found.authenticated:
            return f"{where} is not validated"
        if self.want == "aa" and not found.authoritative:
            return f"{where} is not authoritative"
        return ""


def ask(questions: Collection[Question], seconds: float) -> dict[Question, str]:
    """Ask all at once; return for each why it has no good answer after ``seconds``, empty where it has one."""
    found: dict[Question, str] = {}
    waiting: dict[socket.socket, tuple[Question, bytes]] = {}
    for one in dict.fromkeys(questions):
        query = wire.question(one.name, one.kind, int.from_bytes(os.urandom(2)))
        family = socket.AF_INET6 if ":" in one.server else socket.AF_INET
        place = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        waiting[place] = (one, query)
        try:
            # Connected, so that a closed port is an error at once.
            place.connect((one.server, one.port))
            place.send(query)
        except OSError as error:
            found[one] = _unheard(one, error.strerror or str(error))
    try:
        deadline = time.monotonic() + seconds
        while len(found) < len(waiting) and (left := deadline - time.monotonic()) > 0:
            open_ones = [place for place, (one, _) in waiting.items() if one not in found]
            for place in select.select(open_ones, [], [], left)[0]:
                found.update(_read(place, *waiting[place]))
    finally:
        for place in waiting:
            place.close()
    return {one: found.get(one, _unheard(one, f"no answer within {seconds:g} s")) for one, _ in waiting.values()}


def _read(place: socket.socket, one: Question, query: bytes) -> Mapping[Question, str]:
    try:
        answer = wire.answer(place.recv(4096), query)
    except BlockingIOError:
        return {}
    except OSError as error:
        return {one: _unheard(one, error.strerror or str(error))}
    return {} if answer is None else {one: one.refusal(answer)}


def _unheard(one: Question, why: str) -> str:
    return f"[{one.server}]:{one.port} does not answer: {why}"


def main(arguments: list[str]) -> int:
    """``SERVER PORT NAME TYPE ad|aa|any``: exit code 0 for a good answer, else the reason on standard error."""
    server, port, name, kind, want = arguments
    refusal = next(iter(ask([Question(server, int(port), name, kind, want)], 3.0).values()))
    sys.stderr.write(f"{refusal}\n" if refusal else "")
    return int(bool(refusal))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
