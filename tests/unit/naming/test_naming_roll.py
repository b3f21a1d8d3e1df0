"""A key roll, step by step, and whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming_world import DS_OF, REVERSE, inventory, ledger_of

from altnet.errors import LedgerError
from altnet.ledger import Ledger, dump, parse
from altnet.naming.anchors import anchored, anchors, epochs, record
from altnet.naming.roll import RollStep, Timing, activate, finish, start_roll

TIMING = Timing(dnskey=300, ds=1000, data=3600, propagation=60)
NOW = 1_790_000_000


def states(ledger: Ledger, zone: str = "alt") -> dict[int, str]:
    return {number: epoch.state for number, epoch in epochs(ledger, zone).items()}


def test_a_whole_roll() -> None:
    ledger = ledger_of(inventory())
    step = start_roll(ledger, "alt", DS_OF, now=NOW, timing=TIMING)
    assert states(step.ledger) == {0: "active", 1: "published"}
    assert step.wait == 1060
    assert step.changes == (f"zone alt: key {DS_OF('alt', 1).split()[0]} of epoch 1 is published",)
    assert anchors(step.ledger, ["alt"]) == {"alt": [DS_OF("alt", 0), DS_OF("alt", 1)]}
    step = activate(step.ledger, "alt", now=NOW + 1060, timing=TIMING)
    assert states(step.ledger) == {0: "retired", 1: "active"}
    assert step.wait == 3660
    assert len(anchors(step.ledger, ["alt"])["alt"]) == 2
    step = finish(step.ledger, "alt", now=NOW + 1060 + 3660, timing=TIMING)
    assert states(step.ledger) == {1: "active"}
    assert step.wait == 0
    assert anchors(step.ledger, ["alt"]) == {"alt": [DS_OF("alt", 1)]}
    assert states(step.ledger, "neo") == {0: "active"}
    again = start_roll(step.ledger, "alt", DS_OF, now=NOW + 9000, timing=TIMING)
    assert states(again.ledger) == {1: "active", 2: "published"}


def test_a_zone_without_a_record_of_its_own() -> None:
    step = start_roll(ledger_of(inventory()), "shop.alt.", DS_OF, now=NOW, timing=TIMING)
    assert {n: epoch.ds for n, epoch in step.ledger.dnssec["shop.alt"].items()} == {
        0: DS_OF("shop.alt", 0), 1: DS_OF("shop.alt", 1),
    }  # fmt: skip
    assert parse(dump(step.ledger)) == step.ledger


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda before: activate(before, "alt", now=NOW, timing=TIMING), "has no key that is published .*start the roll first"),
        (lambda before: activate(started(before), "alt", now=NOW + 60, timing=TIMING), "60 s ago, .*run again in 1000 s"),
        (lambda before: finish(started(before), "alt", now=NOW + 9999, timing=TIMING), "does not sign yet.*activate it first"),
        (
            lambda before: finish(
                activate(started(before), "alt", now=NOW + 2000, timing=TIMING).ledger, "alt", now=NOW + 2600, timing=TIMING
            ),
            "with the old key 600 s ago, .*run again in 3060 s",
        ),
    ],
)
def test_a_step_before_its_time(step: Callable[[Ledger], RollStep], words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        step(ledger_of(inventory()))


def started(ledger: Ledger) -> Ledger:
    return start_roll(ledger, "alt", DS_OF, now=NOW, timing=TIMING).ledger


def test_a_step_is_not_taken_twice() -> None:
    first = started(ledger_of(inventory()))
    again = start_roll(first, "alt", DS_OF, now=NOW + 100, timing=TIMING)
    assert (again.ledger, again.changes, again.wait) == (first, (), 960)
    active = activate(first, "alt", now=NOW + 1060, timing=TIMING).ledger
    for step in (
        activate(active, "alt", now=NOW + 2000, timing=TIMING),
        start_roll(active, "alt", DS_OF, now=NOW + 2000, timing=TIMING),
    ):
        assert (step.ledger, step.changes, step.wait) == (active, (), 3660 - 940)
    done = finish(active, "alt", now=NOW + 9999, timing=TIMING).ledger
    assert finish(done, "alt", now=NOW + 9999, timing=TIMING) == RollStep(done, (), 0)


@given(st.lists(st.tuples(st.sampled_from(["start", "activate", "finish"]), st.integers(0, 5000)), max_size=15))
@settings(max_examples=80, deadline=None)
def test_at_every_moment_what_caches_hold_is_trusted(steps: list[tuple[str, int]]) -> None:
    """One key signs; it was published for long enough; a key is gone only when nothing of it is cached any more."""
    ledger, now = LEDGER, NOW
    published, last_signed = {0: 0}, dict[int, int]()
    for name, seconds in steps:
        now += seconds
        before = states(ledger)
        try:
            if name == "start":
                ledger = start_roll(ledger, "alt", DS_OF, now=now, timing=TIMING).ledger
            else:
                ledger = {"activate": activate, "finish": finish}[name](ledger, "alt", now=now, timing=TIMING).ledger
        except LedgerError:
            continue
        after = states(ledger)
        assert list(after.values()).count("active") == 1
        for number in after.keys() - before.keys():
            published[number] = now
        for number, state in after.items():
            if state == "active" and before[number] != "active":
                assert now - published[number] >= TIMING.publish
            if state == "retired" and before[number] == "active":
                last_signed[number] = now
        for number in before.keys() - after.keys():
            assert now - last_signed[number] >= TIMING.retire
        assert len(after) <= 2
        assert parse(dump(ledger)) == ledger
        assert anchors(ledger, ["alt"])["alt"] == [DS_OF("alt", number) for number in sorted(after)]


LEDGER = ledger_of(inventory())


def test_anchors_are_recorded_once() -> None:
    ledger = replace(LEDGER, dnssec={})
    zones = anchored(["alt", "neo"], ledger.prefix)
    assert zones == ("alt", "neo", REVERSE)
    after, changes = record(ledger, zones, DS_OF)
    assert list(anchors(after, zones)) == [*zones]
    assert changes[0] == f"zone alt: signed with the key {DS_OF('alt', 0).split()[0]}"
    assert record(after, zones, DS_OF) == (after, ())
    assert anchors(ledger, zones) == {}


def test_another_master_secret() -> None:
    with pytest.raises(LedgerError) as caught:
        ledger_of(
            inventory(), replace(LEDGER, dnssec={"alt": {0: replace(LEDGER.dnssec["alt"][0], ds="1 13 2 " + "a" * 64)}})
        )
    (problem,) = caught.value.problems
    assert (problem.host, problem.variable) == ("", "altnet_master_secret")
    assert f"gives alt another key than the one on record: DS {DS_OF('alt', 0)}, and ledger.json has" in problem.what
