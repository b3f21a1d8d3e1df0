"""The watch with its surroundings: a kernel's table and commands that are written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.rendered import render, slice_of

from altnet import systemd
from altnet.anycast import lo
from altnet.anycast.judgement import Place
from altnet.anycast.watch import Watch
from altnet.resolver import anycast

RESOLVER, NAMESERVER = "fd12:3456:789a::2:53", "fd12:3456:789a::2:54"


class World:
    """A loopback interface, and what every question is answered with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places: dict[str, Place] = {}
        self.refusal = ""
        self.others = False
        self.told: list[str] = []
        monkeypatch.setattr(lo, "placed", lambda address: self.places.get(address, Place.AWAY))
        monkeypatch.setattr(lo, "put", self.put)
        monkeypatch.setattr(anycast, "ask", lambda questions, _: dict.fromkeys(questions, self.refusal))
        monkeypatch.setattr(lo, "others_announce", lambda _: self.others)
        monkeypatch.setattr(systemd, "notify", lambda *lines: self.told.extend(lines))

    def put(self, address: str, now: Place, wanted: Place) -> None:
        assert self.places.get(address, Place.AWAY) is now
        self.places[address] = wanted


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def settings() -> anycast.Settings:
    return anycast.parse(json.loads(render("dns_resolver", "etc/altnet/anycast.json.j2", dns_resolver_plan=slice_of())))


def watch(tmp_path: Path) -> Watch:
    one = anycast.watch_of(settings(), tmp_path / "run" / "withdraw")
    one.begin()
    return one


def test_the_role_writes_what_the_watch_reads() -> None:
    first, second = settings().services
    assert [(first.name, first.address), (second.name, second.address)] == [
        ("resolver", RESOLVER),
        ("nameserver", NAMESERVER),
    ]
    assert [question.want for question in first.questions] == ["ad", "aa"]
    # Never the anycast address itself: a sick host would be told of another's health.
    asked = {question.server for service in settings().services for question in service.questions}
    assert asked == {"fd12:3456:789a::3", "::1"}
    pace = settings().pace
    assert (pace.fall + 1) * max(pace.interval, pace.timeout) < 3


def test_an_address_comes_and_goes(world: World, tmp_path: Path) -> None:
    one = watch(tmp_path)
    for _ in range(4):
        one.look(lambda: anycast.heard(settings()))
    assert world.places == {RESOLVER: Place.FULL, NAMESERVER: Place.FULL}
    world.refusal, world.others = "[::1]:5300 does not answer: no answer within 0.5 s", True
    one.look(lambda: anycast.heard(settings()))
    one.look(lambda: anycast.heard(settings()))
    assert world.places == {RESOLVER: Place.AWAY, NAMESERVER: Place.AWAY}
    assert world.told[-2:] == [
        "WATCHDOG=1",
        f"STATUS=resolver: withdrawn ({world.refusal}; {world.refusal}); nameserver: withdrawn ({world.refusal})",
    ]


def test_an_address_that_somebody_removed_comes_back(world: World, tmp_path: Path) -> None:
    world.places = {RESOLVER: Place.FULL, NAMESERVER: Place.FULL}
    one = watch(tmp_path)
    world.places[RESOLVER] = Place.AWAY
    one.look(lambda: anycast.heard(settings()))
    assert world.places[RESOLVER] is Place.FULL


def test_the_unit_can_take_everything_away(world: World, tmp_path: Path) -> None:
    one = watch(tmp_path)
    lines = one.kept.read_text().splitlines()
    assert lines == [
        f"address delete {address}/{length} dev lo" for address in (RESOLVER, NAMESERVER) for length in (128, 127)
    ]


def test_what_an_earlier_configuration_had_is_given_up(world: World, tmp_path: Path) -> None:
    old = "fd12:3456:789a::2:99"
    world.places[old] = Place.FULL
    kept = tmp_path / "withdraw"
    kept.write_text(f"address delete {old}/128 dev lo\naddress delete {old}/127 dev lo\n")
    anycast.watch_of(settings(), kept).begin()
    assert world.places[old] is Place.AWAY


def test_the_kernels_table(tmp_path: Path) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(
        "fd123456789a00000000000000020053 01 7f 00 80       lo\nfd123456789a00000000000000020054 02 80 00 80     eth0\n"
    )
    assert lo.placed(RESOLVER, table) is Place.LAST
    assert lo.placed(NAMESERVER, table) is Place.AWAY
