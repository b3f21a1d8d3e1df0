"""What a user would take instead for the configuration of a mesh: wg-meshconf, and a role that loops over hostvars."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from altnet.allocate import allocate
from altnet.plan import Plan, compute

from . import network
from .controller import playbook, write_inventory
from .figures import Figure, Report
from .measure import CACHE, ROOT, AbsentError, in_child
from .measure import run as command
from .render import wireguard_confs

MESH = (100, 300)
LOOP = (50, 100)
LOCK = ROOT / "benchmarks" / "wg-meshconf.lock"


def run(report: Report) -> None:
    """Measure both, each beside ours."""
    try:
        python = wg_meshconf()
    except (AbsentError, RuntimeError) as error:
        report.without("wg-meshconf", f"it cannot be installed: {str(error)[-200:]}")
    else:
        for size in MESH:
            against_wg_meshconf(report, python, size)
    for size in LOOP:
        against_loop(report, size)


def wg_meshconf() -> Path:
    """Return the Python of an environment that has wg-meshconf, as the lock file says."""
    home = CACHE / "wg-meshconf"
    python, stamp = home / "bin" / "python", home / ".stamp"
    if not stamp.is_file() or stamp.read_text() != LOCK.read_text():
        command([sys.executable, "-m", "venv", "--clear", home])
        command(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", LOCK]
        )
        stamp.write_text(LOCK.read_text())
    return python


def against_wg_meshconf(report: Report, python: Path, size: int) -> None:
    """Keys and configuration of every host, then one host more: one thread each, so processor seconds say it all."""
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as directory:
        done = command([python, ROOT / "benchmarks" / "meshconf.py", str(size), directory])
    theirs = json.loads(done.output.splitlines()[-1])
    report.add(
        f"wg-meshconf, {size} hosts",
        Figure("of processor", theirs["seconds"], "s"),
        Figure("one more", theirs["one_more"], "s"),
        Figure("hosts touched", theirs["touched"]),
    )
    for strategy in ("full", "bounded"):
        ours = in_child("peers", size, strategy)
        same = "the same full mesh" if strategy == "full" else "degree 6"
        report.add(
            f"ours for it, {size} hosts, {same}",
            Figure("of processor", ours["seconds"], "s"),
            Figure("one more", ours["one_more"], "s"),
            Figure("hosts touched", ours["touched"]),
            Figure("of its time", ours["seconds"] / theirs["seconds"], "", 1),
            Figure("of its time for one more", ours["one_more"] / theirs["one_more"], "", 1),
        )


def child(size: int, strategy: str) -> dict[str, float]:
    """Do wg-meshconf's work our way: keys, plan, every host's files; then one host more."""
    hosts = network.relays(size)
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as directory:
        start = time.process_time()
        keys = {name: {0: public_key()} for name in hosts}
        known = network.inventory(hosts, strategy)
        ledger = allocate(known, None, new_prefix=str).ledger
        ledger = allocate(known, ledger, keys=keys, new_prefix=str).ledger
        plan = compute(known, ledger)
        write(plan, Path(directory), None)
        seconds = time.process_time() - start
        start = time.process_time()
        name = f"r{size + 1:05d}"
        more = network.inventory({**hosts, name: network.host_variables(size + 1)}, strategy)
        after = allocate(more, ledger, new_prefix=str).ledger
        after = allocate(more, after, keys={name: {0: public_key()}}, new_prefix=str).ledger
        touched = write(compute(more, after), Path(directory), plan)
        return {"seconds": seconds, "one_more": time.process_time() - start, "touched": touched}


def public_key() -> str:
    """Make a private key and return its public half, by the library that wg-meshconf uses too."""
    public = X25519PrivateKey.generate().public_key()
    return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def write(plan: Plan, directory: Path, before: Plan | None) -> int:
    """Write the configuration of the hosts whose slice is new or has changed; return how many hosts that are."""
    known = set(before.names) if before else set[str]()
    touched = 0
    for name in plan.names:
        piece = plan.slice(name)
        if before and name in known and before.slice(name) == piece:
            continue
        touched += 1
        (directory / f"{name}.conf").write_text("\n".join(wireguard_confs(piece).values()))
    return touched


def against_loop(report: Report, size: int) -> None:
    """Write each host's configuration by Ansible, the template fed from hostvars or from the plan.

    Both runs leave out the hosts' module executions, which are the same.
    """
    taken = {}
    for name, strategy in (("peers", "full"), ("plan", "full"), ("plan", "bounded")):
        with tempfile.TemporaryDirectory(prefix="altnet-bench-") as directory:
            inventory = write_inventory(Path(directory), size, strategy)
            if name == "peers":
                add_loop_variables(inventory)
            variables = {"ANSIBLE_CALLBACKS_ENABLED": "no_hosts"}
            taken[name, strategy] = playbook(ROOT / "benchmarks" / "loop" / f"{name}.yml", inventory, variables)
    theirs = taken["peers", "full"]
    report.add(
        f"loop over hostvars, {size} hosts", Figure("", theirs.wall, "s"), Figure("of processor", theirs.cpu, "s")
    )
    for strategy in ("full", "bounded"):
        ours = taken["plan", strategy]
        same = "the same full mesh" if strategy == "full" else "degree 6"
        report.add(
            f"ours for it, {size} hosts, {same}",
            Figure("", ours.wall, "s"),
            Figure("of processor", ours.cpu, "s"),
            Figure("of its processor time", ours.cpu / theirs.cpu, "", 1),
        )


def add_loop_variables(inventory: Path) -> None:
    """Add to each host what such roles want written down for it by hand."""
    content = json.loads(inventory.read_text())
    for number, variables in enumerate(content["all"]["children"]["relays"]["hosts"].values(), 1):
        variables["wireguard_address"] = f"fd12:3456:789a::{number:x}/128"
        variables["wireguard_endpoint"] = variables["altnet_endpoints"][0]
        variables["wireguard_port"] = 51820
    inventory.write_text(json.dumps(content))


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    print(json.dumps(child(int(sys.argv[1]), sys.argv[2])))
