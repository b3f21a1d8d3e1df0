"""Keeps the names' anycast addresses on ``lo`` exactly while the service behind each answers well.

The host's own address is asked, not the anycast address: a sick relay has given that one up, and what passes through it
is on its way to somebody else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..anycast.judgement import Heard
from ..anycast.watch import Pace, Watch, pace, serve
from .asking import Question, ask

#: How what we may have put there is taken away, by the unit, whatever we died of.
KEPT = Path("/run/altnet-anycast/withdraw")


@dataclass(frozen=True)
class Service:
    """An address and the questions that have to be answered well for it; the first is to the service itself."""

    name: str
    address: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Settings:
    """The settings file."""

    services: tuple[Service, ...]
    pace: Pace


def parse(value: Mapping[str, Any]) -> Settings:
    """Return the settings in a JSON object. Raises KeyError or TypeError for one that is not ours."""
    services = [
        Service(one["name"], one["address"], tuple(Question(**question) for question in one["questions"]))
        for one in value["services"]
    ]
    return Settings(tuple(services), pace(value))


def heard(settings: Settings) -> dict[str, Heard]:
    """Ask all questions once, and return what that says of each service."""
    questions = [question for service in settings.services for question in service.questions]
    found = ask(questions, settings.pace.timeout)
    return {service.name: hear(service, found) for service in settings.services}


def hear(service: Service, found: Mapping[Question, str]) -> Heard:
    """Return what one round of answers says of a service."""
    refusals = [found[question] for question in service.questions if found[question]]
    return Heard("; ".join(refusals), answers="does not answer" not in found[service.questions[0]])


def watch_of(settings: Settings, kept: Path = KEPT) -> Watch:
    """Return the watch over all services of this host."""
    return Watch({service.name: service.address for service in settings.services}, settings.pace, kept)


def main(arguments: list[str]) -> int:
    """Watch by the settings file that is named."""
    settings = parse(json.loads(Path(arguments[0]).read_text()))
    serve("altnet.resolver.anycast", watch_of(settings), lambda: heard(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
