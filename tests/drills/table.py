"""What the drills measured, as Markdown for people and JSON for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .events import Event
from .record import Summary, Window

HEAD = (
    "| event | runs | lost, median | max | gap in ms, median | max | healed after s, median | max | who heals it |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|---|"
)


def rows(event: Event, windows: Mapping[str, Sequence[Window]]) -> list[str]:
    """Return an event's lines of the table."""
    return [line(*event.phases[phase], Summary.of(seen)) for phase, seen in windows.items()]


def line(title: str, healer: str, one: Summary) -> str:
    """Return one line."""
    figures = [one.runs]
    figures += [round(value) for value in (*one.lost, *one.gap_ms)]
    cells = [str(figure) for figure in figures] + [f"{value:.2f}" for value in one.healed_s]
    return f"| {title} | {' | '.join(cells)} | {healer} |"


def save(path: Path, conditions: Mapping[str, object], found: Mapping[str, Mapping[str, Sequence[Window]]]) -> None:
    """Write every window and every summary, beside the conditions they were measured under."""
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {
        "conditions": conditions,
        "events": {
            name: {
                phase: {
                    "summary": dataclasses.asdict(Summary.of(windows)),
                    "runs": [dataclasses.asdict(window) for window in windows],
                }
                for phase, windows in phases.items()
            }
            for name, phases in found.items()
        },
    }
    path.write_text(json.dumps(value, indent=1) + "\n")
