"""The events, each as one repetition of it. A repetition begins and ends with everything up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from acceptance import lab

from . import ready, strikes
from .drill import Drill, Span
from .shells import CommandError

SITE = "site.yml"


class NotHere(Exception):  # noqa: N818
    """The ground cannot do this; the text says why, and where it is done."""


@dataclass(frozen=True)
class Event:
    """``phases`` name what is measured, with who heals it."""

    name: str
    phases: dict[str, tuple[str, str]]
    once: Callable[[Drill, int], None]
    #: Settings of the bird role that this event is measured with, beyond the defaults.
    bird: tuple[str, ...] = ()


def link(drill: Drill, count: int) -> None:
    """Another link each time."""
    links = strikes.links()
    host, neighbour = links[count % len(links)]
    drill.strike(strikes.silent_link(drill.shells, host, neighbour), 2, cuts=True)


def relay(drill: Drill, count: int) -> None:
    """Another relay each time; pairs that it is part of do not count."""
    lost = drill.relays[count % len(drill.relays)]
    drill.strike(strikes.silent_hosts(drill.shells, [lost]), 2, [lost], cuts=True)


def region(drill: Drill, count: int) -> None:
    """Every host of a region, one region after the other."""
    regions = ready.regions()
    lost = regions[sorted(regions)[count % len(regions)]]
    drill.strike(strikes.silent_hosts(drill.shells, lost), 2, lost, cuts=True)


def loss(drill: Drill, count: int) -> None:
    """A twentieth of what goes through the link between two relays."""
    pairs = [pair for pair in strikes.links() if set(pair) <= set(drill.relays)]
    drill.strike(strikes.silent_link(drill.shells, *pairs[count % len(pairs)], share=5), 5)


def slow(drill: Drill, count: int) -> None:
    """A relay with a tenth of the processor."""
    drill.strike(strikes.slow_host(drill.shells, drill.relays[count % len(drill.relays)]), 3)


def bird(drill: Drill, count: int) -> None:
    """Another host each time; more than five deaths of one in ten seconds and systemd would give it up."""
    drill.act("strike", drill.hosts[count % len(drill.hosts)], "kill -9 $(pidof bird)")


def deleted(drill: Drill, count: int) -> None:
    """The network routes around the interface at once; a run makes it anew."""
    pairs = strikes.links()
    host, neighbour = pairs[count % len(pairs)]
    drill.up()
    begin = drill.watch.now
    drill.shells.run(host, f"ip link delete {strikes.tunnel(host, neighbour)}")
    time.sleep(2)
    drill.spans.append(Span("strike", begin, drill.watch.now))
    drill.operator("run", SITE, "--tags", "wireguard", "--limit", host).ok()


def rebinding(drill: Drill, _: int) -> None:
    """The router in front of core2 gets another address, and then its old one again."""
    drill.strike(strikes.new_address(drill.shells), 1.5)


def drain(drill: Drill, count: int) -> None:
    """Another relay each time."""
    chosen = drill.relays[count % len(drill.relays)]
    drill.up()
    drill.operator("strike", "playbooks/drain.yml", "-e", f"drain_host={chosen}").ok()
    drill.operator("back", "playbooks/undrain.yml", "-e", f"drain_host={chosen}").ok()


def disk(drill: Drill, count: int) -> None:
    """A run that has something to write on a host that cannot: it fails, and says why; the service goes on."""
    drill.up()
    begin = drill.watch.now
    wish = ("--tags", "bird", "--limit", "core1", "-e", f"bird_extra_config='# drill {count}'")
    with strikes.full_disk(drill.shells, "core1"):
        done = lab.playbook(SITE, *wish)
    drill.spans.append(Span("strike", begin, drill.watch.now))
    assert done.status != 0, "a run on a full disk says that it did what it could not do"
    # To the last block: then not even the preflight's module has room, and nothing was begun.
    told = re.search(r".*(?:No space left on device|there is no room for the probe).*", done.output)
    assert told, done.output[-3000:]
    drill.notes.append(told[0].strip())
    drill.operator("run", SITE, *wish).ok()


def clock(drill: Drill, count: int) -> None:
    """A day back, for longer than a WireGuard session lives (180 s)."""
    host = drill.relays[count % len(drill.relays)]
    try:
        drill.shells.run(host, "date -s @$(date +%s)")
    except CommandError as error:
        text = (
            "the hosts here share the machine's clock and may not set it; done on machines with a kernel of their own"
        )
        raise NotHere(text) from error
    drill.strike(strikes.clock_back(drill.shells, host, 86400), 200)


def month(drill: Drill, _: int) -> None:
    """core1 is off while both of its relays are installed anew, with new keys; then it is back as it was."""
    relays = ["fra", "nyc"]
    drill.up()
    with strikes.silent_hosts(drill.shells, ["core1"]):
        drill.shells.all("rm /etc/altnet/wireguard/*.key", relays)
        lab.playbook(SITE, "--limit", "all:!core1").ok()
    begin = drill.watch.now
    drill.shells.run("core1", "systemctl restart 'wg-quick@an*' bird")
    time.sleep(3)
    drill.spans.append(Span("strike", begin, drill.watch.now, ["core1"]))
    assert "Established" not in drill.shells.run("core1", "birdc show protocols"), "old keys still serve"
    drill.operator("run", SITE, without=["core1"]).ok()


#: Failures of a session that follow each other make it wait ever longer (up to a minute) before it tries again. Some
#: drills fail the same ones thirty times in a row: the wait after each is held at that after the first.
HELD = ("-e", "bird_error_wait_max=2")
ALONE = "nobody: BGP goes another way"
BACK = "nobody"
EVENTS = (
    Event("link", {"strike": ("A link goes silent", ALONE), "back": ("… and comes back", BACK)}, link, HELD),
    Event(
        "link-fast",
        {"strike": ("A link goes silent, BFD every 100 ms", ALONE), "back": ("… and comes back", BACK)},
        link,
        (*HELD, "-e", "bird_bfd_interval_ms=100"),
    ),
    Event("relay", {"strike": ("A relay goes silent", ALONE), "back": ("… and comes back", BACK)}, relay, HELD),
    Event("region", {"strike": ("A region goes silent", ALONE), "back": ("… and comes back", BACK)}, region, HELD),
    Event(
        "loss",
        {
            "strike": ("A link loses 5 % of packets, 5 s", "nobody: BGP does not see it"),
            "back": ("… and no more", BACK),
        },
        loss,
    ),
    Event(
        "slow",
        {"strike": ("A relay gets a tenth of its processor, 3 s", "nobody"), "back": ("… and all of it again", BACK)},
        slow,
    ),
    Event("bird", {"strike": ("BIRD is killed", "systemd starts it again")}, bird),
    Event(
        "deleted",
        {
            "strike": ("A WireGuard interface is deleted", ALONE),
            "run": ("… and made anew", "`site.yml --tags wireguard`"),
        },
        deleted,
    ),
    Event("nat", {"strike": ("A NAT maps a host anew", "WireGuard follows"), "back": ("… and again", BACK)}, rebinding),
    Event(
        "drain",
        {"strike": ("A relay is drained", "`drain.yml`"), "back": ("… and undrained", "`undrain.yml`")},
        drain,
    ),
    Event(
        "disk",
        {
            "strike": ("A run meets a full disk", "the run fails, nothing stops"),
            "run": ("… and a free one", "`site.yml`"),
        },
        disk,
    ),
    Event("clock", {"strike": ("A clock is a day behind, 200 s", ALONE), "back": ("… and right again", BACK)}, clock),
    Event(
        "month",
        {
            "strike": ("A host is back whose relays have new keys: the others", "nobody"),
            "run": ("… and the host itself", "`site.yml`"),
        },
        month,
        HELD,
    ),
)
