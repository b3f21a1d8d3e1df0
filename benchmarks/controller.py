"""The control node's part of a no-change `site.yml`: all of it but the hosts' module executions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from altnet import ledger as ledgers

from . import network
from .figures import Figure, Report
from .measure import ROOT, proportional, status

SIZES = (100, 1_000)
PATIENCE = 1_800.0


@dataclass(frozen=True)
class Run:
    """What a playbook took: seconds, processor seconds, and the memory in MB of its process and of all of them."""

    wall: float
    cpu: float
    main: float
    all: float
    output: str


def write_inventory(directory: Path, size: int, strategy: str = "bounded") -> Path:
    """Write the inventory and the ledger of a converged network of relays; return the inventory's path."""
    hosts = network.relays(size)
    shared = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "altnet_topology": network.topology(strategy),
        "altnet_prefix": network.PREFIX,
        "altnet_master_secret": "of no network, for measurements only",
    }
    path = directory / "hosts.json"
    path.write_text(json.dumps({"all": {"vars": shared, "children": {"relays": {"hosts": hosts}}}}))
    ledgers.save(directory / "ledger.json", network.ledger(network.inventory(hosts, strategy)))
    return path


def playbook(path: Path, inventory: Path, variables: Mapping[str, str] | None = None) -> Run:
    """Run a playbook against hosts that answer at once."""
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": f"{ROOT / 'callback_plugins'}:{ROOT / 'benchmarks' / 'stand_ins'}",
        "ANSIBLE_CALLBACKS_ENABLED": "run_lock,no_hosts",
        "ANSIBLE_VAULT_PASSWORD_FILE": str(no_vault(inventory.parent)),
        "PYTHONPATH": str(ROOT),
        **(variables or {}),
    }
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(path)]
    before, start = os.times(), time.perf_counter()
    main = everything = 0.0
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                if time.perf_counter() - start > PATIENCE:
                    raise TimeoutError(f"{path.name} did not end within {PATIENCE:.0f} s")
                try:
                    main = max(main, status(process.pid, "VmHWM"))
                    everything = max(everything, tree_memory(process.pid))
                except (OSError, StopIteration):  # it ended just now
                    pass
                time.sleep(1)
        finally:
            process.kill()
            process.wait()
        wall, after = time.perf_counter() - start, os.times()
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{path.name}: exit {process.returncode}: {text[-3000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall, cpu, main, everything, text)


def no_vault(directory: Path) -> Path:
    """Return a password file, which Ansible wants to read although nothing is encrypted."""
    path = directory / ".vault-password"
    path.write_text("nothing is encrypted\n")
    return path


def tree_memory(pid: int) -> float:
    """Return the memory in MB of a process and its children, what they share counted once."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = proportional(pid)
    for child in children:
        try:
            total += proportional(int(child))
        except (OSError, StopIteration):
            continue
    return total


def changed(output: str) -> int:
    """Return how many results of a run were changes, from the recap."""
    return sum(int(word.partition("=")[2]) for word in output.split() if word.startswith("changed="))


def run(report: Report) -> None:
    """Measure each size."""
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="altnet-bench-") as directory:
            done = playbook(ROOT / "site.yml", write_inventory(Path(directory), size))
        if changed(done.output):
            raise RuntimeError(f"the run was to change nothing: {done.output[-2000:]}")
        report.add(
            f"controller, no-change site.yml of {size:,} hosts",
            Figure("", done.wall, "s"),
            Figure("of processor", done.cpu, "s"),
            Figure("of processor a host", done.cpu / size * 1000, "ms"),
            Figure("the main process", done.main, "MB"),
            Figure("with all workers", done.all, "MB"),
        )


if __name__ == "__main__":  # where the seconds go: python3 -m benchmarks.controller SIZE
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as _directory:
        _done = playbook(ROOT / "site.yml", write_inventory(Path(_directory), int(sys.argv[1])))
    print("\n".join(line for line in _done.output.splitlines() if line.startswith("task ")))
    print(f"{_done.wall:.1f} s, {_done.cpu:.1f} s of processor, {_done.main:.0f} MB")
