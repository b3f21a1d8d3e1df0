"""A key roll, step by step, and whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naming_world import DS_OF, MASTER, REVERSE, inventory, ledger_of, zones_of

from altnet.errors import LedgerError
from altnet.ledger import Ledger, dump, parse
from altnet.naming.anchors import anchored, anchors, epochs, record
from altnet.naming.desired import keys_of
from altnet.naming.roll import RollStep, Timing, activate, confirm, finish, start_roll, timing_of

TIMING = Timing(dnskey=300, ds=1000, data=3600, propagation=60)
NOW = 1_790_000_000


def seen(step: RollStep, now: int) -> Ledger:
    """The step is everywhere."""
    return confirm(step.ledger, "alt", now=now)


def states(ledger: Ledger, zone: str = "alt") -> dict[int, str]:
    return {number: epoch.state for number, epoch in epochs(ledger, zone).items()}


def test_a_whole_roll() -> None:
    ledger = ledger_of(inventory())
    step = start_roll(ledger, "alt", DS_OF, now=NOW, timing=TIMING)
    assert states(step.ledger) == {0: "active", 1: "published"}
    assert step.wait == 1060
    assert step.changes == (f"zone alt: key {DS_OF('alt', 1).split()[0]} of epoch 1 is published",)
    assert anchors(step.ledger, ["alt"]) == {"alt": [DS_OF("alt", 0), DS_OF("alt", 1)]}
    step = activate(seen(step, NOW), "alt", now=NOW + 1060, timing=TIMING)
    assert states(step.ledger) == {0: "retired", 1: "active"}
    assert step.wait == 3660
    assert len(anchors(step.ledger, ["alt"])["alt"]) == 2
    step = finish(seen(step, NOW + 1060), "alt", now=NOW + 1060 + 3660, timing=TIMING)
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
        (
            lambda before: activate(before, "alt", now=NOW, timing=TIMING),
            "has no key that is published .*start the roll first",
        ),
        (
            lambda before: activate(started(before), "alt", now=NOW + 60, timing=TIMING),
            "60 s ago, .*run again in 1000 s",
        ),
        (
            lambda before: finish(started(before), "alt", now=NOW + 9999, timing=TIMING),
            "does not sign yet.*activate it first",
        ),
        (
            lambda before: finish(
                seen(activate(started(before), "alt", now=NOW + 2000, timing=TIMING), NOW + 2000),
                "alt",
                now=NOW + 2600,
                timing=TIMING,
            ),
            "with the old key 600 s ago, .*run again in 3060 s",
        ),
        (
            lambda before: activate(begun(before), "alt", now=NOW + 9999, timing=TIMING),
            "a new key, and it is not known whether every server and every resolver has it",
        ),
        (
            lambda before: finish(
                activate(started(before), "alt", now=NOW + 2000, timing=TIMING).ledger,
                "alt",
                now=NOW + 9999,
                timing=TIMING,
            ),
            "a new key that signs, and it is not known",
        ),
    ],
)
def test_a_step_before_its_time(step: Callable[[Ledger], RollStep], words: str) -> None:
    with pytest.raises(LedgerError, match=words):
        step(ledger_of(inventory()))


def begun(ledger: Ledger) -> Ledger:
    return start_roll(ledger, "alt", DS_OF, now=NOW, timing=TIMING).ledger


def started(ledger: Ledger) -> Ledger:
    return confirm(begun(ledger), "alt", now=NOW)


def test_a_step_that_is_not_everywhere_has_not_begun_its_time() -> None:
    ledger = begun(ledger_of(inventory()))
    assert start_roll(ledger, "alt", DS_OF, now=NOW + 9999, timing=TIMING).wait == 1060
    later = confirm(ledger, "alt", now=NOW + 9999)
    assert confirm(later, "alt", now=NOW + 99999) == later
    assert start_roll(later, "alt", DS_OF, now=NOW + 9999, timing=TIMING).wait == 1060
    whole = ledger_of(inventory())
    assert confirm(whole, "alt", now=NOW) == whole


def test_times_come_from_the_zone() -> None:
    declared = {"name": "shop.alt", "records": [{"name": "a", "type": "TXT", "values": ["x"], "ttl": 86400}]}
    zones = zones_of(inventory([declared]))
    assert timing_of(zones["shop.alt."]).publish == 3660
    assert timing_of(zones["shop.alt."]).retire == 86460
    assert timing_of(zones["alt."]).retire == 3660
    assert timing_of(zones["shop.alt."], 30) == Timing(30, 30, 30, 0)


def test_a_step_is_not_taken_twice() -> None:
    first = started(ledger_of(inventory()))
    again = start_roll(first, "alt", DS_OF, now=NOW + 100, timing=TIMING)
    assert (again.ledger, again.changes, again.wait) == (first, (), 960)
    active = seen(activate(first, "alt", now=NOW + 1060, timing=TIMING), NOW + 1060)
    for step in (
        activate(active, "alt", now=NOW + 2000, timing=TIMING),
        start_roll(active, "alt", DS_OF, now=NOW + 2000, timing=TIMING),
    ):
        assert (step.ledger, step.changes, step.wait) == (active, (), 3660 - 940)
    done = finish(active, "alt", now=NOW + 9999, timing=TIMING).ledger
    assert finish(done, "alt", now=NOW + 9999, timing=TIMING) == RollStep(done, (), 0)


@given(
    st.lists(st.tuples(st.sampled_from(["start", "confirm", "activate", "finish"]), st.integers(0, 5000)), max_size=15)
)
@settings(max_examples=80, deadline=None)
def test_at_every_moment_what_caches_hold_is_trusted(steps: list[tuple[str, int]]) -> None:
    """One key signs; it was published for long enough; a key is gone only when nothing of it is cached any more."""
    ledger, now = LEDGER, NOW
    everywhere = dict[tuple[int, str], int]()
    for name, seconds in steps:
        now += seconds
        before = states(ledger)
        try:
            if name == "confirm":
                new = {number for number, epoch in epochs(ledger, "alt").items() if not epoch.since}
                ledger = confirm(ledger, "alt", now=now)
                everywhere |= {(n, state): now for n, state in states(ledger).items() if n in new}
            elif name == "start":
                ledger = start_roll(ledger, "alt", DS_OF, now=now, timing=TIMING).ledger
            else:
                ledger = {"activate": activate, "finish": finish}[name](ledger, "alt", now=now, timing=TIMING).ledger
        except LedgerError:
            continue
        after = states(ledger)
        assert list(after.values()).count("active") == 1
        for number, state in after.items():
            if state == "active" and before[number] != "active":
                assert now - everywhere[number, "published"] >= TIMING.publish
        for number in before.keys() - after.keys():
            assert now - everywhere[number, "retired"] >= TIMING.retire
        assert len(after) <= 2
        assert parse(dump(ledger)) == ledger
        assert anchors(ledger, ["alt"])["alt"] == [DS_OF("alt", number) for number in sorted(after)]


LEDGER = ledger_of(inventory())


def test_the_key_that_signs_comes_first() -> None:
    """So that whoever sets them one after the other never has a zone without one."""
    ledger = activate(started(ledger_of(inventory())), "alt", now=NOW + 2000, timing=TIMING).ledger
    made, ds = keys_of(ledger, MASTER)("alt")
    assert [key.active for key in made] == [True, False]
    assert ds == [DS_OF("alt", 0), DS_OF("alt", 1)]


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
