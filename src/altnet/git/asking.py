"""``python3 -m altnet.git.asking SOCKET``: prints ``git: answers``, or why it does not."""

from __future__ import annotations

import socket
import sys

TIMEOUT = 5.0


def ask(place: str) -> str:
    """Return why the list of repositories is not shown; nothing where it is."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(TIMEOUT)
            line.connect(place)
            line.sendall(b"GET / HTTP/1.1\r\nHost: git\r\nConnection: close\r\n\r\n")
            first = line.recv(64).split(b"\r\n")[0].decode("latin-1")
    except OSError as error:
        return str(error)
    return "" if " 200 " in first else f"answers with {first!r}"


def main(argv: list[str]) -> int:
    """Print one line."""
    refusal = ask(argv[0])
    sys.stdout.write(f"git: {refusal or 'answers'}\n")
    return 1 if refusal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
