"""Asks a host's own sites as a browser would, each over HTTPS, by its name, with a certificate for that.

``python3 -m altnet.content.asking FILE`` prints a line for each site, ``NAME: answers with 200`` or why not.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import look

#: From here on it is the server, or what is behind it, that has failed.
FAILED = 500
#: What we call ourselves: the web server writes nothing down of what its own host asks.
WATCHER = "altnet-watch"
#: Read of an answer; its first line is enough.
FIRST = 1024


@dataclass(frozen=True)
class Question:
    """A site at an address."""

    server: str
    name: str
    roots: str
    port: int = 443
    plain_port: int = 80


@dataclass(frozen=True)
class Found:
    """What was found: the status over HTTPS (0: none), why not, and whether the web server is there at all."""

    status: int
    reason: str
    present: bool

    @property
    def refusal(self) -> str:
        """Why that is not good; empty where it is."""
        if not self.status:
            return self.reason
        return f"answers with {self.status}" if self.status >= FAILED else ""


def ask(question: Question, timeout: float) -> Found:
    """Ask once. A site without a certificate yet has a web server all the same."""
    try:
        return Found(_status(question, timeout), "", present=True)
    except (OSError, ValueError) as error:
        return Found(0, _why(error), present=_listens(question, timeout))


def ask_all(questions: Sequence[Question], timeout: float) -> dict[Question, Found]:
    """Ask all side by side."""
    if not questions:
        return {}
    asked: Callable[[Question], Found] = lambda question: ask(question, timeout)  # noqa: E731
    with ThreadPoolExecutor(min(16, len(questions))) as pool:
        return dict(zip(questions, pool.map(asked, questions), strict=True))


def _status(question: Question, timeout: float) -> int:
    context = ssl.create_default_context(cafile=question.roots)
    with socket.create_connection((question.server, question.port), timeout) as raw:
        raw.settimeout(timeout)
        with context.wrap_socket(raw, server_hostname=question.name) as place:
            words = ("GET / HTTP/1.1", f"Host: {question.name}", f"User-Agent: {WATCHER}", "Connection: close", "", "")
            place.sendall("\r\n".join(words).encode())
            first = place.recv(FIRST).split(b"\r\n")[0].split()
    if len(first) < 2 or not first[0].startswith(b"HTTP/"):
        raise ValueError("does not speak HTTP")
    return int(first[1])


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no good certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "has no certificate"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return f"does not answer: {getattr(error, 'strerror', None) or error}"


def _listens(question: Question, timeout: float) -> bool:
    try:
        with socket.create_connection((question.server, question.plain_port), timeout):
            return True
    except OSError:
        return False


def questions(settings: Mapping[str, Any]) -> list[Question]:
    """Return the questions in a settings file."""
    return [Question(settings["server"], name, settings["roots"]) for name in settings["sites"]]


def reasons(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with sites' directories, by the sites' names, with the variable and the remedy."""
    try:
        uid, groups = look.who()
    except KeyError:
        return {}
    found = {
        one["name"]: (one["where"], look.wrong(Path(one["directory"]), uid, groups)) for one in settings["directories"]
    }
    return {name: f"{where}.root: {wrong}" for name, (where, wrong) in found.items() if wrong}


def main(arguments: list[str]) -> int:
    """Exit code 0 where Caddy answers at all: a site whose application is dead must not undo another's change."""
    settings = json.loads(Path(arguments[0]).read_text())
    found, because = ask_all(questions(settings), 5.0), reasons(settings)
    for question, one in found.items():
        why = f" ({because[question.name]})" if question.name in because else ""
        sys.stdout.write(f"{question.name}: {one.refusal or f'answers with {one.status}'}{why}\n")
    return int(bool(found) and not any(one.present for one in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
