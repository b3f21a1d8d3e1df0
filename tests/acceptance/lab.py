"""The lab, seen from outside: its hosts by ssh, its network by packets, its playbooks as an operator runs them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
#: The same network may stand elsewhere: LAB_INVENTORY is its directory, LAB_EXEC begins every command that reaches it.
INVENTORY = Path(os.environ.get("LAB_INVENTORY") or ROOT / "inventories" / "lab").resolve()
EXEC = shlex.split(os.environ.get("LAB_EXEC", ""))
#: What switches its machines, followed by a verb and a host; by default the hosts are docker's.
MACHINES = shlex.split(os.environ.get("LAB_MACHINES", ""))
DOCKER = {
    "restart": ["restart", "-t", "10"],
    "kill": ["kill"],
    "boot": ["start"],
    "freeze": ["pause"],
    "thaw": ["unpause"],
}
BIN = Path(sys.executable).parent
RECAP = re.compile(
    r"^(?P<host>[\w.-]+)\s+: ok=(?P<ok>\d+)\s+changed=(?P<changed>\d+)\s+unreachable=(?P<unreachable>\d+)\s+"
    r"failed=(?P<failed>\d+)",
    re.MULTILINE,
)
#: With pipelining, every execution of a module is one remote command, which -vvv shows as this.
EXECUTION = re.compile(r"^<(?P<address>[0-9a-fA-F.:]+)> SSH: EXEC ", re.MULTILINE)
#: What a run that mends or proves the fabric alone is given: the layers above take twice the time of these.
FABRIC = ("--tags", "host,fabric")
#: How a copy of the lab's inventory writes the line that joins sao.
SAO = '        sao: {ansible_host: 10.77.0.14, altnet_endpoints: [10.77.0.14, "2001:db8:77::14"], altnet_region: us}\n'


#: What tests measured or were told, in order; printed after the last test, passed or not.
SHOWN: list[str] = []


def show(what: object) -> None:
    """Keep a figure, or a message an operator would see, for the end of the suite's output."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[2].removesuffix(" (call)").removesuffix(" (setup)")
    SHOWN.append(f"{test}: {what}")


@dataclass(frozen=True)
class Run:
    """One ended run of a command."""

    status: int
    output: str
    seconds: float

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, by host, from the recap."""
        return {match["host"]: int(match["changed"]) for match in RECAP.finditer(self.output)}

    @property
    def changes(self) -> str:
        """The tasks that changed something, with what they showed of it under ``--diff``."""
        tasks = re.split(r"^(?=(?:TASK|PLAY) )", self.output, flags=re.MULTILINE)
        return "".join(task for task in tasks if re.search(r"^changed: ", task, flags=re.MULTILINE))

    @property
    def executions(self) -> Counter[str]:
        """How many modules were executed, by address; needs -vvv."""
        return Counter(match["address"] for match in EXECUTION.finditer(self.output))

    def ok(self) -> Run:
        """Return itself, or fail with the output's end."""
        assert self.status == 0, self.output[-6000:]
        return self


def environment(**more: str) -> dict[str, str]:
    """Return the environment of an operator at the repository's root, without colours and prompts."""
    if os.environ.get("LAB_INVENTORY"):
        # Another network's password and connections: the addresses are the same, so those of the default must not serve.
        more = {
            "ANSIBLE_VAULT_PASSWORD_FILE": str(INVENTORY / ".vault-password"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(INVENTORY / ".ssh"),
            **more,
        }
    return {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_FORCE_COLOR": "false",
        "ANSIBLE_NOCOLOR": "true",
        **more,
    }


def run(*argv: str, timeout: float = 600, cwd: Path = ROOT, **env: str) -> Run:
    """Run a command to its end."""
    start = time.monotonic()
    done = subprocess.run(
        [*EXEC, *argv], cwd=cwd, env=environment(**env), stdin=subprocess.DEVNULL, timeout=timeout,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, time.monotonic() - start)


def playbook(name: str, *args: str, inventory: Path = INVENTORY, timeout: float = 600, **env: str) -> Run:
    """Run a playbook as an operator would."""
    return run("ansible-playbook", "-i", str(inventory), name, *args, timeout=timeout, **env)


def addresses(inventory: Path = INVENTORY) -> dict[str, str]:
    """Return every host's ssh address, by name."""
    loaded = yaml.safe_load((inventory / "hosts.yml").read_text())
    return {
        name: variables["ansible_host"]
        for group in loaded["lab"]["children"].values()
        for name, variables in group["hosts"].items()
        if variables
    }


def ssh_argv(host: str, command: str) -> list[str]:
    """Return the command that runs a shell command on a host of the lab, for what has to run beside a test."""
    address = {**addresses(), "sao": "10.77.0.14"}[host]
    return [
        *EXEC, "ssh", "-i", str(INVENTORY / ".ssh" / "id_ed25519"),
        "-o", f"UserKnownHostsFile={INVENTORY / '.ssh' / 'known_hosts'}", "-o", "StrictHostKeyChecking=accept-new",
        "-o", "LogLevel=ERROR", "-o", "ControlMaster=auto", "-o", "ControlPersist=60",
        "-o", f"ControlPath={INVENTORY / '.ssh' / '%h'}", "-o", "ConnectTimeout=10", f"root@{address}", command,
    ]  # fmt: skip


def ssh(host: str, command: str, *, check: bool = True, timeout: float = 60) -> str:
    """Run a shell command on a host of the lab, as its operator would; return its output."""
    done = subprocess.run(
        ssh_argv(host, command), capture_output=True, text=True, errors="replace", timeout=timeout, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{host}: {command}: {done.stderr}{done.stdout}"
    return done.stdout


def machine(verb: str, host: str) -> None:
    """Reboot a host, cut its power and give it back, or stop and resume it: restart, kill, boot, freeze, thaw."""
    argv = [*MACHINES, verb, host] if MACHINES else ["docker", *DOCKER[verb], f"altnet-lab-{host}"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"


def ledger(inventory: Path = INVENTORY) -> dict[str, dict[str, dict[str, object]]]:
    """Return the ledger's JSON value."""
    loaded: dict[str, dict[str, dict[str, object]]] = json.loads((inventory / "ledger.json").read_text())
    return loaded


def loopback(host: str, inventory: Path = INVENTORY) -> str:
    """Return a host's loopback address, by the ledger."""
    loaded = ledger(inventory)
    return f"{str(loaded['prefix']).removesuffix('/48')}{loaded['hosts'][host]['id']:x}"


def reaches(source: str, target: str, inventory: Path = INVENTORY, wait: float = 20) -> float:
    """Return after how many seconds a ping from loopback to loopback was answered; fail after ``wait``."""
    start = time.monotonic()
    while True:
        command = (
            f"ping -6 -n -c 1 -W 1 -I {loopback(source, inventory)} {loopback(target, inventory)} && echo ANSWERED"
        )
        if "ANSWERED" in ssh(source, command, check=False):
            return time.monotonic() - start
        assert time.monotonic() - start < wait, (
            f"{source} does not reach {target}: {ssh(source, 'birdc show protocols; ip -6 r', check=False)}"
        )


def state(host: str) -> str:
    """Return everything on a host that a run may change, as text to compare: files, tunnels, units, firewall, packages."""
    return ssh(
        host,
        "find /etc /var/lib/altnet /usr/local -xdev -type f -not -path '/etc/machine-id' -printf '%p %m %u %g %T@ ' "
        "-exec sha256sum {} + 2>/dev/null | sort;"
        " ip -o -6 addr | sort; wg show all dump 2>/dev/null | cut -f1-5,9 | sort; nft -s list ruleset 2>/dev/null;"
        " systemctl list-units --no-legend --plain --state=active --type=service | cut -d' ' -f1 | grep -v 'ssh\\|session\\|user' | sort;"
        " dpkg-query -W | sort",
    )


@contextlib.contextmanager
def network_copy(directory: Path) -> Iterator[Path]:
    """Yield a copy of the lab's inventory, its vault and ledger: the same network, run from another directory."""
    copy = directory / "lab"

    def left_out(parent: str, names: list[str]) -> set[str]:
        return {name for name in names if name.endswith(".lock") or Path(parent, name).is_socket()}

    shutil.copytree(INVENTORY, copy, ignore=left_out)
    yield copy


def join_sao(inventory: Path) -> None:
    """Add the one line that joins sao."""
    hosts = inventory / "hosts.yml"
    text = hosts.read_text()
    line = next(line for line in text.splitlines(keepends=True) if line.lstrip().startswith("# sao:"))
    hosts.write_text(text.replace(line, SAO))
