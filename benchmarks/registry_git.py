"""The registry's files: 10,000 objects checked as ``altnet registry check`` does, and exported, beside git itself.

The figure beside ``git fsck`` and a plain reading of the same files is what compares on other machines.
"""

from __future__ import annotations

import compileall
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .figures import Figure, Report
from .measure import ROOT, AbsentError, Spent
from .measure import run as spent

OBJECTS = 10_000
#: Seconds for all of them, from the command's start to its end.
GOAL = 2.0
RUNS = 3


def run(report: Report) -> None:
    """Measure."""
    try:
        import dns  # noqa: F401, PLC0415
        import idna  # noqa: F401, PLC0415
    except ImportError as error:
        raise AbsentError(f"{error.name} is not installed") from None
    if shutil.which("git") is None:
        raise AbsentError("git is not installed")
    compileall.compile_dir(ROOT / "src" / "altnet", quiet=2)
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as path:
        home = Path(path, "registry")
        for name, text in tree(OBJECTS):
            place = home / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        size = sum(one.stat().st_size for one in home.rglob("*") if one.is_file())
        checked = min(
            (spent([sys.executable, "-m", "altnet.cli", "registry", "check", home]) for _ in range(RUNS)), key=_wall
        )
        read = min((spent([sys.executable, "-c", _READ, home]) for _ in range(RUNS)), key=_wall)
        git = ["git", "-C", str(home), "-c", "user.name=x", "-c", "user.email=x@x.invalid", "-c", "gc.auto=0"]
        for order in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            spent([*git, *order])
        fsck = min((spent([*git, "fsck", "--strict", "--no-progress"]) for _ in range(RUNS)), key=_wall)
        report.add(
            f"registry check: {OBJECTS:,} objects, {size / 1e6:.1f} MB",
            Figure("on the clock", checked.wall, "s", GOAL),
            Figure("of processors", checked.cpu, "s"),
            Figure("beside git fsck of the same", checked.wall / fsck.wall, "x"),
            Figure("beside reading the same", checked.wall / read.wall, "x"),
        )
        _wrong(home)


_READ = "import pathlib, sys; [one.read_text() for one in pathlib.Path(sys.argv[1]).rglob('*') if one.is_file()]"


def _wall(one: Spent) -> float:
    return one.wall


def _wrong(home: Path) -> None:
    """See that it was judged at all: one wrong line of all is found, at its place."""
    place = next(iter(sorted((home / "domains").iterdir())))
    place.write_text(place.read_text() + "record:      wrong 300 AAAA nonsense\n")
    done = subprocess.run(
        [sys.executable, "-m", "altnet.cli", "registry", "check", home], capture_output=True, text=True, check=False
    )
    line = len(place.read_text().splitlines())
    if done.returncode != 1 or not done.stdout.startswith(f"domains/{place.name}:{line}: "):
        raise RuntimeError(f"the check did not find what is wrong: {done.stdout[:500]}{done.stderr[:500]}")


def tree(count: int) -> Iterator[tuple[str, str]]:
    """Yield files as the export writes them: four in five are domains, with records as people have them."""
    from altnet.registry.domain.model import (  # noqa: PLC0415
        Account,
        AccountState,
        Asn,
        Domain,
        DomainState,
        Hosting,
        Prefix,
        RRset,
        Zone,
    )
    from altnet.registry.domain.policy import Policy  # noqa: PLC0415
    from altnet.registry.texts import objects, paths  # noqa: PLC0415

    chance, now = random.Random(6), datetime(2026, 11, 27, tzinfo=UTC)
    yield paths.REGISTRY, objects.policy(Policy(prefix="fd12:3456:789a::/48"))
    people = [f"member{number}" for number in range(count // 10)]
    for uid in people:
        yield paths.account(uid), objects.account(Account(uid, AccountState.ACTIVE, now))
    for number in range(count // 20):
        holder = people[number]
        yield paths.asn(4_200_100_000 + number), objects.asn(Asn(4_200_100_000 + number, holder, now))
        net = f"fd{number >> 8:02x}:{number & 255:x}:77::/48"
        yield paths.prefix(net), objects.prefix(Prefix(net, holder, now, now, (4_200_100_000 + number,)))
    for number in range(count - count // 10 - 2 * (count // 20)):
        name = f"name{number}.alt."
        sets = [RRset(name, "AAAA", 3600, (f"fd12:3456:789a::{number:x}",))]
        if number % 2:
            sets.append(RRset(f"www.{name}", "CNAME", 3600, (name,)))
        if number % 3 == 0:
            sets.append(RRset(name, "MX", 3600, (f"10 mail.{name}",)))
            sets.append(RRset(name, "TXT", 3600, ('"v=spf1 mx -all"',)))
        domain = Domain(
            name, DomainState.REGISTERED, Hosting.ZONE, chance.choice(people), now, now, now + timedelta(days=365)
        )
        yield paths.domain(name), objects.domain(Zone(domain, tuple(sorted(sets))))
