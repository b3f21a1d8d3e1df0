"""How long the last relay alone goes on answering with AD: real servers, one week after the other on a clock of ours.

PowerDNS fixes the life of its signatures: from a week before the last Thursday 00:00 UTC to two weeks after it. A copy
has those of the week in which it was made, and it is made anew within the SOA's refresh after each Thursday. So a
primary that dies just before that leaves the least behind: a week less the refresh. Unbound forgives a tenth of a
signature's life on top, at most its val-sig-skew-max, a day unless it is told otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from names_servers import DAY, MISSING, PowerDns, Unbound
from tests.clock import Clock
from tests.daemons import until

from altnet.powerdns.model import SOA_TIMES

pytestmark = [
    pytest.mark.xdist_group("names-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]

ZONE = "alt."
HOUR = 3_600
REFRESH, _, EXPIRE, _ = map(int, SOA_TIMES.split())
WEEK = 7 * DAY
#: What is promised: resolvers answer validated for so long after the primary's death, whenever that is.
GUARANTEED = WEEK
NAMES = {"ns": ("AAAA", "fd12:3456:789a::2:54"), "www": ("AAAA", "fd12:3456:789a::1")}
RUNS_OUT = "DNSSEC signature has expired"


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def thursday() -> int:
    """A Thursday 00:00 UTC to come, when PowerDNS signs anew."""
    return (int(time.time()) // WEEK + 2) * WEEK


@pytest.fixture
def pair(tmp_path: Path, clock: Clock, thursday: int) -> Iterator[tuple[PowerDns, PowerDns]]:
    """A primary with a signed zone, and a secondary that has got it in the middle of a week."""
    clock.set(thursday + 3 * DAY)
    primary = PowerDns(tmp_path / "primary", clock)
    secondary = PowerDns(tmp_path / "secondary", clock, primary)
    try:
        primary.start()
        secondary.start()
        primary.make_zone(ZONE, REFRESH, NAMES)
        secondary.follow(ZONE)
        yield primary, secondary
    finally:
        primary.kill()
        secondary.kill()


def left(server: PowerDns, tmp_path: Path) -> int:
    """Return how many seconds every signature of the zone is still valid, by an independent judge."""
    end = server.expires(f"www.{ZONE}", "AAAA")
    assert server.verified(ZONE, server.clock.now, tmp_path) == ""
    assert server.verified(ZONE, end - 1, tmp_path) == ""
    assert RUNS_OUT in server.verified(ZONE, end + 1, tmp_path)
    return end - server.clock.now


def test_what_a_copy_is_worth_through_the_week(
    pair: tuple[PowerDns, PowerDns], thursday: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    primary, secondary = pair
    clock = primary.clock
    told = []
    for phase, worth in (
        (3 * DAY, 14 * DAY - 3 * DAY),
        (5 * DAY, 14 * DAY - 5 * DAY),
        (WEEK - REFRESH // 3, WEEK + REFRESH // 3),
        # The primary has signed anew; the copy asked a moment before that, and does not ask again before the refresh.
        (WEEK + REFRESH // 3, WEEK - REFRESH // 3),
    ):
        clock.set(thursday + phase)
        until(lambda: secondary.serial(ZONE) > 0, 20, secondary.log)
        time.sleep(2.5)  # more than two rounds of xfr-cycle-interval: who wanted to ask has asked
        found = left(secondary, tmp_path)
        assert abs(found - worth) < 60
        told.append(f"{phase / DAY:.2f} d after Thursday: {found / DAY:.3f} d")
    stale = secondary.serial(ZONE)
    assert primary.serial(ZONE) > stale
    clock.set(thursday + WEEK + REFRESH)
    until(lambda: secondary.serial(ZONE) > stale, 20, secondary.log)
    assert secondary.serial(ZONE) == primary.serial(ZONE)
    found = left(secondary, tmp_path)
    assert abs(found - (2 * WEEK - REFRESH)) < 60
    told.append(f"a refresh after the next: {found / DAY:.3f} d")
    with capsys.disabled():
        print(f"\nsignatures of a secondary's copy are valid for: {'; '.join(told)}")


@pytest.mark.parametrize(
    "forgiving",
    [("val-sig-skew-max: 86400", DAY), ("val-sig-skew-max: 604800", 21 * DAY // 10)],
    ids=["as-it-comes", "a-tenth"],
)
def test_the_last_relay_alone(
    pair: tuple[PowerDns, PowerDns],
    thursday: int,
    tmp_path: Path,
    forgiving: tuple[str, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The primary dies at the worst moment: it has signed anew, and the copy was about to be made anew."""
    (primary, secondary), (setting, forgiven) = pair, forgiving
    clock = primary.clock
    clock.set(thursday + WEEK - 60)
    time.sleep(2.5)
    clock.set(thursday + WEEK + REFRESH - 120)
    death = clock.now
    primary.kill()
    keys = secondary.dig("+noall", "+answer", ZONE, "DNSKEY")
    end = secondary.expires(f"www.{ZONE}", "AAAA")
    assert abs(end - (thursday + 2 * WEEK)) < 60
    resolver = Unbound(tmp_path / "unbound", secondary, keys, setting)
    resolver.start()
    try:
        for moment in (death, end - HOUR, death + GUARANTEED, end + forgiven - HOUR):
            clock.set(moment)
            assert resolver.asked(f"www.{ZONE}", "AAAA") == "NOERROR AD"
            assert resolver.asked(f"nobody.{ZONE}", "AAAA") == "NXDOMAIN AD"
        clock.set(end + forgiven + HOUR)
        assert resolver.asked(f"www.{ZONE}", "AAAA") == "SERVFAIL"
        # PowerDNS serves its copy past the SOA's expire: what ends are the signatures, not the copy.
        clock.set(death + EXPIRE + DAY)
        assert secondary.serial(ZONE) > 0
    finally:
        resolver.kill()
    with capsys.disabled():
        print(f"\nthe last relay answers with AD for {(end + forgiven - death) / DAY:.3f} d at least ({setting})")


def test_the_date_can_be_held_where_everything_is_lost(
    pair: tuple[PowerDns, PowerDns], tmp_path: Path, thursday: int
) -> None:
    """The last resort of the runbook: Unbound told to judge signatures by a date, however late it is."""
    primary, secondary = pair
    primary.kill()
    keys = secondary.dig("+noall", "+answer", ZONE, "DNSKEY")
    held = time.strftime("%Y%m%d%H%M%S", time.gmtime(thursday + 4 * DAY))
    resolver = Unbound(tmp_path / "unbound", secondary, keys, f'val-override-date: "{held}"')
    resolver.start()
    try:
        primary.clock.set(thursday + 20 * WEEK)
        assert resolver.asked(f"www.{ZONE}", "AAAA") == "NOERROR AD"
    finally:
        resolver.kill()
