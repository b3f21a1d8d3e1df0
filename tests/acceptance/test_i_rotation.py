"""All tunnel keys change while every host pings every other 100 times a second: nothing is lost.

ROTATION_KILLS=10 kills ten runs instead of two. ROTATION_SEED=NUMBER repeats the moments of a run that showed that number.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from . import lab
from .test_d_wrecks import wait_for_the_lock
from .watched import Watched, watched

HOSTS = sorted(lab.addresses())
QUIET = dict.fromkeys(HOSTS, 0)
ROTATE = "playbooks/rotate-tunnels.yml"
INTERVAL = 0.01
KILLS = int(os.environ.get("ROTATION_KILLS", "2"))
#: A host that runs leave out while the others change keys.
AWAY = "laptop1"


def keys(host: str) -> dict[str, set[str]]:
    """Return everything on a host that a rotation replaces, by kind."""
    shown = lab.ssh(
        host,
        'wg show all dump | awk \'NF == 5 {print "public", $3} NF == 9 {print "pair", $3; print "interface", $1}\'',
    )
    found: dict[str, set[str]] = {"files": set(lab.ssh(host, "ls /etc/altnet/wireguard").split())}
    for line in shown.splitlines():
        kind, value = line.split()
        found.setdefault(kind, set()).add(value)
    return found


def generation() -> int:
    return int(str(lab.ledger()["generation"]))


def assert_rotated(number: int, before: dict[str, dict[str, set[str]]]) -> None:
    """Everything on every host, and the ledger, is of the generation and nothing of an earlier one is left."""
    ledger = lab.ledger()
    assert ledger["generation"] == number
    for name, record in ledger["hosts"].items():
        assert list(record["keys"]) == [str(number)], name  # type: ignore[call-overload]
        assert all(generations == [number] for generations in record["tunnels"].values()), name  # type: ignore[attr-defined]
    for host in HOSTS:
        now = keys(host)
        assert now["files"] == {f"{number}.key"}
        assert {name[:4] for name in now["interface"]} == {f"an{number % 2}-"}
        assert len(now["interface"]) == len(before[host]["interface"])
        for kind in ("public", "pair"):
            assert not now[kind] & before[host][kind], f"{host} still has a {kind} key"


@pytest.fixture(scope="module", autouse=True)
def _even() -> Iterator[None]:
    """Leave the lab whole, and with the interface names that the other tests write."""
    start = generation()
    yield
    # A test that failed may have left a rotation half-way: the first run then ends it, and begins no other.
    for _ in range(2):
        live = [record for record in lab.ledger()["hosts"].values() if "left" not in record]
        whole = all(list(record["keys"]) == [str(generation())] for record in live)  # type: ignore[call-overload]
        if not whole or (generation() - start) % 2:
            lab.playbook(ROTATE).ok()
    lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok()


def test_check_mode_tells_and_changes_nothing() -> None:
    ledger, before = lab.ledger(), {host: keys(host) for host in HOSTS}
    number = generation() + 1
    told = lab.playbook(ROTATE, "--check", "--diff").ok().output
    assert f"ledger: rotation: generation {number} begins" in told
    assert f"ledger: tunnel fra - nyc: generation {number} joins {number - 1}" in told
    assert f"an{number % 2}-nyc" in told
    assert lab.ledger() == ledger
    assert {host: keys(host) for host in HOSTS} == before


@dataclass(frozen=True)
class Rotation:
    """One undisturbed change of keys, and what the pings saw of it."""

    number: int
    before: dict[str, dict[str, set[str]]]
    done: lab.Run
    watch: Watched


@pytest.fixture(scope="module")
def rotation() -> Rotation:
    number, before = generation() + 1, {host: keys(host) for host in HOSTS}
    with watched(HOSTS, INTERVAL) as seen:
        done = lab.playbook(ROTATE)
    return Rotation(number, before, done, seen)


def test_all_keys_change_and_nothing_is_lost(rotation: Rotation) -> None:
    lab.show(f"all keys changed in {rotation.done.seconds:.0f} s: {rotation.watch}")
    rotation.done.ok()
    rotation.watch.check()
    assert f"rotation: generation {rotation.number} is complete" in rotation.done.output
    assert_rotated(rotation.number, rotation.before)
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET


def kill_a_run(moments: random.Random, tasks: list[str], limit: str) -> str:
    """Run the playbook and kill it after the beginning of one of ``tasks``; return which, or ``""`` if it ended before."""
    last, wait = moments.randrange(len(tasks)), moments.uniform(0, 1.5)
    process = subprocess.Popen(
        [*lab.EXEC, "ansible-playbook", "-i", str(lab.INVENTORY), ROTATE, "--limit", limit], cwd=lab.ROOT, env=lab.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    seen = -1
    for line in process.stdout or ():
        if line.startswith(f"TASK [{tasks[0]}]") or (seen >= 0 and line.startswith("TASK [")):
            seen += 1
        if seen == last:
            break
    time.sleep(wait)
    ended = process.poll() is not None
    process.kill()
    process.wait()
    wait_for_the_lock()
    return "" if ended else f"{wait:.1f} s after the first host's end of: {tasks[last]}"


def test_killed_at_any_moment_and_with_a_host_away_nothing_is_lost(rotation: Rotation) -> None:
    """The away host keeps its tunnels, the others finish without it, and it catches up when it is back."""
    seed = int(os.environ.get("ROTATION_SEED", "0")) or random.SystemRandom().randrange(1, 1000)
    moments = random.Random(seed)
    tasks = re.findall(r"^TASK \[(.*)\]", rotation.done.output, re.MULTILINE)
    tasks = tasks[tasks.index("Say in the ledger that keys change") :]
    before, old = {host: keys(host) for host in HOSTS}, generation()
    others = f"all:!{AWAY}"
    with watched(HOSTS, INTERVAL) as seen:
        killed: list[str] = []
        while len(killed) < KILLS:
            # The first one well before the end: a run that ends has left nothing to kill a further one in.
            moment = kill_a_run(moments, tasks if killed else tasks[: len(tasks) // 2], others)
            if not moment:
                break
            killed.append(moment)
            lab.show(f"killed {moment}")
        assert killed, "the run ended before it was to be killed"
        lab.playbook("site.yml", "--limit", others, *lab.FABRIC).ok()
        done = lab.playbook(ROTATE, "--limit", others)
    lab.show(f"{len(killed)} kills (seed {seed}), site.yml, then a run to the end in {done.seconds:.0f} s: {seen}")
    done.ok()
    seen.check()
    number = old + 1
    assert generation() == number
    told = re.findall(rf"left behind with tunnels of generation {old}: {AWAY}\.", " ".join(done.output.split()))
    assert told, done.output[-3000:]
    tunnels = {
        (name, other): generations
        for name, record in lab.ledger()["hosts"].items()
        for other, generations in record["tunnels"].items()  # type: ignore[attr-defined]
    }
    assert {tuple(generations) for pair, generations in tunnels.items() if AWAY in pair} == {(old,)}
    assert {tuple(generations) for pair, generations in tunnels.items() if AWAY not in pair} == {(number,)}
    refused = lab.playbook(ROTATE, "--limit", others)
    assert refused.status != 0
    assert f"still waits for {AWAY}: a further one cannot begin" in " ".join(refused.output.split())
    with watched(HOSTS, INTERVAL) as seen:
        done = lab.playbook(ROTATE)
    lab.show(f"{AWAY} is back and catches up in {done.seconds:.0f} s: {seen}")
    done.ok()
    seen.check()
    assert_rotated(number, before)
    assert lab.playbook("site.yml").ok().changed == QUIET
