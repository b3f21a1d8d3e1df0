"""A lost primary filled again from the registry's rows, beside `pdnsutil load-zone` of the same zones.

Both write into a PowerDNS with LMDB that waits for the disk once, at the end, as `run rebuild lost` has it on a host.
Some are made with the wait at each transaction, too, as the writer makes them: that is the disk's share. `load-zone`
makes no keys, settings or delegations; it is the least that anybody can do with the same records.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .figures import Figure, Report
from .measure import AbsentError, processor
from .measure import run as command

ZONES = 10_000
#: So many are made with the disk waited for at each transaction.
WAITED = 300
GOAL = 60.0
CATALOG = "catalog.invalid."
SECRET, MASTER, KEY = "z" * 40, "m" * 40, "k" * 40
_BATCH = 2_000
_PATIENCE = 20.0


def run(report: Report) -> None:
    """Measure both, ours first."""
    try:
        import alembic  # noqa: F401, PLC0415 - of the registry's packages
        import sqlalchemy  # noqa: F401, PLC0415
    except ImportError as error:
        raise AbsentError(f"python3-{error.name} is missing") from None
    for program in ("pdns_server", "pdnsutil"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
            raise AbsentError(f"{program} is missing")
    with tempfile.TemporaryDirectory(prefix="altnet-bench-", dir="/var/tmp") as path:
        rebuilt(report, Path(path))


@dataclass(frozen=True)
class Made:
    """What a rebuild took: seconds of its steps, and processor seconds of ours and of PowerDNS."""

    steps: dict[str, float]
    own: float
    theirs: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(self.steps.values())


def rebuilt(report: Report, home: Path, zones: int = ZONES) -> None:
    """Rebuild from filled stores, load the same zones from files, and report."""
    names = [f"n{number:05d}-name.alt." for number in range(zones)]
    (home / "some").mkdir()
    waited = made(home / "some", names[:WAITED], "sync")
    ours = made(home, names, "nosync")
    spent = loaded(home, names)
    report.add(
        f"registry, {zones:,} zones on an empty primary",
        Figure("", ours.seconds, "s", GOAL if zones == ZONES else None),
        Figure("of the server's processor time", ours.theirs, "s"),
        Figure("of ours", ours.own, "s"),
        *(Figure(f"for {step}", value, "s") for step, value in ours.steps.items()),
    )
    report.add(
        "registry, a zone on an empty primary",
        Figure("", 1000 * ours.steps["zones"] / zones, "ms"),
        Figure("where the disk is waited for each time", 1000 * waited.steps["zones"] / len(names[:WAITED]), "ms"),
    )
    report.add(
        f"registry, {zones:,} zones beside pdnsutil load-zone, which makes neither keys nor delegations",
        Figure("times the seconds", ours.seconds / spent.wall),
        Figure("times the processor time", (ours.own + ours.theirs) / spent.cpu),
        Figure("seconds of load-zone", spent.wall, "s"),
    )


def made(home: Path, names: list[str], sync: str) -> Made:
    """Rebuild ``names`` on an empty primary, from its start until it waits for the disk again."""
    from altnet.powerdns.followers import NoFollowers  # noqa: PLC0415 - packages that not every machine has
    from altnet.registry.domain.policy import Policy  # noqa: PLC0415
    from altnet.registry.writer.primary import Primary  # noqa: PLC0415
    from altnet.registry.writer.rebuild import Rebuild  # noqa: PLC0415
    from altnet.registry.writer.wanted import Maker  # noqa: PLC0415
    from altnet.registry.writer.watch import Watch  # noqa: PLC0415

    store = filled(home, names)
    place = home / "ours"
    place.mkdir()
    with primary(place, "sync") as (api, _):
        plan(api)
    begun = time.monotonic()
    with primary(place, sync) as (api, pid):
        start = time.monotonic() - begun
        maker = Maker(Policy(prefix="fd12:3456:789a::/48"), SECRET)
        own, theirs = time.process_time(), processor(pid)
        found = Rebuild(store, maker, Primary(api, CATALOG), Watch(lambda _: NoFollowers(), ())).run()
        own, theirs = time.process_time() - own, processor(pid) - theirs
        begun = time.monotonic()
    synced(place)
    with primary(place, "sync") as (api, _):
        there = len(api.call("GET", "/zones?dnssec=false")) - 2  # the catalog and the top-level domain
        end = time.monotonic() - begun
    if found.problems or found.made != len(names) or there != len(names):
        raise RuntimeError(f"{found.made} of {len(names)} zones, {there} there: {found.problems[:3]}")
    return Made({"the start without waiting": start, **found.seconds, "having it on the disk": end}, own, theirs)


def synced(place: Path) -> None:
    """Have all of a database on the disk, as the role's dns-bulk has it."""
    for path in (*place.glob("zones.lmdb*"), place):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def filled(home: Path, names: list[str]):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Return a store with registered domains, two records each."""
    from sqlalchemy import insert  # noqa: PLC0415

    from altnet.registry.storage import tables  # noqa: PLC0415
    from altnet.registry.storage.store import Store  # noqa: PLC0415

    store = Store.open(f"sqlite:///{home}/registry.sqlite")
    store.migrate()
    moment = datetime.now(UTC).replace(microsecond=0)
    same = {
        "tld": "alt.", "state": "registered", "before": "", "hosting": "zone", "holder": "ann", "created": moment,
        "updated": moment, "expires": moment + timedelta(days=365),
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(
            insert(tables.domains), [{"name": one, "unicode": one, "skeleton": one, **same} for one in names]
        )
        connection.execute(
            insert(tables.rrsets),
            [
                {"domain": one, "name": owner, "type": kind, "ttl": 300, "records": [text]}
                for one in names
                for owner, kind, text in ((one, "AAAA", "fd12:3456:789a::9"), (f"www.{one}", "CNAME", one))
            ],
        )
    return store


@contextmanager
def primary(home: Path, sync: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Yield the API and the process id of a PowerDNS of its own; with ``nosync`` it does not wait for the disk."""
    from tests.daemons import free_port  # noqa: PLC0415

    from altnet.powerdns.client import HttpApi  # noqa: PLC0415
    from altnet.powerdns.errors import PowerdnsError  # noqa: PLC0415

    port = free_port()
    configure(home, sync, f"local-address=[::1]:{free_port()}", "primary=yes", "api=yes", f"api-key={KEY}",
              "webserver=yes", "webserver-address=::1", f"webserver-port={port}", "webserver-loglevel=none",
              "webserver-max-bodysize=64", "default-soa-edit=INCEPTION-EPOCH", "default-api-rectify=yes",
              "only-notify=")  # fmt: skip
    argv = [str(shutil.which("pdns_server", path="/usr/sbin:/usr/local/bin")), f"--config-dir={home}", "--guardian=no",
            "--daemon=no", "--disable-syslog", "--write-pid=no"]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    api = HttpApi("::1", port, KEY, patience=_PATIENCE)
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                api.call("GET", "")
                break
            except PowerdnsError:
                if time.monotonic() > deadline:
                    raise
        yield api, process.pid
    finally:
        process.kill()
        process.wait(_PATIENCE)


def configure(home: Path, sync: str, *lines: str) -> None:
    """Write pdns.conf."""
    same = ("launch=lmdb", f"lmdb-filename={home}/zones.lmdb", f"socket-dir={home}", "security-poll-suffix=",
            f"lmdb-sync-mode={sync}")  # fmt: skip
    (home / "pdns.conf").write_text("\n".join((*same, *lines)) + "\n")


def plan(api) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Make what site.yml makes: the catalog and the top-level domain."""
    from altnet.naming import keys  # noqa: PLC0415
    from altnet.powerdns import model  # noqa: PLC0415
    from altnet.powerdns.followers import NoFollowers  # noqa: PLC0415
    from altnet.powerdns.reconcile import Wish, reconcile  # noqa: PLC0415

    sets = [{"name": "alt.", "type": "NS", "ttl": 3600, "records": ["ns.alt."]}]
    zone = {"name": "alt.", "parent": None, "rrsets": sets, "keys": [{"private": keys.private_text(MASTER, "alt", 0)}]}
    reconcile(api, model.desired([zone]), Wish(catalog=CATALOG, wait=0), NoFollowers(), check_mode=False)


def loaded(home: Path, names: list[str]):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Return what loading the same zones from files took."""
    from .measure import Spent  # noqa: PLC0415

    place = home / "theirs"
    place.mkdir()
    configure(place, "nosync")
    files = []
    for name in names:
        file = place / f"{name}zone"
        file.write_text(
            f"{name} 3600 IN SOA ns.alt. hostmaster.alt. 1 300 60 1209600 300\n{name} 3600 IN NS ns.alt.\n"
            f"{name} 300 IN AAAA fd12:3456:789a::9\nwww.{name} 300 IN CNAME {name}\n"
        )
        files += [name, str(file)]
    wall = cpu = 0.0
    for start in range(0, len(files), 2 * _BATCH):
        some = files[start : start + 2 * _BATCH]
        spent = command(["pdnsutil", f"--config-dir={place}", "load-zone", *some])
        wall, cpu = wall + spent.wall, cpu + spent.cpu
    begun = time.monotonic()
    synced(place)
    wall += time.monotonic() - begun
    return Spent(wall, cpu, "")
