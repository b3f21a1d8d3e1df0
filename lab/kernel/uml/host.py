"""One host of the kernel lab: a user-mode Linux process with a disk of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import inbox, wires
from .underlay import ROOT, Machine

#: What may be kept between two labs, what belongs to one lab, and where running machines are found by any checkout.
CACHE = ROOT / ".cache" / "kernel"
DISKS = CACHE / "disks"
CONSOLES = CACHE / "consoles"
RUN = Path("/run/altnet-kernel")
MEMORY = "512M"


def members(machine: Machine) -> set[int]:
    """Return the host's processes: the kernel, and one for each address space of its guests."""
    mark = f"umid={machine.name}".encode()
    pids = wires.processes()
    kernels = set()
    for pid in pids:
        try:
            if mark in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                kernels.add(pid)
        except OSError:
            continue
    # Whatever a kernel process started is in its session.
    return {pid for pid in pids if pid in kernels or session(pid) in kernels}


def session(pid: int) -> int:
    """Return a process's session, 0 where it has ended."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def boot(machine: Machine, key: str) -> None:
    """Start the host's process. Its disk keeps what it wrote before; a host that has none gets an empty layer."""
    for directory in (DISKS, CONSOLES, RUN / "uml"):
        directory.mkdir(parents=True, exist_ok=True)
    # What a process that was killed left behind: the socket at which a kernel takes commands.
    shutil.rmtree(RUN / "uml" / machine.name, ignore_errors=True)
    link = machine.links[0]
    parameters = [
        f"mem={MEMORY}", "seccomp=on", "ncpus=1", f"umid={machine.name}", f"uml_dir={RUN / 'uml'}",
        f"ubd0={disk(machine)},{CACHE / 'images' / machine.image}.ext4", "root=/dev/ubda", "rw",
        "con=null", "con0=null,fd:1", "ssl=null", "loglevel=5", "systemd.show_status=0",
        f"vec0:transport=raw,ifname=h-{machine.name},gro=1,mac={machine.mac}",
        f"systemd.hostname={machine.name}", f"systemd.machine_id={machine.machine_id}",
        f"lab.ipv4={link.ipv4}", f"lab.gateway={machine.gateway}", f"lab.key={key.split()[1]}",
        *([f"lab.ipv6={link.ipv6}"] if link.ipv6 else []),
    ]  # fmt: skip
    # A guest's memory is a file in /dev/shm, which may be small: each process sees one of its own, gone with it.
    start = f'mount -t tmpfs -o size={MEMORY},mode=700 memory /dev/shm && TMPDIR=/dev/shm exec "$@"'
    argv = ["ip", "netns", "exec", wires.NAMESPACE, "sh", "-c", start, "sh", str(CACHE / "kernel" / "linux")]
    with (CONSOLES / f"{machine.name}.log").open("ab") as console:
        subprocess.Popen(
            [*argv, *parameters], cwd="/", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
        )  # fmt: skip


def disk(machine: Machine) -> Path:
    """Return the file that holds what the host wrote; without it, the host is as new."""
    return DISKS / f"{machine.name}.cow"


def answers(machine: Machine) -> bool:
    """Return whether the host's ssh server sends its banner within a second."""
    look = f"read -rN 4 banner </dev/tcp/{machine.address}/22 && [ $banner = SSH- ]"
    argv = ["ip", "netns", "exec", wires.NAMESPACE, "timeout", "1", "bash", "-c", look]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def wait(machine: Machine, patience: float = 120) -> None:
    """Wait until the host's ssh server answers, then give it room for what arrives.

    A host that does not come up shows the end of its console.
    """
    deadline = time.monotonic() + patience
    while not answers(machine):
        if not members(machine) or time.monotonic() > deadline:
            console = CONSOLES / f"{machine.name}.log"
            end = "\n".join(console.read_text(errors="replace").splitlines()[-30:])
            raise SystemExit(
                f"host {machine.name} does not answer on {machine.address} port 22; {console} ends:\n{end}"
            )
        time.sleep(0.3)
    try:
        for pid in filter(wires.leads, members(machine)):
            inbox.widen(pid)
    except OSError as error:
        print(f"host {machine.name}: keeps its small receive buffer ({error}), and may lose frames under load")


def send(machine: Machine, what: signal.Signals) -> None:
    """Send a signal to all of the host's processes."""
    pids = members(machine)
    if not pids:
        raise SystemExit(f"host {machine.name} does not run")
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            continue
