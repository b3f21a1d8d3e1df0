"""What a window of a record says: every ping is counted, and an unanswered one never vanishes."""

from __future__ import annotations

import json

import pytest
from drills.record import IDLE, LOST, OK, Record, Summary, Window
from drills.strikes import rules
from hypothesis import given
from hypothesis import strategies as st

FATES = st.text(alphabet=OK + LOST + IDLE, min_size=1, max_size=120)


def record(**pairs: str) -> Record:
    fates = {tuple(name.split("_")): text for name, text in pairs.items()}
    return Record(0.02, fates, dict.fromkeys(fates, 0.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fates", "lost", "gap_ms", "healed_s", "idle_ms"),
    [
        ("++++++++++", 0, 0, 0, 0),
        ("++++-+++++", 1, 40, 0.1, 0),
        ("++---+-+++", 4, 80, 0.14, 0),
        # The instrument's own silence is no loss, but it is not hidden either, and it does not shorten a gap.
        ("++..++++++", 0, 0, 0, 40),
        ("++-.-+++++", 2, 80, 0.1, 20),
        # Lost to the end: not healed, and the gap is as long as the record.
        ("++++++++--", 2, 60, 0.2, 0),
        ("----------", 10, 200, 0.2, 0),
    ],
)
def test_what_a_pair_saw(fates: str, lost: int, gap_ms: float, healed_s: float, idle_ms: float) -> None:
    seen = record(a_b=fates).window(0, 0.2)
    assert (seen.lost, seen.gap_ms, seen.idle_ms) == (lost, gap_ms, idle_ms)
    assert seen.healed_s == pytest.approx(healed_s)
    assert seen.sent == len(fates) - fates.count(IDLE)


def test_a_gap_is_measured_beyond_the_window_that_cuts_it() -> None:
    whole = record(a_b="++------++")
    assert whole.window(0, 0.1).gap_ms == whole.window(0, 0.2).gap_ms == 140
    assert whole.window(0.1, 0.2).gap_ms == 140


def test_the_worst_pair_counts_and_those_left_out_do_not() -> None:
    both = record(a_b="+++--+++++", b_c="++++------")
    assert both.window(0, 0.2).gap_ms == 140
    assert both.window(0, 0.2).lost == 8
    assert both.window(0, 0.2).pairs == 2
    assert both.window(0, 0.2, without=["c"]).gap_ms == 60
    assert both.window(0, 0.2, without=["c"]).lost == 2


@given(FATES, st.integers(0, 120))
def test_two_windows_hold_what_one_holds(fates: str, cut: int) -> None:
    whole = record(a_b=fates)
    end = len(fates) * 0.02
    middle = min(end, cut * 0.02)
    parts = [whole.window(0, middle), whole.window(middle, end)]
    assert sum(part.lost for part in parts) == whole.window(0, end).lost == fates.count(LOST)
    assert sum(part.sent for part in parts) == whole.window(0, end).sent


def test_short_waits_of_the_instrument_are_no_stall() -> None:
    assert record(a_b="+" + "." * 9 + "-+").window(0, 0.24).stalled == 0
    assert record(a_b="+" + "." * 10 + "-+" + "." * 12).window(0, 0.5).stalled == 22


def test_a_record_that_ended_early_is_no_success() -> None:
    with pytest.raises(ValueError, match="ends before 3"):
        record(a_b="++++++++++").window(2, 3)


def test_reports_of_hosts_are_put_together() -> None:
    report = {"b": [["ok", 3], ["lost", 2]], "c": [["idle", 1], ["ok", 4]]}
    read = Record.parse(0.02, {"a": json.dumps(report)})
    assert read.fates == {("a", "b"): "+++--", ("a", "c"): ".++++"}
    assert read.phase == {("a", "b"): 0, ("a", "c"): 0.01}


def test_a_summary_names_median_and_maximum() -> None:
    windows = [Window(100, lost, lost * 20.0, lost / 50, 1, 0) for lost in (1, 9, 2)]
    summary = Summary.of(windows)
    assert (summary.runs, summary.lost, summary.gap_ms) == (3, (2, 9), (40.0, 180.0))


def test_a_strike_replaces_what_an_earlier_one_left() -> None:
    text = rules(["udp dport 10002 drop"], ["udp sport 10002 drop"])
    assert text.index("delete table inet altnet_drill") < text.index("chain input")
    assert "flush" not in text
