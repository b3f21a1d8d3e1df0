"""Is the daemon healthy? Judged against what was healthy before the change, not against a wish."""

from __future__ import annotations

from dataclasses import dataclass

from .host import Host, Output
from .request import Health, Request
from .unit import Units, UnitState

_QUESTION = 10.0  # seconds one question may take


@dataclass(frozen=True)
class Sample:
    """One answer: ``items`` are the healthy ones it names."""

    ok: bool
    items: frozenset[str]
    output: Output


class UnhealthyError(Exception):
    """The daemon did not get healthy; the text says in which way."""

    def __init__(self, reason: str, command: list[str], output: str, items: frozenset[str]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.output = output
        self.items = items


def ask(host: Host, health: Health) -> Sample:
    """Ask once."""
    answer = host.run(health.command, _QUESTION)
    ok = answer.code == 0
    items: frozenset[str] = frozenset()
    if ok and health.healthy:
        items = frozenset(match["item"] for match in health.healthy.finditer(answer.stdout) if match["item"])
    return Sample(ok, items, answer)


def required(request: Request, baseline: frozenset[str]) -> frozenset[str]:
    """Name the items that have to be healthy: those from before, less those that the change removes."""
    expect = request.health.expect if request.health else None
    return baseline if expect is None else baseline & expect


def wait(host: Host, request: Request, unit: str | None, baseline: frozenset[str], timeout: float) -> frozenset[str]:
    """Poll until unit and daemon are healthy and stay so for ``host.settle`` seconds.

    Every good answer has to come from the same process: a crash loop is up most of the time. The settling
    also catches a daemon that still shows the sessions it is about to drop. Returns the healthy items, raises
    UnhealthyError.
    """
    health = request.health
    if unit is None and health is None:
        return frozenset()
    units = Units(host)
    needed = required(request, baseline)
    deadline = host.clock() + timeout
    since: float | None = None
    process: tuple[str, str] | None = None
    while True:
        state = units.state(unit) if unit else None
        sample = ask(host, health) if health else None
        problem = _problem(unit, state, sample, needed)
        now = host.clock()
        if problem is None:
            mark = (state.restarts, state.pid) if state else ("", "")
            if since is None or mark != process:
                since, process = now, mark
            if now - since >= host.settle:
                return sample.items if sample else frozenset()
        else:
            since = None
        crashed = state is not None and state.active == "failed"
        late = now >= deadline + host.settle or (now >= deadline and problem is not None)
        if crashed or late:
            waited = timeout - max(0.0, deadline - now)
            raise UnhealthyError(
                f"{problem or f'{unit} does not stay up'} (waited {waited:.0f} s)",
                list(health.command) if health else ["systemctl", "show", str(unit)],
                sample.output.text if sample else str(state),
                sample.items if sample else frozenset(),
            )
        host.sleep(host.poll)


def _problem(unit: str | None, state: UnitState | None, sample: Sample | None, needed: frozenset[str]) -> str | None:
    if state is not None and not state.running:
        return f"{unit} is {state.active} ({state.sub})"
    if sample is None:
        return None
    if not sample.ok:
        return f"the health command fails with exit code {sample.output.code}"
    lost = sorted(needed - sample.items)
    return f"healthy before, not healthy again: {', '.join(lost)}" if lost else None
