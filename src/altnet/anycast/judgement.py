"""When a service's address is announced: a pure judgement of what was heard, without the network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """How an address is on ``lo``; the value is its prefix length there, which is what BIRD announces."""

    AWAY = ""
    #: Announced like any route.
    FULL = "128"
    #: The last resort: one bit less specific, so that anybody's full announcement goes before it, everywhere.
    LAST = "127"


@dataclass(frozen=True)
class Heard:
    """One round of questions: why it was not good (empty: it was), and whether the daemon answers at all."""

    refusal: str
    answers: bool


class Judge:
    """One service's hysteresis.

    ``rise`` good rounds in a row bring the address, ``fall`` bad ones take it away. Where nobody announces it for
    ``patience`` rounds after that, a daemon that answers at all is better than none.
    """

    def __init__(self, rise: int, fall: int, patience: int, place: Place = Place.AWAY) -> None:
        self.rise, self.fall, self.patience = rise, fall, patience
        self.place = place
        self.reason = "not asked yet"
        self.good = self.bad = self.alone = 0

    def hear(self, heard: Heard, *, others: bool) -> Place:
        """Return where the address belongs after this round; ``others`` is whether anybody announces it in full."""
        if heard.refusal:
            self.good, self.bad = 0, self.bad + 1
        else:
            self.good, self.bad = self.good + 1, 0
        if self.good >= self.rise or (self.place is Place.FULL and self.bad < self.fall):
            self.place, self.alone = Place.FULL, 0
            self.reason = heard.refusal or "answers well"
            return self.place
        self.reason = heard.refusal or f"answers well, {self.good} of {self.rise} times"
        self.alone = 0 if others or self.place is Place.FULL else self.alone + 1
        last = heard.answers and self.alone >= self.patience
        self.place = Place.LAST if last else Place.AWAY
        return self.place

    def __str__(self) -> str:
        state = {Place.FULL: "announced", Place.LAST: "last resort", Place.AWAY: "withdrawn"}[self.place]
        return f"{state} ({self.reason})"
