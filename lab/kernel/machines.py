#!/usr/bin/env python3
"""The machines of the kernel lab: the container lab's hosts, each with a Linux kernel of its own.

machines.py up [HOST...]    start what does not run: wires, then all hosts or those named
machines.py down            end and remove everything but the cache
machines.py restart HOST    have the host reboot itself, and wait for it
machines.py kill HOST       cut its power
machines.py boot HOST       switch it on, with the disk as it was left
machines.py freeze HOST     stop its clock and everything on it, with the cable in
machines.py thaw HOST       let it go on
machines.py exec CMD...     run a command where the hosts' addresses are, with Ansible pointed at their inventory
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# The checkout's own Python has what this needs, whoever calls it.
TOOLS = Path(__file__).resolve().parents[2] / ".venv"
if Path(sys.prefix).resolve() != TOOLS:
    if not TOOLS.exists():
        raise SystemExit(f"{TOOLS} is not there. Remedy: make venv")
    python = str(TOOLS / "bin" / "python3")
    os.execv(python, [python, __file__, *sys.argv[1:]])

from uml import host, network, wires
from uml.underlay import ROOT, Machine, read

OWNER = host.RUN / "checkout"


def hosts(names: list[str]) -> list[Machine]:
    """Return the hosts of those names, or all."""
    known = {machine.name: machine for machine in read()[1] if not machine.nat_inside}
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"{', '.join(unknown)}: no host of lab/underlay.yml; hosts are {', '.join(known)}")
    return [known[name] for name in names or known]


def owner() -> str:
    """Return the checkout whose lab is on this machine, empty where there is none."""
    return OWNER.read_text() if OWNER.exists() else ""


def up(names: list[str], *, fresh: bool = False) -> None:
    """Start what does not run; with ``fresh``, after ending what does."""
    if fresh or owner() != str(ROOT) or not wires.exists(wires.NAT_NAMESPACE):
        if owner() not in {"", str(ROOT)} and wires.processes():
            raise SystemExit(f"a kernel lab of {owner()} runs. Remedy: `make kernel-down` there or here ends it")
        # What a run left that was killed, here or in a checkout that is gone.
        down()
        networks, machines = read()
        host.RUN.mkdir(mode=0o755)
        OWNER.write_text(str(ROOT))
        wires.up(networks, machines)
    key = network.prepare()
    wanted = [machine for machine in hosts(names) if not host.members(machine)]
    for machine in wanted:
        if not host.disk(machine).exists():
            network.forget(machine.address)
        host.boot(machine, key)
    for machine in wanted:
        host.wait(machine)
        if not works(machine):
            # Seen once in some thirty boots, on a machine with a hundred processes waiting for each core: a request
            # to the disk that is never answered. Such a host lets nobody in, and only switching it off helps.
            print(f"host {machine.name}: answers but lets nobody in; switched off and on")
            kill(machine)
            host.boot(machine, key)
            host.wait(machine)
        print(f"host {machine.name}: up at {machine.address}")


def down() -> None:
    """End everything; the cache and the consoles of the last hosts stay."""
    wires.down()
    shutil.rmtree(host.RUN, ignore_errors=True)
    shutil.rmtree(host.DISKS, ignore_errors=True)
    network.remove()


def restart(machine: Machine) -> None:
    """Have the host reboot itself, and wait until it is back."""
    before = boot_id(machine)
    ssh(machine, "systemctl reboot")
    deadline = time.monotonic() + 120
    while boot_id(machine) in {"", before}:
        if time.monotonic() > deadline:
            raise SystemExit(f"host {machine.name} does not come back; see {host.CONSOLES / machine.name}.log")
        time.sleep(0.2)
    host.wait(machine)


def boot_id(machine: Machine) -> str:
    """Return what the kernel calls this boot, empty while the host does not answer."""
    return ssh(machine, "cat /proc/sys/kernel/random/boot_id")


def ssh(machine: Machine, remote: str, patience: int = 10) -> str:
    """Run a command on a host; return its output, whatever became of the connection."""
    argv = [
        "ip", "netns", "exec", wires.NAMESPACE, "timeout", str(patience),
        "ssh", "-i", str(network.SSH / "id_ed25519"), "-o", f"UserKnownHostsFile={network.SSH / 'known_hosts'}",
        "-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR", "-o", "ControlPath=none",
        "-o", "ConnectTimeout=3", f"root@{machine.address}", remote,
    ]  # fmt: skip
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout.strip()


def works(machine: Machine) -> bool:
    """Return whether the host lets its operator in and writes to its disk, within half a minute."""
    return "written" in ssh(machine, "sync && echo written", patience=30)


def kill(machine: Machine) -> None:
    """Cut the host's power."""
    pids = host.members(machine)
    if not pids:
        raise SystemExit(f"host {machine.name} does not run")
    wires.kill(pids)


def execute(argv: list[str]) -> None:
    """Become a command in the namespace."""
    if not wires.exists():
        raise SystemExit("the kernel lab is not up. Remedy: make kernel-up")
    os.execvpe("ip", ["ip", "netns", "exec", wires.NAMESPACE, *argv], network.environment())


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    start = verbs.add_parser("up")
    start.add_argument("hosts", nargs="*", metavar="HOST")
    start.add_argument("--fresh", action="store_true")
    verbs.add_parser("down").add_argument("--own", action="store_true")
    for verb in ("restart", "kill", "boot", "freeze", "thaw"):
        verbs.add_parser(verb).add_argument("host", metavar="HOST")
    verbs.add_parser("exec").add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD")
    args = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("the kernel lab makes network namespaces: run this as root")
    match args.verb:
        case "up":
            up(args.hosts, fresh=args.fresh)
        case "down":
            if not args.own or owner() in {"", str(ROOT)}:
                down()
        case "exec":
            execute(args.argv)
        case verb:
            one(verb, hosts([args.host])[0])


def one(verb: str, machine: Machine) -> None:
    """Do a verb to one host."""
    match verb:
        case "restart":
            restart(machine)
        case "kill":
            kill(machine)
        case "boot":
            up([machine.name])
        case "freeze":
            host.send(machine, signal.SIGSTOP)
        case "thaw":
            host.send(machine, signal.SIGCONT)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main()
