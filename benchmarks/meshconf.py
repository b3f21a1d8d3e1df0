"""wg-meshconf at work, through its own classes in one process: kinder to it than a call of its command for each host.

Runs in a Python environment of its own; arguments: the number of hosts and an empty directory. Prints JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
from pathlib import Path

from wg_meshconf.database_manager import DatabaseManager


def digests(directory: Path) -> dict[str, str]:
    """Return each file's digest."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def main(size: int, directory: Path) -> dict[str, float]:
    """Make a mesh and add one host."""
    manager = DatabaseManager(directory / "database.csv")
    out = directory / "out"

    def add(number: int) -> None:
        where = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        manager.addpeer(f"r{number:05d}", [f"fd12:3456:789a::{number:x}/128"], where, ListenPort=51820)

    start = time.process_time()
    manager.init()
    for number in range(1, size + 1):
        add(number)
    manager.genconfig(None, out)
    seconds, before = time.process_time() - start, digests(out)
    start = time.process_time()
    add(size + 1)
    manager.genconfig(None, out)
    one_more, after = time.process_time() - start, digests(out)
    return {
        "seconds": seconds,
        "one_more": one_more,
        "touched": sum(before.get(name) != digest for name, digest in after.items()),
        "files": len(after),
    }


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        answer = main(int(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps(answer))
