"""The same site.yml, on hosts that are new: what it leaves is whole, and a second run changes nothing."""

from __future__ import annotations

import time
from typing import NamedTuple

from acceptance import lab

#: The stratum of the relay upon whose clock all agree where nobody else tells the time (roles/base), and its reference.
ORPHANS = 10
OWN_CLOCK = "7F7F0101"
HOSTS = sorted(lab.addresses())


class Source(NamedTuple):
    """A line of ``chronyc sources``."""

    address: str
    chosen: bool
    stratum: int
    reached: bool


def test_it_converges_hosts_that_had_nothing(first_run: lab.Run) -> None:
    lab.show(f"site.yml on new hosts: {first_run.seconds:.0f} s")
    assert set(first_run.changed) == set(HOSTS)


def test_all_pairs_reach_each_other() -> None:
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert "30 of 30 ordered pairs" in told.output
    lab.show(told.output[told.output.index("Network ") : told.output.index("TASK [Show the network]")])


def test_a_second_run_changes_nothing() -> None:
    again = lab.playbook("site.yml").ok()
    lab.show(f"site.yml again: {again.seconds:.0f} s")
    assert again.changed == dict.fromkeys(HOSTS, 0)


def test_hosts_that_keep_their_own_clock_have_it_kept() -> None:
    """Here a host may set its clock, so the time daemon's part of the base role runs; containers leave it out."""
    for host in HOSTS:
        out = lab.ssh(
            host, "systemctl is-active chrony; stat -c %a /etc/chrony/sources.d/altnet.sources; chronyc -n sources"
        )
        assert out.splitlines()[0] == "active"
        assert "MS Name/IP address" in out


def sources(host: str) -> list[Source]:
    """Return whom a host's clock asks; servers whose names do not resolve are not among them."""
    rows = [line.split(",") for line in lab.ssh(host, "chronyc -c sources", check=False).splitlines()]
    return [Source(row[2], row[1] == "*", int(row[3]), row[5] != "0") for row in rows if len(row) > 5]


def tracking(host: str) -> tuple[str, int, str]:
    """Return a host's reference, its stratum and whether it is synchronised, as chronyd says it."""
    row = lab.ssh(host, "chronyc -c tracking", check=False).strip().split(",")
    return (row[0], int(row[2]), row[-1]) if len(row) > 3 else ("", 0, "")


def test_relays_serve_the_time_on_the_fabric() -> None:
    """A network that is cut off has one time: its relays agree upon the clock of one of them, and all others follow."""
    relays = {lab.loopback(name): name for name in ("fra", "nyc", "sin")}
    hosts = ("core1", "laptop1")
    # Whoever started before its tunnels asks again each 64 seconds, and wants three answers.
    deadline = time.monotonic() + 300
    while True:
        seen = {host: sources(host) for host in (*relays.values(), *hosts)}
        told = {host: tracking(host) for host in seen}
        outside = [one for found in seen.values() for one in found if one.address not in relays and one.reached]
        chosen = {host: next((one for one in seen[host] if one.chosen), None) for host in seen}
        leaders = [name for name in relays.values() if told[name][:2] == (OWN_CLOCK, ORPHANS)]
        followers = [name for name in seen if name not in leaders and chosen[name] is not None]
        agreed = bool(outside) or len(leaders) == 1
        if time.monotonic() > deadline or (agreed and len(leaders) + len(followers) == len(seen)):
            break
        time.sleep(5)
    said = f"{told}, {seen}"
    for host in hosts:
        assert len(relays.keys() & {one.address for one in seen[host]}) >= 2, said
        assert told[host][2] == "Normal", said
        source = chosen[host]
        assert source is not None, said
        if outside:
            lab.show(f"{host}: somebody outside tells the time, {source}")
            assert source.stratum < ORPHANS, said
        else:
            assert source.address in relays, said
            assert source.stratum in {ORPHANS, ORPHANS + 1}, said
            assert told[host][1] == source.stratum + 1, said
    if not outside:
        assert len(leaders) == 1, said
        leader = leaders[0]
        others = {name: told[name][1] for name in relays.values() if name != leader}
        assert others == dict.fromkeys(others, ORPHANS + 1), said
        lab.show(
            f"the network's time is {leader}'s: {', '.join(f'{host} at stratum {told[host][1]}' for host in told)}"
        )
    assert "serves no time" in lab.ssh("laptop1", "cat /etc/chrony/conf.d/altnet.conf")
