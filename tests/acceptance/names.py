"""The lab's names: questions from its hosts, and other zones published by an operator's own means."""

from __future__ import annotations

import base64
import contextlib
import json
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from . import lab, zonecheck

PRIMARY, RESOLVERS, CLIENT = "core2", ("fra", "nyc", "sin"), "laptop1"
#: Asks and reads DNS with nothing but Python's own library, so it is run on hosts as it is.
ASKING = (lab.ROOT / "src" / "altnet" / "host" / "dns.py").read_text()
ZONES = Path("group_vars", "lab.yml")
#: Asks for one name again and again and prints a JSON line for every change of what is answered, and the last gap.
WATCH = """
import json, select
over = select.poll()
over.register(0, select.POLLIN)
key, before, silent, last = ({name!r}, {kind!r}), None, 0.0, time.time()
end = last + {seconds}
# Until its input ends, as it does when whoever began it has gone: a command outlives the connection it came over.
while time.time() < end and not over.poll(0):
    start = time.time()
    try:
        one = ask({source!r}, {server!r}, {port}, [key], {patience})[key]
    except OSError:  # there is no way at this moment
        one = None
    good = one is not None and one.rcode == "NOERROR" and bool(one.records) and (one.validated or not {validated})
    found = [record for record in one.records if record.kind == TYPES[key[1]]] if good else []
    now = [record.value or record.data.hex() for record in found] if good else None
    if good:
        silent, last = max(silent, time.time() - last), time.time()
    if now != before:
        print(json.dumps({{"at": time.time(), "values": now}}), flush=True)
        before = now
    time.sleep(max(0.0, start + {every} - time.time()))
print(json.dumps({{"silent": max(silent, time.time() - last)}}), flush=True)
"""


def anycast() -> str:
    """Return the resolvers' common address."""
    return f"{str(lab.ledger()['prefix']).removesuffix('::/48')}::2:53"


def script(body: str) -> str:
    """Return the shell command that runs Python which can ask (src/altnet/host/dns.py)."""
    return f"python3 - <<'END'\n{ASKING}\n{body}\nEND"


def dig(host: str, *words: str) -> str:
    """Ask with dig from a host, through the anycast address unless another is given."""
    where = "" if any(word.startswith("@") for word in words) else f"@{anycast()} "
    return lab.ssh(host, f"dig {where}+tries=2 +time=3 {' '.join(words)}", check=False)


def status(text: str) -> str:
    """Return the rcode in dig's text, followed by AD where the answer is validated."""
    rcode = text.partition("status: ")[2].partition(",")[0]
    return rcode + (" AD" if " ad" in text.partition(";; flags:")[2].partition(";")[0] else "")


def becomes(wanted: str, *words: str, host: str = CLIENT, seconds: float = 15) -> None:
    """See that a question is answered as wanted, soon: resolvers forget when they are told, which is after a run's end."""
    deadline = time.monotonic() + seconds
    while status(text := dig(host, *words)) != wanted:
        assert time.monotonic() < deadline, text
        time.sleep(0.5)


@contextlib.contextmanager
def watched(host: str, name: str, server: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Ask from a host for a name, 20 times a second, while the block runs; its lines are read with :func:`told`."""
    settings = {
        "kind": "AAAA", "source": lab.loopback(host), "port": 53, "patience": 1.0, "every": 0.05, "validated": True,
        "seconds": 60, **more,
    }  # fmt: skip
    process = begun(host, f"{ASKING}\n{WATCH.format(name=name, server=server, **settings)}")
    try:
        yield process
    finally:
        ended(process)


def begun(host: str, program: str, *args: str) -> subprocess.Popen[str]:
    """Begin a Python program on a host that ends when its input does; it travels in the command, so its input is free."""
    text = base64.b64encode(program.encode()).decode()
    command = f"exec python3 -c \"import base64; exec(base64.b64decode('{text}'))\" {shlex.join(args)}"
    return subprocess.Popen(lab.ssh_argv(host, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str], seconds: float = 30) -> str:
    """End a program's input, and wait for it to end; return what it printed that nobody has read."""
    assert process.stdin
    assert process.stdout
    given_up = threading.Timer(seconds, process.kill)
    given_up.start()
    try:
        process.stdin.close()
        # Not by communicate(), which knows nothing of what told() has read ahead.
        rest = process.stdout.read()
        process.wait()
    finally:
        given_up.cancel()
    return rest


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the next line of a watcher."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the watcher has ended"
    known: dict[str, Any] = json.loads(line)
    return known


def sweep(host: str, server: str, names: Sequence[str], seconds: float = 120) -> tuple[int, list[str]]:
    """Ask ``server`` from a host for all names; return how many were answered with AD, and some that were not."""
    first, last = names[0], len(names)
    template = first.replace("00000", "{number:05d}")
    body = f"""
import json
names = [{template!r}.format(number=number) for number in range({last})]
found = ask({lab.loopback(host)!r}, {server!r}, 53, [(name, "AAAA") for name in names], {seconds})
good = [key for key, one in found.items() if one and one.rcode == "NOERROR" and one.validated and one.records]
print(json.dumps([len(good), [key[0] for key in found if key not in set(good)][:5]]))
"""
    count, bad = json.loads(lab.ssh(host, script(body), timeout=seconds + 60))
    return count, bad


def declare(inventory: Path, zones: Sequence[Mapping[str, Any]]) -> None:
    """Declare further zones in a copy of the lab's inventory, beside those it has."""
    file = inventory / ZONES
    variables = yaml.safe_load(file.read_text())
    own = [zone for zone in variables["altnet_zones"] if zone["name"] not in {more["name"] for more in zones}]
    variables["altnet_zones"] = [*own, *zones]
    file.write_text(yaml.safe_dump(variables))


def publish(inventory: Path, *args: str) -> lab.Run:
    """Publish the zones of an inventory, as `site.yml` does, and ask nobody but the primary: it sees to the others."""
    return lab.playbook("site.yml", "--tags", "authoritative", "--limit", PRIMARY, *args, inventory=inventory).ok()


def prune(inventory: Path) -> lab.Run:
    """Take away what an inventory does not declare, with consent for every zone; nothing else ever removes a name."""
    consent = {"dns_authoritative_prune": True, "dns_authoritative_prune_consent": zonecheck.zones(PRIMARY)}
    return publish(inventory, "-e", json.dumps(consent))


@contextlib.contextmanager
def stopped(unit: str, *hosts: str) -> Iterator[None]:
    """Kill a service on hosts and keep it dead while the block runs."""
    for host in hosts:
        lab.ssh(host, f"systemctl kill -s KILL {unit}; systemctl stop {unit}", check=False)
    try:
        yield
    finally:
        for host in hosts:
            lab.ssh(host, f"systemctl reset-failed {unit}; systemctl start {unit}", check=False)
