"""One shell on each host that stays open, so that a strike takes effect within milliseconds and costs no new login."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from acceptance import lab


class CommandError(Exception):
    """A command on a host failed, or did not end in time."""


class Shell:
    """A root shell on a host, by ssh."""

    def __init__(self, host: str, argv: list[str]) -> None:
        self.host = host
        self.count = itertools.count()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )

    def run(self, command: str, *, check: bool = True, timeout: float = 30) -> str:
        """Run a command, return what it printed; raise CommandError where it fails."""
        mark = f"--{next(self.count)}-done--"
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f'( {command}\n) </dev/null 2>&1; echo "{mark} $?"\n'.encode())
        output = b""
        deadline = time.monotonic() + timeout
        while mark.encode() not in output or not output.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise CommandError(
                    f"{self.host}: {command}: no end within {timeout} s: {output.decode(errors='replace')}"
                )
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                raise CommandError(f"{self.host}: {command}: the connection ended: {output!r}")
            output += chunk
        text, _, status = output.decode(errors="replace").rpartition(mark)
        if check and int(status) != 0:
            raise CommandError(f"{self.host}: {command}: {text}")
        return text

    def close(self) -> None:
        """End the shell."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Shells:
    """The shells of all hosts; a command for several is run on all of them at once."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self.by_host = {host: Shell(host, lab.ssh_argv(host, "exec /bin/bash")) for host in hosts}
        self.pool = ThreadPoolExecutor(len(self.by_host))

    def run(self, host: str, command: str, *, check: bool = True, timeout: float = 30) -> str:
        """Run a command on one host."""
        return self.by_host[host].run(command, check=check, timeout=timeout)

    def all(self, command: str, hosts: Iterable[str] | None = None) -> dict[str, str]:
        """Run a command on several hosts (all) at once; return the output by host."""
        chosen = list(self.by_host if hosts is None else hosts)
        return dict(zip(chosen, self.pool.map(lambda host: self.run(host, command), chosen), strict=True))

    def close(self) -> None:
        """End every shell."""
        for shell in self.by_host.values():
            shell.close()
        self.pool.shutdown()


@contextlib.contextmanager
def shells(hosts: Iterable[str]) -> Iterator[Shells]:
    """Yield the shells of the hosts."""
    opened = Shells(hosts)
    try:
        yield opened
    finally:
        opened.close()
