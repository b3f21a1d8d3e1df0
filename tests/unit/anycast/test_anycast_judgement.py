"""When an anycast address is announced, in full, as the last resort, or not at all."""

from __future__ import annotations

import pytest

from altnet.anycast.judgement import Heard, Judge, Place
from altnet.anycast.lo import digits

GOOD = Heard("", answers=True)
SICK = Heard("resolver.net.alt AAAA is SERVFAIL", answers=True)
DEAD = Heard("does not answer", answers=False)
AWAY, LAST, FULL = Place.AWAY, Place.LAST, Place.FULL


def run(judge: Judge, *rounds: Heard, others: bool = True) -> list[Place]:
    return [judge.hear(heard, others=others) for heard in rounds]


def judge(place: Place = AWAY) -> Judge:
    return Judge(rise=3, fall=2, patience=4, place=place)


def test_it_comes_after_good_rounds_in_a_row() -> None:
    assert run(judge(), GOOD, GOOD, SICK, GOOD, GOOD, GOOD) == [AWAY, AWAY, AWAY, AWAY, AWAY, FULL]


def test_it_goes_after_bad_rounds_in_a_row() -> None:
    assert run(judge(FULL), SICK, GOOD, SICK, DEAD) == [FULL, FULL, FULL, AWAY]


def test_what_is_announced_when_the_watch_starts_stays_until_it_is_bad() -> None:
    assert run(judge(FULL), GOOD, GOOD) == [FULL, FULL]


def test_while_others_announce_it_the_sick_one_is_silent() -> None:
    assert run(judge(FULL), *[SICK] * 10) == [FULL] + [AWAY] * 9


def test_where_nobody_does_one_that_answers_is_the_last_resort() -> None:
    assert run(judge(FULL), *[SICK] * 7, others=False) == [FULL, AWAY, AWAY, AWAY, AWAY, LAST, LAST]


def test_one_that_answers_nothing_is_none() -> None:
    assert run(judge(FULL), *[DEAD] * 9, others=False) == [FULL] + [AWAY] * 8


def test_the_last_resort_makes_way_at_once() -> None:
    one = judge()
    assert run(one, *[SICK] * 4, others=False)[-1] is LAST
    assert run(one, SICK, others=True) == [AWAY]
    assert run(one, SICK, SICK, SICK, others=False) == [AWAY] * 3


def test_the_last_resort_gets_well() -> None:
    one = judge()
    run(one, *[SICK] * 4, others=False)
    assert run(one, GOOD, GOOD, GOOD, others=False) == [LAST, LAST, FULL]


def test_it_says_why() -> None:
    one = judge()
    run(one, GOOD)
    assert str(one) == "withdrawn (answers well, 1 of 3 times)"
    run(one, GOOD, GOOD)
    assert str(one) == "announced (answers well)"
    run(one, SICK)
    assert str(one) == "announced (resolver.net.alt AAAA is SERVFAIL)"


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("fd12:3456:789a::2:53", "fd123456789a00000000000000020053"),
        ("::1", "00000000000000000000000000000001"),
        ("fd12:3456:789a:1:2:3:4:5", "fd123456789a00010002000300040005"),
    ],
)
def test_addresses_as_the_kernel_has_them(address: str, wanted: str) -> None:
    assert digits(address) == wanted
