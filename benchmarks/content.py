"""A site under h2load: Caddy as the role content has it, a bare one, and that with a log, on the same files by HTTP/2.

What counts is requests per second of the server's own processor time, as a ratio to the other one in the same run. Ours
writes an access log without secrets, adds the security headers and looks whether something may be compressed; the bare
one finds a file and sends it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from altnet.content import caddy
from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_leaf, make_root
from altnet.pki.scope import Scope

from . import netns
from .figures import Figure, Report, median
from .measure import run as command
from .servers import Server, beside, version

ROUNDS = 5
CONNECTIONS, STREAMS = 8, 8
PATIENCE = 20.0
NAME = "www.alt"
PREFIX = "fd12:3456:789a:"
OURS, BARE, LOGGING = (f"{PREFIX}:{number}" for number in range(1, 4))
#: The files that are asked for, and how often in a round.
SIZES = {"a page of 4 KiB": ("page.html", 4 << 10, 20_000), "a file of 1 MiB": ("file.bin", 1 << 20, 500)}
_DONE = re.compile(r"(\d+) succeeded, (\d+) failed, (\d+) errored")
_GOOD = re.compile(r"status codes: (\d+) 2xx")


def run(report: Report) -> None:
    """Measure both in turns, for each file."""
    netns.need("ip", "caddy", "h2load")
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as path, netns.made(["content"]) as (namespace,):
        home = Path(path)
        netns.batch((f"addr add {address}/128 dev lo nodad" for address in (OURS, BARE, LOGGING)), namespace)
        (home / "www").mkdir()
        for name, size, _ in SIZES.values():
            (home / "www" / name).write_bytes(b"0123456789abcde\n" * (size // 16))
        certify(home / NAME)
        known = version("caddy", "version")
        with (
            started(namespace, home, f"ours (Caddy {known})", OURS, ours(home)) as one,
            started(namespace, home, f"bare (Caddy {known})", BARE, bare(home, BARE)) as other,
            started(namespace, home, f"logging (Caddy {known})", LOGGING, logging(home)) as third,
        ):
            for what in SIZES:
                compare(report, what, namespace, [one, other, third])


def compare(report: Report, what: str, namespace: str, servers: Sequence[Server]) -> None:
    """Report what all do with one file, the first, which is ours, beside each of the others."""
    name, _, requests = SIZES[what]
    for server in servers:
        server.rates.clear()
        load(namespace, server, name, requests // 10)
    for _ in range(ROUNDS):
        for server in servers:
            server.rates.append(load(namespace, server, name, requests))
    for server in servers:
        server.weigh()
        report.add(
            f"content, {what}, {server.name}",
            Figure("requests per processor second", median(server.rates)),
            Figure("memory", server.memory, "MB"),
        )
    for other in servers[1:]:
        beside(report, f"content, {what}, ours beside {other.name}", "requests", servers[0], other)


def load(namespace: str, server: Server, name: str, requests: int) -> float:
    """Ask so often; return the requests answered per second of the server's processor time."""
    before = server.processor()
    said = command(
        netns.inside(namespace, "h2load", "-n", str(requests), "-c", str(CONNECTIONS), "-m", str(STREAMS),
                     f"--connect-to=[{server.address}]:{server.port}", f"https://{NAME}/{name}"),
        timeout=120,
    ).output  # fmt: skip
    spent = server.processor() - before
    done, good = _DONE.search(said), _GOOD.search(said)
    if not done or not good or (done.groups(), good[1]) != ((str(requests), "0", "0"), str(requests)):
        raise RuntimeError(f"{server.name} does not answer everything: {said[-1500:]}")
    return requests / max(spent, 1 / os.sysconf("SC_CLK_TCK"))


@contextmanager
def started(namespace: str, home: Path, name: str, address: str, configuration: dict[str, Any]) -> Iterator[Server]:
    """Start a Caddy and wait until it answers; it is ended by its own process."""
    file = home / f"{name.partition(' ')[0]}.json"
    file.write_text(json.dumps(configuration))
    # A home of its own: nothing of this machine's Caddy is read or written.
    within = ("env", f"XDG_DATA_HOME={home}", f"XDG_CONFIG_HOME={home}", f"HOME={home}")
    process = netns.start(namespace, *within, "caddy", "run", "--config", file)
    server = Server(name, address, process, 443)
    try:
        for _ in netns.until(time.monotonic() + PATIENCE):
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}")
            try:
                load(namespace, server, "page.html", CONNECTIONS)
                break
            except RuntimeError:
                continue
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=PATIENCE)


def ours(home: Path) -> dict[str, Any]:
    """Return what the role tells Caddy of a host with one site; only places are the measurement's."""
    site = {"name": NAME, "kind": "static", "directory": str(home / "www"), "to": "", "groups": [], "policy": "",
            "cache": 60}  # fmt: skip
    text = caddy.render(
        {
            "sites": [site], "addresses": [OURS], "siblings": [], "log_size": 20, "log_keep": 2,
            "certificates": {"mode": "files", "directory": str(home)},
        }
    )  # fmt: skip
    for place in ("/run/caddy/admin.sock", "/var/lib/caddy/storage", "/var/log/caddy/access.log"):
        if place not in text:
            raise RuntimeError(f"{place} is not in Caddy's configuration any more")
        text = text.replace(place, str(home / Path(place).name))
    configuration: dict[str, Any] = json.loads(text)
    return configuration


def bare(home: Path, address: str) -> dict[str, Any]:
    """Return the least that serves the same files over TLS."""
    certificate = {"certificate": str(home / NAME / "cert.pem"), "key": str(home / NAME / "key.pem")}
    server = {
        "listen": [f"[{address}]:443"],
        "routes": [{"handle": [{"handler": "file_server", "root": str(home / "www")}]}],
        "tls_connection_policies": [{}],
        "automatic_https": {"disable": True},
    }
    apps = {"http": {"servers": {"bare": server}}, "tls": {"certificates": {"load_files": [certificate]}}}
    return {"admin": {"disabled": True}, "apps": apps}


def logging(home: Path) -> dict[str, Any]:
    """Return the same with an access log as Caddy writes it by itself: nothing is left out of it."""
    found = bare(home, LOGGING)
    found["apps"]["http"]["servers"]["bare"]["logs"] = {"default_logger_name": "access"}
    writer = {"output": "file", "filename": str(home / "plain.log")}
    quiet: dict[str, Any] = {"exclude": ["http.log.access.access"]}
    access = {"writer": writer, "include": ["http.log.access.access"]}
    found["logging"] = {"logs": {"default": quiet, "access": access}}
    return found


def certify(place: Path) -> None:
    """Write a certificate of the inventory for the site, and its key."""
    now = datetime.now(UTC).replace(microsecond=0)
    key, below, own = pem.new_key(), pem.new_key(), pem.new_key()
    root = Signer(make_root(Scope(("alt",), f"{PREFIX}:/48"), key, now), key)
    signer = Signer(make_intermediate(root, "infra", below.public_key(), now), below)
    place.mkdir()
    leaf = make_leaf(signer, [NAME], own.public_key(), now)
    (place / "cert.pem").write_text(pem.text(leaf, signer.certificate))
    (place / "key.pem").write_text(pem.private_text(own))
