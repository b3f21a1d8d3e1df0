"""The pure part of the benchmarks: what is made of what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import network, run, site_run
from benchmarks.figures import Figure, Report, exponent, median, short
from benchmarks.site_run import SiteRun
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(0.5, 2.5), st.floats(0.001, 100))
def test_the_exponent_is_that_of_the_power_law(power: float, factor: float) -> None:
    points = {size: factor * size**power for size in (100, 1_000, 10_000)}
    assert exponent(points) == pytest.approx(power, abs=1e-6)


def test_the_exponent_of_two_points_is_the_slope_between_them() -> None:
    assert exponent([(10, 1), (1_000, 100)]) == pytest.approx(1)
    assert exponent([(10, 1), (1_000, 10_000)]) == pytest.approx(2)


def test_one_size_has_no_exponent() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        exponent([(10, 1), (10, 2)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.01163, "0.0116"),
        (0.5, "0.5"),
        (1.416, "1.42"),
        (10.04, "10"),
        (37.26, "37.3"),
        (143.4, "143"),
        (2512.0, "2,512"),
        (100, "100"),
    ],
)
def test_numbers_have_three_digits_that_mean_something(value: float, text: str) -> None:
    assert short(value) == text


def test_a_goal_is_kept_up_to_itself() -> None:
    assert Figure("", 5, "s", 5).kept is True
    assert Figure("", 5.01, "s", 5).kept is False
    assert Figure("", 5).kept is None


def test_a_line_names_subject_value_unit_and_goal(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.add("plan, 1,000 relays", Figure("", 1.416, "s", 5), Figure("memory", 343, "MB", 300))
    assert capsys.readouterr().out == "plan, 1,000 relays: 1.42 s (goal 5), 343 MB memory (goal 300, MISSED)\n"


def test_the_data_has_every_figure_and_what_is_absent(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.add("one", Figure("memory", 2, "MB", 1))
    report.without("other", "it is not installed")
    assert "other: not measured here: it is not installed" in capsys.readouterr().out
    assert json.loads(json.dumps(report.plain())) == {
        "figures": [{"name": "one: memory", "value": 2, "unit": "MB", "goal": 1, "kept": False}],
        "absent": {"other": "it is not installed"},
    }


@given(st.lists(st.integers(-1000, 1000), min_size=1))
def test_the_median_has_as_many_below_as_above(values: list[int]) -> None:
    middle = median(values)
    assert sum(value < middle for value in values) <= len(values) / 2
    assert sum(value > middle for value in values) <= len(values) / 2


def test_an_unknown_part_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["plan", "plain"]) == 2
    assert "plain" in capsys.readouterr().err


@pytest.mark.parametrize("broken", [False, True])
def test_a_missed_goal_is_no_failure_and_a_broken_part_is(broken: bool, tmp_path: Path, monkeypatch) -> None:
    class Part:
        @staticmethod
        def run(report: Report) -> None:
            report.add("slow", Figure("", 10, "s", 1))
            if broken:
                raise RuntimeError

    monkeypatch.setattr(run, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(run, "OUT", tmp_path / "out" / "latest.json")
    monkeypatch.setattr(run.importlib, "import_module", lambda *_: Part)
    assert run.main(["plan"]) == int(broken)
    written = json.loads((tmp_path / "out" / "latest.json").read_text())
    assert written["figures"][0]["kept"] is False
    assert written["broken"] == ["plan"] * broken


def test_made_networks_are_whole() -> None:
    hosts = network.relays(300)
    known = network.inventory(hosts)
    ledger = network.ledger(known)
    assert {record.relay for record in ledger.hosts.values()} == {True}
    assert {len(record.keys) for record in ledger.hosts.values()} == {1}
    assert len({host.endpoints for host in known.hosts.values()}) == 300


def test_the_history_grows_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    first = SiteRun("2026-01-02", 12.0, 20.0, 6, 2, 1.0)
    assert site_run.load(path) == []
    for one in (first, SiteRun("2026-01-03", 11.0, 19.0, 6, 2, 0.9)):
        site_run.keep(one, path)
    assert site_run.load(path)[0] == first
    assert [line.split()[0] for line in site_run.table(site_run.load(path)).splitlines()] == [
        "2026-01-02",
        "2026-01-03",
    ]


def test_the_tracked_history_can_be_read() -> None:
    assert all(one.wall > 0 and one.cpu > 0 and one.hosts > 0 for one in site_run.load())
