"""Figures: what was measured, against which goal, one printed line for those that belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured number; ``goal`` is the most it may be, None for a number without one."""

    what: str
    value: float
    unit: str = ""
    goal: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the goal is kept; None without one."""
        return None if self.goal is None else self.value <= self.goal

    def __str__(self) -> str:
        """Return ``1.42 s time (goal 5)``, with the word MISSED where the goal is."""
        text = f"{short(self.value)}{' ' if self.unit else ''}{self.unit} {self.what}".rstrip()
        if self.goal is None:
            return text
        return f"{text} (goal {self.goal:g}{'' if self.kept else ', MISSED'})"


@dataclass
class Report:
    """All figures of a run, in order, and what could not be measured here, with the reason."""

    figures: list[tuple[str, Figure]] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, subject: str, *figures: Figure) -> None:
        """Keep the figures of one subject and print them as one line."""
        self.figures += [(subject, figure) for figure in figures]
        print(f"{subject}: {', '.join(map(str, figures))}", flush=True)

    def without(self, subject: str, reason: str) -> None:
        """Say in one line that something cannot be measured on this machine, and why."""
        self.absent[subject] = reason
        print(f"{subject}: not measured here: {reason}", flush=True)

    def plain(self) -> dict[str, object]:
        """Return everything as data for JSON."""
        figures = [
            {"name": f"{subject}: {figure.what}", **asdict(figure), "kept": figure.kept}
            for subject, figure in self.figures
        ]
        for figure in figures:
            del figure["what"]
        return {"figures": figures, "absent": self.absent}


def short(value: float) -> str:
    """Return a number with three digits that mean something, and no fewer before the point than there are."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exponent(points: Mapping[int, float] | Sequence[tuple[int, float]]) -> float:
    """Return the k of the power law t = c * n^k that fits the points (n, t) best: a straight line through the logs."""
    pairs = list(points.items()) if isinstance(points, Mapping) else list(points)
    logs = [(math.log(n), math.log(t)) for n, t in pairs]
    if len({x for x, _ in logs}) < 2:
        raise ValueError("a growth exponent needs two sizes at least")
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def median(values: Sequence[float]) -> float:
    """Return the middle value, of an even number the mean of the middle two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
