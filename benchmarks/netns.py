"""Network namespaces of our own: named with one prefix, removed at the end, and at the start if a run was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .measure import AbsentError

PREFIX = "altnet-bench-"
NEIGHBOURS = Path("/proc/sys/net/ipv6/neigh/default/gc_thresh3")


def need(*programs: str) -> None:
    """Raise AbsentError where this process may not make namespaces, or a program is not installed."""
    if os.geteuid():
        raise AbsentError("only root makes network namespaces")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise AbsentError(f"not installed: {', '.join(missing)}")


def ip(*words: str) -> None:
    """Run one ip command."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=60)


def batch(lines: Iterable[str], namespace: str = "") -> None:
    """Run many ip commands in one process."""
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(
        ["ip", *where, "-batch", "-"], input="\n".join(lines) + "\n", text=True, capture_output=True, timeout=600,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"ip -batch in {namespace or 'the first namespace'}: {done.stderr[-500:]}")


def inside(namespace: str, *argv: str | os.PathLike[str]) -> list[str]:
    """Return the command that runs ``argv`` in a namespace."""
    return ["ip", "netns", "exec", namespace, *map(str, argv)]


def start(namespace: str, *argv: str | os.PathLike[str]) -> subprocess.Popen[bytes]:
    """Start a program in a namespace; its process id is the program's own."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(inside(namespace, *argv), stdin=quiet, stdout=quiet, stderr=quiet)


def _ours() -> list[str]:
    directory = Path("/run/netns")
    return sorted(path.name for path in directory.glob(f"{PREFIX}*")) if directory.is_dir() else []


def remove_all() -> None:
    """End what runs in our namespaces and remove them: nothing but ours is ever in them."""
    names = _ours()
    processes = [pid for name in names for pid in _processes(name)]
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if names:
        batch(f"netns del {name}" for name in names)


def _processes(name: str) -> list[int]:
    done = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, timeout=60, check=False)
    return [int(word) for word in done.stdout.split()]


@contextlib.contextmanager
def made(names: Sequence[str]) -> Iterator[list[str]]:
    """Make namespaces, yield their full names, remove them and whatever still runs in them."""
    remove_all()
    full = [f"{PREFIX}{name}" for name in names]
    try:
        batch(f"netns add {name}" for name in full)
        for name in full:
            batch(["link set lo up"], name)
        yield full
    finally:
        remove_all()


@contextlib.contextmanager
def room_for_neighbours(wanted: int) -> Iterator[bool]:
    """Raise the neighbour table's limit, which all namespaces share, for a while; yield whether there is room."""
    before = NEIGHBOURS.read_text().strip()
    if int(before) >= wanted:
        yield True
        return
    try:
        NEIGHBOURS.write_text(f"{wanted}\n")
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        NEIGHBOURS.write_text(f"{before}\n")


def until(deadline: float, pause: float = 0.02) -> Iterator[float]:
    """Yield the time again and again, with a pause, until it is past ``deadline``; then raise TimeoutError."""
    while (now := time.monotonic()) < deadline:
        yield now
        time.sleep(pause)
    raise TimeoutError
