"""git's second question about a push: what became of it. Runs as a file, with nothing but Python.

What was pushed was judged, and done, by the hook before (``pushed``): had it been refused, git would not ask any more.
Every reference is answered for (githooks(5), proc-receive, version 1), and none is made: the export writes the branch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

_FLUSH: Final = b"0000"


def lines(given: BinaryIO) -> Iterator[bytes]:
    """Yield pkt-lines (gitprotocol-common(5)) up to the flush."""
    while (head := given.read(4)) not in {_FLUSH, b""}:
        yield given.read(int(head, 16) - 4).rstrip(b"\n")


def answer(given: BinaryIO, out: BinaryIO) -> None:
    """Say of every reference that it is well."""
    list(lines(given))  # git's version and what it can
    out.write(_line(b"version=1") + _FLUSH)
    out.flush()
    for line in list(lines(given)):
        out.write(_line(b"ok " + line.split(b" ", 2)[2]))
    out.write(_FLUSH)
    out.flush()


def _line(text: bytes) -> bytes:
    return f"{len(text) + 4:04x}".encode() + text


if __name__ == "__main__":
    answer(sys.stdin.buffer, sys.stdout.buffer)
