"""What breaks heals: each event of the drills, under pings of every pair. `make drills` measures; this proves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from drills import ready, strikes
from drills.drill import Drill
from drills.events import EVENTS, NotHere
from drills.record import Summary, Window
from drills.shells import Shells, shells
from drills.watch import watch

from . import lab

HOSTS = list(lab.addresses())
#: Seconds between two pings of a pair: the drills' own is 20 ms.
INTERVAL = 0.05
#: Slow machines and their neighbours are allowed for: BGP's own hold time, which served if BFD did not, is 30 s.
HEALED_MAX = 25.0
#: Events that hosts and network get over alone, and how many pings in a hundred of a window may be lost at most.
ALONE = {"link": 60, "relay": 60, "region": 60, "loss": 30, "slow": 60, "bird": 60, "nat": 60}
#: Events of which users notice nothing; a lost ping or two is a busy machine's.
UNNOTICED = {"drain", "disk"}


@pytest.fixture(scope="module")
def opened() -> Iterator[Shells]:
    with shells(HOSTS) as every:
        yield every


def seen(opened: Shells, name: str) -> dict[str, Sequence[Window]]:
    """Do an event once, show its figures, and return them."""
    event = next(event for event in EVENTS if event.name == name)
    ready.wait_until_up(opened, within=120)
    with watch(HOSTS, INTERVAL) as pingers:
        drill = Drill(opened, pingers, HOSTS)
        event.once(drill, 0)
        windows = drill.windows(pingers.stop())
    for phase, found in windows.items():
        one = Summary.of(found)
        lab.show(
            f"{event.phases[phase][0]}: {one.lost[1]} of {one.sent} pings lost, longest gap {one.gap_ms[1]:.0f} ms, "
            f"healed after {one.healed_s[1]:.2f} s"
        )
    for note in drill.notes:
        lab.show(note)
    return windows


@pytest.mark.parametrize("name", ALONE)
def test_the_network_gets_over_it_alone(opened: Shells, name: str) -> None:
    windows = seen(opened, name)
    for found in windows.values():
        assert all(window.healed_s < HEALED_MAX for window in found)
        assert all(window.lost <= window.sent * ALONE[name] / 100 for window in found)
    # That silence cut a session is asserted by the drill itself; a dead BIRD and a lossy line are seen in the pings.
    if name in {"bird", "loss"}:
        assert windows["strike"][0].lost > 0


@pytest.mark.parametrize("name", sorted(UNNOTICED))
def test_users_notice_nothing(opened: Shells, name: str) -> None:
    for found in seen(opened, name).values():
        assert all(window.lost <= max(3, window.sent / 200) for window in found)


@pytest.mark.parametrize("name", ["deleted", "month"])
def test_one_run_heals_it(opened: Shells, name: str) -> None:
    seen(opened, name)
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()


def test_a_clock_that_is_set_back_cuts_nobody_off(opened: Shells) -> None:
    try:
        windows = seen(opened, "clock")
    except NotHere as error:
        pytest.skip(f"{error}: `make test-kernel`")
    assert all(window.lost <= window.sent / 2 for found in windows.values() for window in found)


def test_nothing_of_the_drills_is_left(opened: Shells) -> None:
    for host, tables in opened.all("nft list tables; pgrep -fc 'signal.SIG[S]TOP'; mount | grep drill; true").items():
        assert strikes.TABLE not in tables, host
        assert "drill" not in tables, host
    assert lab.playbook("site.yml").ok().changed == dict.fromkeys(HOSTS, 0)
