"""The registry from a member's machine: its API with nothing but Python, and how long the relays take to know."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from typing import Any

from . import lab, names, web

HOST = "core2"
PORTAL = "https://portal.alt"
UNITS = ("altnet-registry", "altnet-registry-writer", "altnet-registry-whois", "altnet-registry-export")
RUN = "/usr/local/lib/altnet-registry/run"
#: Registers names and changes records, one after the other, and asks every relay until it knows; prints a line for each.
PACE = """
import json, sys, urllib.request
token, servers, count, start, source = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]

def call(method, path, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request("https://portal.alt/api/v1" + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")

def known(name, value, begun):
    waiting = set(servers)
    while waiting and time.monotonic() < begun + 60:
        for server in sorted(waiting):
            try:
                got = ask(source, server, 53, [(name, "AAAA")], 1.0)[name, "AAAA"]
            except OSError:
                got = None
            if got and got.validated and any(one.value == value for one in got.records):
                waiting.discard(server)
        time.sleep(0.02)
    return None if waiting else time.monotonic() - begun

for number in range(count):
    label = f"{start}{number}"
    name, old, new = f"www.{label}.alt.", f"fd12::{number + 1:x}", f"fd12::ffff:{number + 1:x}"
    begun = time.monotonic()
    first_ones = [{"name": "www", "type": "AAAA", "ttl": 3600, "records": [old]}]
    call("POST", "/domains", {"name": label, "rrsets": first_ones})
    first = known(name, old, begun)
    # Every relay has just cached the old value, for an hour.
    begun = time.monotonic()
    call("PUT", f"/domains/{label}.alt/rrsets/www/AAAA", {"ttl": 3600, "records": [new]})
    print(json.dumps([label, first, known(name, new, begun)]), flush=True)
"""
#: Registers names in several threads until its input ends, and prints what was acknowledged, and what was begun.
BURST = """
import json, sys, threading, time, urllib.error, urllib.request
token, start = sys.argv[1], sys.argv[2]
said, begun, over, lock = [], [], threading.Event(), threading.Lock()

def work(which):
    number = 0
    while not over.is_set():
        label = f"{start}-{which}-{number}"
        number += 1
        begun.append(label)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps({"name": label}).encode()
        request = urllib.request.Request("https://portal.alt/api/v1/domains", data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                if answer.status == 201:
                    with lock:
                        said.append(label)
        except OSError:
            time.sleep(0.1)

threads = [threading.Thread(target=work, args=(which,)) for which in range(3)]
for thread in threads:
    thread.start()
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps([said, begun]))
"""


def api(token: str, method: str, path: str, body: object = None, *, host: str = web.CLIENT) -> tuple[int, Any]:
    """Ask the API from a member's machine, with curl and the network's CA in its store."""
    data = "" if body is None else f"-H 'Content-Type: application/json' --data-binary {json.dumps(json.dumps(body))}"
    # The token is in no argument of curl's.
    header = f'header = "Authorization: Bearer {token}"' if token else ""
    text = lab.ssh(
        host,
        f"umask 077; printf '%s' '{header}' >/run/altnet-test-curl;"
        f" curl -sS -m 30 -K /run/altnet-test-curl -X {method} {data} -w '\\n%{{http_code}}' '{PORTAL}/api/v1{path}'",
    )
    text, _, status = text.rpartition("\n")
    try:
        return int(status), json.loads(text) if text.strip() else None
    except ValueError:
        return int(status), text  # the web server's own words


def answers(token: str, seconds: float = 60) -> None:
    """Wait until the registry answers."""
    deadline = time.monotonic() + seconds
    while api(token, "GET", "/me")[0] != 200:
        assert time.monotonic() < deadline, lab.ssh(HOST, "journalctl -u altnet-registry | tail -20", check=False)
        time.sleep(0.2)


def put(host: str, path: str, data: bytes) -> None:
    """Put a file onto a host."""
    argv = lab.ssh_argv(host, f"umask 077; cat >{path}")
    subprocess.run(argv, input=data, check=True, timeout=60)


def pace(token: str, count: int, start: str) -> list[tuple[str, float | None, float | None]]:
    """Register names and change their records; return for each the seconds until all relays answered with AD."""
    servers = json.dumps([lab.loopback(host) for host in names.RESOLVERS])
    program = f"{names.ASKING}\n{PACE}"
    process = names.begun(web.CLIENT, program, token, servers, str(count), start, lab.loopback(web.CLIENT))
    found = []
    assert process.stdout is not None
    for line in process.stdout:
        label, first, changed = json.loads(line)
        found.append((label, first, changed))
        if len(found) == count:
            break
    names.ended(process)
    return found


def run(*argv: str) -> str:
    """Run one of the registry's verbs on its host, as an operator."""
    return lab.ssh(HOST, f"{RUN} {' '.join(argv)}", timeout=120)


def whois(question: str, patience: float = 20) -> str:
    """Ask as whois does; a server that was started a moment ago has its time to listen."""
    program = (
        "import socket, sys\n"
        "one = socket.create_connection(('whois.alt', 43), 10)\n"
        "one.sendall(sys.argv[1].encode() + b'\\r\\n')\n"
        "print(one.makefile().read())\n"
    )
    deadline = time.monotonic() + patience
    while not (
        said := lab.ssh(web.CLIENT, f"python3 -c {shlex.quote(program)} {question} 2>&1", check=False)
    ).strip() or ("Connection refused" in said):
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
    return said


def kill() -> None:
    """Kill the registry and its writer where they stand."""
    lab.ssh(HOST, f"systemctl kill -s KILL {' '.join(UNITS[:2])}", check=False)


def share(values: list[float], part: float) -> float:
    """Return a quantile, by the nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]
