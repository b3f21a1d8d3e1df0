"""Keeps the anycast address of a site that is on several hosts on ``lo`` while it is well on this one.

A site of files that has no first page here is not well: its directory is missing, closed, or not filled yet. A host
whose site has no certificate yet is not well either, but better than nobody: it announces the address as the last
resort. So a first certificate can be asked for at all, and a host that joins draws nobody to itself before it has
one.
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
from .asking import Found, Question, ask_all

#: How what we may have put there is taken away, by the unit, whatever we died of.
KEPT = Path("/run/altnet-content-anycast/withdraw")


#: What Caddy says of files that it cannot read, or that are not there.
NO_PAGE = frozenset((403, 404))


@dataclass(frozen=True)
class Service:
    """An address, and the sites that have to answer well for it; everybody sees a first page of those that are open."""

    name: str
    address: str
    questions: tuple[Question, ...]
    open: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """The settings file."""

    services: tuple[Service, ...]
    pace: Pace


def parse(value: Mapping[str, Any]) -> Settings:
    """Return the settings in a JSON object. Raises KeyError for one that is not ours."""
    roots = value["roots"]
    services = [
        Service(
            one["name"],
            one["address"],
            tuple(Question(one["server"], site, roots) for site in one["sites"]),
            frozenset(one.get("open", ())),
        )
        for one in value["services"]
    ]
    return Settings(tuple(services), pace(value))


def heard(settings: Settings) -> dict[str, Heard]:
    """Ask for all sites once, and return what that says of each service."""
    asked = [question for service in settings.services for question in service.questions]
    found = ask_all(asked, settings.pace.timeout)
    return {service.name: hear(service, found) for service in settings.services}


def hear(service: Service, found: Mapping[Question, Found]) -> Heard:
    """Return what one round of answers says of a service."""
    wrong = {question.name: _wrong(found[question], question, service) for question in service.questions}
    refusals = [f"{name} {why}" for name, why in wrong.items() if why]
    return Heard("; ".join(refusals), answers=all(found[question].present for question in service.questions))


def _wrong(found: Found, question: Question, service: Service) -> str:
    bare = question.name in service.open and found.status in NO_PAGE
    return found.refusal or (f"has no first page: {found.status}" if bare else "")


def watch_of(settings: Settings, kept: Path = KEPT) -> Watch:
    """Return the watch over all services of this host."""
    return Watch({service.name: service.address for service in settings.services}, settings.pace, kept)


def main(arguments: list[str]) -> int:
    """Watch by the settings file that is named."""
    settings = parse(json.loads(Path(arguments[0]).read_text()))
    serve("altnet.content.gate", watch_of(settings), lambda: heard(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
