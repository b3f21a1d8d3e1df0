"""The record of one watch, and what users saw within a stretch of it. Pure: no clock, no host."""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]
#: One character a ping: answered, lost, or not sent because the measuring process did not get the processor.
OK, LOST, IDLE = "+", "-", "."
#: Seconds by which the hosts' beginnings may differ.
SKEW = 1.0
#: Seconds without the processor in which a socket fills, of a process that neighbours send packets to.
STALL = 0.2
FATES = {"ok": OK, "lost": LOST, "idle": IDLE}


@dataclass(frozen=True)
class Window:
    """What all pairs saw between two moments."""

    sent: int
    lost: int
    #: Milliseconds between two answered pings with lost ones between them, the longest of any pair.
    gap_ms: float
    #: Seconds from the window's begin until no pair loses pings any more; 0 where none was lost.
    healed_s: float
    #: Pairs that lost at least one.
    pairs: int
    #: The longest time for which the instrument itself was silent.
    idle_ms: float
    #: Pings that were due while the instrument had no processor for :data:`STALL` or longer.
    stalled: int = 0


@dataclass(frozen=True)
class Record:
    """The fate of every ping of a watch; times are seconds since its common start."""

    interval: float
    fates: Mapping[Pair, str]
    #: When slot 0 of a pair was due.
    phase: Mapping[Pair, float]

    @classmethod
    def parse(cls, interval: float, reports: Mapping[str, str]) -> Record:
        """Put the reports of the pingers together, by host."""
        fates: dict[Pair, str] = {}
        phase: dict[Pair, float] = {}
        for source, text in reports.items():
            report: dict[str, list[tuple[str, int]]] = json.loads(text)
            for index, (target, runs) in enumerate(report.items()):
                fates[source, target] = "".join(FATES[fate] * count for fate, count in runs)
                phase[source, target] = index * interval / len(report)
        return cls(interval, fates, phase)

    def window(self, begin: float, end: float, without: Collection[str] = ()) -> Window:
        """Return what pairs saw of pings sent from ``begin`` to ``end``; hosts of ``without`` are left out.

        Raises ValueError where a pinger ended before: no record is no success.
        """
        chosen = [pair for pair in self.fates if not set(pair) & set(without)]
        short = [pair for pair in chosen if len(self.fates[pair]) * self.interval < end - SKEW]
        if short:
            raise ValueError(f"the record of {short[0]} ends before {end:.1f} s")
        seen = [self._pair(pair, begin, end) for pair in chosen]
        return Window(
            sent=sum(one.sent for one in seen),
            lost=sum(one.lost for one in seen),
            gap_ms=max((one.gap_ms for one in seen), default=0),
            healed_s=max((one.healed_s for one in seen), default=0),
            pairs=sum(one.lost > 0 for one in seen),
            idle_ms=max((one.idle_ms for one in seen), default=0),
            stalled=sum(one.stalled for one in seen),
        )

    def _pair(self, pair: Pair, begin: float, end: float) -> Window:
        fates, phase = self.fates[pair], self.phase[pair]
        first = max(0, round((begin - phase) / self.interval))
        last = min(len(fates), round((end - phase) / self.interval))
        part = fates[first:last]
        # A stretch without an answer that reaches the window's edge is measured as far as it goes outside of it.
        gaps = [
            (self._end(fates, stop) - self._begin(fates, start)) * self.interval * 1000
            for start, stop in stretches(fates, first, last)
            if LOST in fates[start:stop]
        ]
        lost_at = part.rfind(LOST)
        idle = [len(run) for run in part.replace(OK, " ").replace(LOST, " ").split()]
        return Window(
            sent=len(part) - part.count(IDLE),
            lost=part.count(LOST),
            gap_ms=round(max(gaps, default=0), 1),
            healed_s=0 if lost_at < 0 else round(phase + (first + lost_at + 1) * self.interval - begin, 3),
            pairs=1,
            idle_ms=round(max(idle, default=0) * self.interval * 1000, 1),
            stalled=sum(slots for slots in idle if slots * self.interval >= STALL),
        )

    @staticmethod
    def _begin(fates: str, start: int) -> int:
        return max(0, fates.rfind(OK, 0, start + 1)) if start else 0

    @staticmethod
    def _end(fates: str, stop: int) -> int:
        found = fates.find(OK, stop)
        return found if found >= 0 else len(fates)


def stretches(fates: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield where there is no answer, as [start, stop) within [first, last)."""
    start: int | None = None
    for index in range(first, last):
        if fates[index] == OK:
            if start is not None:
                yield start, index
            start = None
        elif start is None:
            start = index
    if start is not None:
        yield start, last


@dataclass(frozen=True)
class Summary:
    """Many windows of one event."""

    runs: int
    lost: tuple[float, float]
    gap_ms: tuple[float, float]
    healed_s: tuple[float, float]
    sent: int
    idle_ms: float

    @classmethod
    def of(cls, windows: Sequence[Window]) -> Summary:
        """Return median and maximum of each figure; of no runs there is none."""

        def pair(values: list[float]) -> tuple[float, float]:
            return round(statistics.median(values), 3), max(values)

        return cls(
            runs=len(windows),
            lost=pair([one.lost for one in windows]),
            gap_ms=pair([one.gap_ms for one in windows]),
            healed_s=pair([one.healed_s for one in windows]),
            sent=sum(one.sent for one in windows),
            idle_ms=max(one.idle_ms for one in windows),
        )
