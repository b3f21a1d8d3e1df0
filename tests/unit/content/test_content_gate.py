"""When the address of a site on several hosts is announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from altnet import systemd
from altnet.anycast import lo
from altnet.anycast.judgement import Place
from altnet.content import gate
from altnet.content.asking import Found, Question

ADDRESS, OWN = "fd12:3456:789a::2:80", "fd12:3456:789a::5"
GOOD = Found(200, "", present=True)
BARE = Found(0, "has no certificate", present=True)
DEAD = Found(0, "does not answer: Connection refused", present=False)
BROKEN = Found(502, "", present=True)
SETTINGS = {
    "interval": 0.5, "timeout": 0.5, "rise": 4, "fall": 2, "patience": 4, "roots": "/etc/altnet/pki/roots.pem",
    "services": [{"name": "web", "address": ADDRESS, "server": OWN, "sites": ["a.alt", "b.alt"], "open": ["b.alt"]}],
}  # fmt: skip


class World:
    """A loopback interface and what each site is found to be."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.place, self.others, self.found = Place.AWAY, False, dict.fromkeys(("a.alt", "b.alt"), GOOD)
        monkeypatch.setattr(lo, "placed", lambda _: self.place)
        monkeypatch.setattr(lo, "put", lambda address, now, wanted: setattr(self, "place", wanted))
        monkeypatch.setattr(lo, "others_announce", lambda _: self.others)
        monkeypatch.setattr(systemd, "notify", lambda *lines: None)
        monkeypatch.setattr(gate, "ask_all", self.ask)
        self.settings = gate.parse(SETTINGS)
        self.watch = gate.watch_of(self.settings, tmp_path / "withdraw")

    def ask(self, questions: list[Question], timeout: float) -> dict[Question, Found]:
        assert {question.server for question in questions} == {OWN}, "never the anycast address itself"
        return {question: self.found[question.name] for question in questions}

    def look(self, times: int) -> Place:
        for _ in range(times):
            self.watch.look(lambda: gate.heard(self.settings))
        return self.place


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def test_it_comes_and_goes(world: World) -> None:
    assert world.look(4) is Place.FULL
    world.found["b.alt"], world.others = DEAD, True
    assert world.look(2) is Place.AWAY
    assert str(world.watch.judges["web"]) == "withdrawn (b.alt does not answer: Connection refused)"


def test_it_does_not_wait_for_a_certificate(world: World) -> None:
    world.found = dict.fromkeys(world.found, BARE)
    assert world.look(4) is Place.LAST, "a first certificate could never be asked for"
    world.found = dict.fromkeys(world.found, GOOD)
    assert world.look(4) is Place.FULL


def test_a_host_that_joins_draws_nobody_before_it_has_its_certificate(world: World) -> None:
    world.others, world.found["a.alt"] = True, BARE
    assert world.look(20) is Place.AWAY


def test_an_application_that_is_dead_here_and_well_elsewhere(world: World) -> None:
    world.look(4)
    world.found["a.alt"], world.others = BROKEN, True
    assert world.look(2) is Place.AWAY
    world.others = False
    assert world.look(4) is Place.LAST


@pytest.mark.parametrize("status", [403, 404])
def test_a_host_without_the_files_draws_nobody_from_one_that_has_them(world: World, status: int) -> None:
    world.look(4)
    # An application, or a site for a group, may say so for good reason.
    world.found["a.alt"] = Found(status, "", present=True)
    assert world.look(4) is Place.FULL
    world.found["b.alt"], world.others = Found(status, "", present=True), True
    assert world.look(2) is Place.AWAY
    assert str(world.watch.judges["web"]) == f"withdrawn (b.alt has no first page: {status})"
    world.others = False
    assert world.look(4) is Place.LAST, "where nobody has them, who says so is better than nobody"


def test_no_longer_than_three_seconds() -> None:
    pace = gate.parse(SETTINGS).pace
    assert (pace.fall + 1) * max(pace.interval, pace.timeout) < 3
