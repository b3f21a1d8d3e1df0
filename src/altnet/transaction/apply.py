"""From a checked candidate to a healthy service: journal, swap, load, health; and back if that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import confirm, health
from .compare import Comparison, drift_digests
from .failure import TransactionError
from .files import missing_parents, put
from .mask import Mask
from .recovery import Restoration, restore
from .request import Request
from .store import Journal, Record, Store, new_token
from .unit import Units, UnitState


@dataclass(frozen=True)
class Applied:
    """A success; with ``token`` it is pending until confirmed."""

    healthy_before: frozenset[str]
    healthy_after: frozenset[str]
    token: str | None


class _StepError(Exception):
    """A step after the journal failed, so the previous set has to come back."""

    def __init__(self, phase: str, reason: str, command: list[str], output: str) -> None:
        super().__init__(reason)
        self.phase = phase
        self.reason = reason
        self.command = command
        self.output = output


class Application:
    """One application of a request that differs from the host."""

    def __init__(self, store: Store, request: Request, found: Comparison, former: Record | None, mask: Mask) -> None:
        self.host = host = store.host
        self.store = store
        self.request = request
        self.found = found
        self.former = former
        self.mask = mask
        self.units = Units(host)
        changed = [change.path for change in found.changes]
        self.daemon_reload = any(map(self.units.is_unit_file, changed))
        self.restart = bool(request.unit) and any(self.units.defines(path, str(request.unit)) for path in changed)

    def run(self, interrupted: Journal | None) -> Applied:
        """Apply the set. Raises TransactionError after the previous set is back in place."""
        request, host = self.request, self.host
        before = self._baseline(interrupted)
        journal = self._journal(before)
        self.store.write_journal(journal)
        host.step("journal")
        self.store.sweep(journal)
        started = host.clock()
        try:
            if request.confirm:
                confirm.arm(host, self.store, journal, request.confirm)
                host.step("armed")
        except TransactionError:
            self.store.drop_journal()
            raise
        try:
            self._swap(journal)
            self._load()
            limit = request.health_timeout
            if request.confirm:  # what is left has to do for the confirmation
                limit = min(limit, max(1.0, request.confirm / 2 - (host.clock() - started)))
            after = self._healthy(before, limit)
            record = self._record(journal)
        except (_StepError, TransactionError, OSError) as error:
            raise self._rolled_back(error, journal, before) from None
        if request.confirm:
            self.store.write_journal_again(replace(journal, record=record))
            return Applied(before, after, journal.token)
        self.store.save_record(record)
        host.step("recorded")
        self.store.drop_journal()
        return Applied(before, after, None)

    # -- before the swap

    def _baseline(self, interrupted: Journal | None) -> frozenset[str]:
        if interrupted:
            return frozenset(interrupted.baseline)
        if not self.request.health:
            return frozenset()
        # What other hosts were given in this run may have cost this one its sessions a moment ago.
        return health.ask(self.host, self.request.health).items | self.request.health.before

    def _journal(self, before: frozenset[str]) -> Journal:
        state, former = self.found.unit, self.former
        # A set that was healthy is worth starting again even if the unit happens to be down now.
        known = former is not None and former.digest is not None and former.unit == self.request.unit
        written = [change.path for change in self.found.changes if change.after.kind != "absent"]
        return Journal(
            token=new_token(),
            previous={change.path: change.before for change in self.found.changes},
            directories=missing_parents(written),
            baseline=sorted(before),
            unit=self.request.unit,
            was_active=state is not None and (state.running or known),
            was_enabled=state is not None and (state.enabled or known),
            restart=self.restart,
            daemon_reload=self.daemon_reload,
            reload=list(self.request.reload) if self.request.reload else None,
            replaced_unit=self._replaced_unit(),
            confirm=self.request.confirm is not None,
        )

    def _replaced_unit(self) -> str | None:
        former = self.former.unit if self.former else None
        if not former or former == self.request.unit or not self.units.state(former).running:
            return None
        return former

    # -- the steps

    def _swap(self, journal: Journal) -> None:
        if journal.replaced_unit:  # while its file is still there
            self._systemctl("disable", "--now", "--", journal.replaced_unit)
        for change in self.found.changes:
            self.host.step(f"swap {change.path}")
            try:
                put(Path(change.path), change.after, self.request.name, self.host.step)
            except OSError as error:
                reason = f"{change.path} could not be written: {error.strerror}"
                raise _StepError("swap", reason, [], "") from None
        self.host.step("swapped")

    def _load(self) -> None:
        unit = self.request.unit
        if self.daemon_reload or (self.found.unit and self.found.unit.need_reload):
            self._systemctl("daemon-reload")
            self.host.step("daemon-reload")
        reload = list(self.request.reload) if self.request.reload else None
        if unit is None:
            if reload:
                self._done(reload, *self._run(reload))
            return
        if not self.units.state(unit).enabled:
            self._systemctl("enable", "--", unit)
            self.host.step("enabled")
        argv, answer = self.units.load(unit, reload, restart=self.restart)
        self._done(argv, answer.code, answer.text)
        self.host.step("loaded")

    def _run(self, argv: list[str]) -> tuple[int, str]:
        answer = self.host.run(argv, 120.0)
        return answer.code, answer.text

    def _systemctl(self, *arguments: str) -> None:
        argv, answer = self.units.call(*arguments)
        self._done(argv, answer.code, answer.text)

    def _done(self, argv: list[str], code: int, output: str) -> None:
        if code != 0:
            raise _StepError("reload", f"`{' '.join(argv)}` failed with exit code {code}", argv, output)

    def _healthy(self, before: frozenset[str], limit: float) -> frozenset[str]:
        try:
            after = health.wait(self.host, self.request, self.request.unit, before, limit)
        except health.UnhealthyError as error:
            raise _StepError("health", error.reason, error.command, error.output) from None
        self.host.step("healthy")
        return after

    def _record(self, journal: Journal) -> Record:
        owned = set(self.former.directories if self.former else []) | set(journal.directories)
        return Record(
            digest=self.found.digest,
            files={file.path: file.sensitive for file in self.request.files},
            unit=self.request.unit,
            drift=drift_digests(self.request, self.host),
            directories=sorted(directory for directory in owned if Path(directory).is_dir()),
            token=journal.token,
        )

    # -- the way back

    def _rolled_back(self, error: Exception, journal: Journal, before: frozenset[str]) -> TransactionError:
        """Put the previous set back and say what failed, what was done about it and how things are now."""
        if isinstance(error, _StepError):
            phase, reason, command, output = error.phase, error.reason, error.command, error.output
        elif isinstance(error, TransactionError):
            phase, reason, command, output = error.phase, error.what, [], ""
        else:
            phase, reason, command, output = "swap", str(error), [], ""
        unit = self.request.unit
        log = [self.mask.hide(line) for line in self.units.journal(unit)] if unit else []
        done = restore(self.host, self.store, journal)
        if journal.confirm:
            confirm.disarm(self.host, self.store.name)
        now, state = self._after_restoring(journal, before, done)
        if done.problems:
            after_all = "not everything could be restored; the next run tries again"
        else:
            if self.former and self.former.digest and (before - now):
                self.store.save_record(replace(self.former, digest=None))
            self.store.drop_journal()
            after_all = "the previous set is back in place"
        output = self.mask.hide(output)
        facts: Mapping[str, object] = {
            "command": command,
            "output": output,
            "journal": log,
            "restored": done.paths,
            "not_restored": [self.mask.hide(problem) for problem in done.problems],
            "unit_state": str(state) if state else "",
            "healthy_before": sorted(before),
            "healthy_after": sorted(now),
        }
        text = _report(self.request, phase, self.mask.hide(reason), facts, after_all)
        return TransactionError(phase, text, "mend what the output names, then run again", facts)

    def _after_restoring(
        self, journal: Journal, before: frozenset[str], done: Restoration
    ) -> tuple[frozenset[str], UnitState | None]:
        """Wait for the old baseline as long as for the new one; it is not an error if it does not come."""
        unit = self.request.unit
        now: frozenset[str] = frozenset()
        whole = replace(self.request, health=self.request.health and replace(self.request.health, expect=None))
        if not done.problems and (journal.was_active or unit is None):
            try:
                now = health.wait(self.host, whole, unit, before, self.request.health_timeout)
            except health.UnhealthyError as error:
                now = error.items
        return now, self.units.state(unit) if unit else None


def _report(request: Request, phase: str, reason: str, facts: Mapping[str, object], after_all: str) -> str:
    def listed(key: str) -> list[str]:
        value = facts[key]
        return [str(item) for item in value] if isinstance(value, list) else []

    lines = [f"transaction {request.name} failed at {phase}: {reason}; {after_all}"]
    if facts["command"]:
        lines.append(f"$ {' '.join(listed('command'))}")
    lines.append(str(facts["output"]))
    if listed("journal"):
        lines += [f"Last lines of {request.unit}:", *(f"  {line}" for line in listed("journal"))]
    lines.append(f"Restored: {', '.join(listed('restored')) or 'no file had changed'}.")
    lines += [f"Not restored: {problem}" for problem in listed("not_restored")]
    if request.unit:
        lines.append(f"Now: {request.unit} is {facts['unit_state']}.")
    if listed("healthy_before"):
        healthy = ", ".join(listed("healthy_after")) or "nothing"
        lines.append(f"Healthy before: {', '.join(listed('healthy_before'))}; healthy now: {healthy}.")
    return "\n".join(line for line in lines if line)
