"""Carries what changed from the rows to the primary: first a zone, and once all secondaries serve it, its parent.

Nothing here waits. What has to (a serial's second, a secondary) is looked at again in the next round, while other names
go on. Nothing is kept that is not in the outbox, too: whoever is killed begins again, and each step is the same when it
is done twice.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ...powerdns.client import RefusedError
from ...powerdns.difference import Sample
from ...powerdns.errors import PowerdnsError
from ...powerdns.model import canonical
from . import parents
from .guard import ALL, Guard, consented
from .outbox import Job, Outbox
from .primary import Primary, TakenError
from .wanted import Wanted
from .watch import Watch

#: Seconds for which a secondary that answers is waited for, before the parent names a zone that it does not serve.
PATIENCE: Final = 60.0
#: Seconds after which those who are behind are told again, and after which it is said what is waited for.
_AGAIN: Final = 2.0
_SAY: Final = 10.0
_GUARDED: Final = 15
_THREADS: Final = 2
_SAMPLES: Final = 64
_LOST: Final = 500


@dataclass
class Work:
    """Names under way. PowerdnsError from any method: the primary does not answer, and nothing is lost."""

    outbox: Outbox
    primary: Primary
    watch: Watch
    guard: Guard
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    pending: dict[str, Job] = field(default_factory=dict)
    #: Serial and digest of each zone as it was seen to be right: who finds the same later need not read it.
    right: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: What the parents' secondaries have to say of names that changed, until it was seen.
    samples: list[Sample] = field(default_factory=list)
    again: bool = False
    #: What was asked for without a line of the outbox, and has to wait for a moment: whoever asked asks again.
    early: set[str] = field(default_factory=set)
    refused: int = 0
    _told: float = 0.0

    def round(self, jobs: Sequence[Job] = ()) -> None:
        """Take what is due, and jobs of the comparison's, and bring what is under way further."""
        self.again = False
        known = {name: job.last for name, job in self.pending.items()}
        asked = {job.name: job for job in jobs}
        for job in (due := self.outbox.due(self.clock(), known)):
            # A name is taken once; what was written since is in its line.
            job.whole = asked.pop(job.name, job).whole
        self.take([*due, *asked.values()])
        self.advance()

    def forget(self) -> None:
        """Begin anew with everything that is under way: the primary was away, and may be another one."""
        self.pending.clear()
        self.samples.clear()
        self.early.clear()

    def take(self, jobs: Sequence[Job]) -> None:
        """Make the zones of names what they have to be."""
        failed: dict[str, tuple[Job, str]] = {}
        if len(jobs) > 1:
            with ThreadPoolExecutor(_THREADS) as pool:
                found = list(pool.map(self._tried, jobs))
        else:
            found = [self._tried(job) for job in jobs]
        for job, why in zip(jobs, found, strict=True):
            if why is None:
                self.pending[job.name] = job
            elif why:
                failed[job.name] = (job, why)
            else:
                self.again = True
                self.early.update([] if job.lines else [job.name])
        self._fail(failed)

    def _tried(self, job: Job) -> str | None:
        """Return why a job could not be begun, empty where it has to wait for a moment."""
        try:
            return None if self._begun(job) else ""
        except RefusedError as error:
            return _words(error)
        except TakenError:
            return (
                f"{job.name} is a zone of the inventory's: a registrar has to revoke the name, or the operator the zone"
            )
        except PowerdnsError as error:
            if not error.problems or not error.problems[0].variable.startswith("zone "):
                raise
            return _words(error)

    def _begun(self, job: Job) -> bool:
        wanted, held = job.wanted, self.primary.read(job.name)
        job.since = self.monotonic()
        if wanted.zone is None:
            ours = held is None or self.primary.ours(wanted, held)
            if not ours and wanted.sets:
                raise TakenError(job.name)
            if not ours:
                # The inventory has made it its own since: what the parent says of it is not ours either.
                job.wanted = replace(wanted, parent=None)
            job.going = tuple(held.tsig) if held is not None and ours else None
            return True
        if held is None or self.primary.differs(wanted, held):
            if self.primary.early(held):
                return False
            if self.primary.bring(wanted, held):
                self.watch.tell(job.name)
                self.primary.notify(job.name)
            held = self.primary.read(job.name)
            left = self.primary.differs(wanted, held)
            if left or held is None:
                raise RefusedError(f"zone {job.name}", _LOST, f"and has lost what was written: {'; '.join(left[:3])}")
        job.serial = held.zone.serial
        self.right[job.name] = (held.zone.serial, digest(wanted))
        return True

    def advance(self) -> None:
        """Change the parents of those whose zones are everywhere; then take away the zones that have to go."""
        ready = self._ready()
        finished: list[Job] = []
        for parent in dict.fromkeys(job.wanted.parent for job in ready):
            jobs = [job for job in ready if job.wanted.parent == parent]
            finished += self._delegated(parent, jobs) if parent is not None else jobs
        for job in finished:
            if job.going is not None:
                self.primary.drop(job.name, job.going)
            if job.wanted.zone is None:
                self.right.pop(job.name, None)
        self.outbox.done(finished)
        for job in finished:
            self.pending.pop(job.name, None)

    def _ready(self) -> list[Job]:
        """Return the jobs whose zones all secondaries serve, or that have none."""
        now = self.monotonic()
        waiting = {job.name: job.serial for job in self.pending.values() if job.serial is not None}
        behind = self.watch.behind(waiting)
        tell = bool(behind) and now - self._told >= _AGAIN
        late: dict[str, tuple[Job, str]] = {}
        ready = []
        for name, job in self.pending.items():
            if name not in behind:
                ready.append(job)
                continue
            if now - job.since >= PATIENCE:
                self.watch.give_up(one for one in behind[name] if one in self.watch.addresses)
                ready.append(job)
                continue
            self.again = True
            if now - job.since >= _SAY and not job.told:
                job.told = True
                late[name] = (job, f"its parent does not name it yet: not served by {', '.join(behind[name])}")
            if tell and now - job.since >= _AGAIN:
                self.watch.tell(name)
        if tell:
            self._told = now
        # It stays under way: that is no attempt which failed.
        self.outbox.failed(late, self.clock(), wait=0)
        return ready

    def _delegated(self, parent: str, jobs: Sequence[Job]) -> list[Job]:
        """Make a parent say what it has to of names; return the jobs that are done with it."""
        try:
            some = None if any(job.whole for job in jobs) else [job.wanted for job in jobs]
            there = parents.read(self.primary.api, parent, some)
        except parents.NoParentError:
            why = f"the primary has no zone {parent}: run site.yml --tags names first"
            self._fail({job.name: (job, why) for job in jobs})
            return []
        jobs = self._allowed(there, jobs)
        wanted = [job.wanted for job in jobs]
        todo = parents.change(there, wanted)
        own = {one.name for one in wanted if one.sets and one.zone is None}
        if not todo.empty:
            if parents.early(self.primary, there):
                self.again = True
                return []
            parents.marks(self.primary.api, parent, add=own)
            try:
                parents.write(self.primary.api, parent, todo)
            except RefusedError as error:
                return self._one_by_one(parent, jobs, error)
            self.watch.tell(parent)
            self.primary.notify(parent)
            self._remember(parent, todo)
            if not parents.change(parents.read(self.primary.api, parent, wanted), wanted).empty:
                why = f"{parent} does not say what was written into it a moment ago"
                self._fail({job.name: (job, why) for job in jobs})
                return []
        parents.marks(self.primary.api, parent, add=own, remove={one.name for one in wanted} - own)
        return list(jobs)

    def _one_by_one(self, parent: str, jobs: Sequence[Job], error: RefusedError) -> list[Job]:
        """Find which of many names it was that PowerDNS refused, so that the others go on."""
        if len(jobs) == 1:
            self._fail({jobs[0].name: (jobs[0], _words(error))})
            return []
        half = len(jobs) // 2
        self.again = True
        # The other half is still under way, and follows in the next second.
        return self._delegated(parent, jobs[:half])

    def _allowed(self, there: parents.Parent, jobs: Sequence[Job]) -> list[Job]:
        """Leave out what would be too much to take away at once."""
        going = [job for job in jobs if job.wanted.gone and (job.going is not None or there.of(job.name))]
        if not going:
            return list(jobs)
        with self.outbox.store.read() as connection:
            consent = consented(connection, self.clock())
        asked = [job for job in going if ALL not in consent and job.name not in consent]
        room = self.guard.room()
        kept = asked[room:]
        self.guard.count(len(asked[:room]))
        why = (
            f"more than {self.guard.at_most} names are to go at once: the others follow, {self.guard.at_most} a "
            "minute, or all at once with an operator's consent"
        )
        self._fail({job.name: (job, why) for job in kept}, wait=_GUARDED)
        waiting = {job.name for job in kept}
        return [job for job in jobs if job.name not in waiting]

    def _fail(self, failed: dict[str, tuple[Job, str]], wait: int | None = None) -> None:
        for name in failed:
            self.pending.pop(name, None)
        self.refused += len(failed)
        self.outbox.failed(failed, self.clock(), wait=wait)

    def _remember(self, parent: str, todo: parents.Change) -> None:
        """Keep what secondaries have to say soon: a serial alone does not say that they have it."""
        found = [
            Sample(parent, one.name, "DS", frozenset(canonical("DS", text) for text in one.records))
            for one in todo.put
            if one.type == "DS"
        ]
        found += [Sample(parent, name, "DS", frozenset()) for name, kind in todo.drop if kind == "DS"]
        names = {one.name for one in found}
        self.samples = [*(one for one in self.samples if one.name not in names), *found][-_SAMPLES:]


def digest(wanted: Wanted) -> str:
    """Return a short word for what a zone has to be."""
    sets = sorted(wanted.zone.rrsets.items()) if wanted.zone else []
    said = ([(spot, one.ttl, one.records) for spot, one in sets], wanted.tsig)
    return hashlib.blake2b(repr(said).encode(), digest_size=12).hexdigest()


def _words(error: PowerdnsError) -> str:
    return " ".join(str(error).split())
