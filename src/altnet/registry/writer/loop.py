"""The writer: one loop that brings changes to the primary, and beside it what is done each minute."""

from __future__ import annotations

import sys
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from ...powerdns import apply
from ...powerdns.errors import PowerdnsError
from ...systemd import notify
from ..acts.state import observe, observed
from ..domain.errors import RegistryError
from ..storage.tables import domains
from . import guard, parents
from .compare import Comparison, Found
from .outbox import Job

if TYPE_CHECKING:
    from ..acts.desk import Desk
    from .chores import Chores
    from .work import Work

#: Seconds between looks whether anything was written; where something waits for its second; and at the outbox anyway.
LOOK: Final = 0.1
WAIT: Final = 0.1
ANYWAY: Final = 1.0
#: Seconds between comparisons, and after which what was seen to be right is written down.
MINUTE: Final = 60.0
KEEP: Final = 600.0
#: Seconds between tries while the primary or the database is away.
AWAY: Final = 1.0
_SENTENCES: Final = 200
_LOGGED: Final = 20
_MENDED: Final = 100


def say(text: str) -> None:
    """Tell the journal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


@dataclass
class Loop:
    """Runs until ``stop``; whatever fails is told, and tried again."""

    desk: Desk
    work: Work
    comparison: Comparison
    chores: Chores
    stop: Event = field(default_factory=Event)
    _compared: float = float("-inf")
    _kept: float = 0.0
    _looked: float = float("-inf")
    _away: str = ""
    #: Names that are different, and what top-level domains say of the log.
    _queue: list[str] = field(default_factory=list)
    _heads: list[Job] = field(default_factory=list)

    def run(self) -> None:
        """Work until it is stopped."""
        self._recall()
        notify("READY=1")
        with ThreadPoolExecutor(1) as beside:
            looking: Future[Found] | None = None
            while not self.stop.is_set():
                notify("WATCHDOG=1")
                try:
                    if looking is None and time.monotonic() - self._compared >= MINUTE:
                        self._compared = time.monotonic()
                        looking = beside.submit(self.look)
                    if looking is not None and looking.done():
                        ended, looking = looking, None
                        self.mend(ended.result())
                    self.step()
                    self._back()
                except PowerdnsError as error:
                    self._left(error)
                except RegistryError as error:
                    say(f"the registry: {error}")
                    self.stop.wait(AWAY)
                except Exception:  # noqa: BLE001 - a mistake of ours about one name stops nobody else's
                    say(traceback.format_exc())
                    self.stop.wait(AWAY)
                self.stop.wait(WAIT if self.work.again else LOOK)
        self._keep()
        self.work.outbox.close()

    def step(self) -> None:
        """Bring what is due, and what is under way, a step further; nothing is asked where nothing was written."""
        now = time.monotonic()
        due = self.work.outbox.changed() or self.work.again or now - self._looked >= ANYWAY
        if due or self.work.pending or self._queue or self._heads:
            self._looked = now
            # So few of what is mended that somebody who registers a name meanwhile does not wait for all of it.
            some, self._queue = self._queue[:_MENDED], self._queue[_MENDED:]
            jobs, self._heads = self._heads, []
            if some:
                # As the rows have them now: what was found may be a while ago.
                with self.desk.store.read() as connection:
                    jobs += self.work.outbox.jobs(connection, some)
            for job in jobs:
                job.whole = job.kind != "head"
            self.work.round(jobs)
            self._queue += sorted(self.work.early.difference(self._queue))
            self.work.early.clear()

    def look(self) -> Found:
        """Compare everything, and do what is done each minute; in a thread of its own."""
        begun = time.monotonic()
        try:
            found = self.comparison.run(dict(self.work.right), self.chores.published())
        except PowerdnsError:
            # Names expire and the log is signed with the primary away, too.
            self.chores.minute(None)
            raise
        found.seconds = time.monotonic() - begun
        self.chores.minute(found.listed)
        return found

    def mend(self, found: Found) -> None:
        """Mend what was found, as far as it may be, and write the report."""
        store, now = self.desk.store, self.desk.clock()
        self.work.right.update({name: seen for name, seen in found.right.items() if name not in self.work.pending})
        published = self.chores.published()
        with store.read() as connection:
            going, why = guard.strays(connection, found.strays, self.desk.policy.prune_at_most, now)
            names = [*(set(found.differences) - found.strays - set(found.marks)), *going]
            names = sorted(name for name in names if name.endswith(".") and name not in published)
            used = set(connection.execute(select(domains.c.tsig).where(domains.c.tsig.in_(found.keys))).scalars())
        for parent, (add, remove) in found.marks.items():
            parents.marks(self.work.primary.api, parent, add=add, remove=remove)
        self.work.primary.forget(found.keys - used)
        self._queue += [name for name in names if name not in self._queue]
        self._heads = [Job(one, [], 0, "head") for one in published.values() if one.parent in found.listed]
        guarded = sorted(found.strays - set(going))
        if guarded:
            say(f"guard: {len(guarded)} names are on the primary and not registered, and stay: {why}")
        report: dict[str, Any] = {
            "zones": found.zones,
            "differences": [*([why] if why else []), *found.sentences][:_SENTENCES],
            "repaired": len(set(found.differences) - set(guarded)),
            "guarded": guarded,
            "seconds": round(found.seconds, 3),
        }
        observe(self.desk, "drift", report)
        for sentence in found.sentences[:_LOGGED]:
            say(f"drift: {sentence}")
        if len(found.sentences) > _LOGGED:
            say(f"drift: and {len(found.sentences) - _LOGGED} more")
        self._figures(len(found.differences), len(guarded))
        self.prove()
        if time.monotonic() - self._kept >= KEEP:
            self._keep()

    def prove(self) -> None:
        """See that secondaries serve what changed, and not only its serial; who does not is made to fetch it again.

        Two changes of one zone in one second, by us and by ``site.yml``, have one serial.
        """
        api = self.work.primary.api
        serials = {zone: parents.read(api, zone, ()).serial for zone in {one.zone for one in self.work.samples}}
        behind = self.work.watch.behind(serials)
        # Who has not got the serial yet is on its way, and is asked in a minute.
        asked = [one for one in self.work.samples if one.zone not in behind]
        self.work.samples = [one for one in self.work.samples if one.zone in behind]
        stale = self.work.watch.stale(asked) if asked else {}
        for zone in sorted({name for names in stale.values() for name in names}):
            held = parents.read(api, zone)
            soa = next(one for one in held.of(zone) if one.type == "SOA")
            say(f"{zone}: a secondary has old records under the new serial, and fetches it again")
            apply.past(held.serial, self.work.primary.clock)
            parents.write(api, zone, parents.Change((soa,), ()))
            self.work.watch.tell(zone)
            self.work.primary.notify(zone)

    def _figures(self, differences: int, guarded: int) -> None:
        said = {
            "outbox": self.work.outbox.lines(),
            "pending": len(self.work.pending),
            "refused": self.work.refused,
            "differences": differences,
            "guarded": guarded,
        }
        observe(self.desk, "writer", said)

    def _left(self, error: PowerdnsError) -> None:
        """Say once, where operators look, that the primary does not answer; all begins anew when it does."""
        words = " ".join(str(error).split())
        if words != self._away:
            self._away = words
            say(f"the primary: {words}")
            try:
                self.work.outbox.say(words)
            except RegistryError as other:
                say(f"the registry: {other}")
        self.work.forget()
        self._queue.clear()
        self.work.again = True
        self.stop.wait(AWAY)

    def _back(self) -> None:
        if self._away:
            self._away = ""
            say("the primary answers again")

    def _recall(self) -> None:
        try:
            said, _ = observed(self.desk, "written")
        except RegistryError:
            return
        if isinstance(said, dict):
            self.work.right.update({name: (int(seen[0]), str(seen[1])) for name, seen in said.items()})

    def _keep(self) -> None:
        self._kept = time.monotonic()
        try:
            observe(self.desk, "written", {name: list(seen) for name, seen in self.work.right.items()})
        except RegistryError as error:
            say(f"the registry: {error}")
