"""Hosts that reboot, lose power or freeze: the network goes on, and they come back by themselves."""

from __future__ import annotations

import re
import time

from acceptance import lab
from drills.watch import watch

QUIET = dict.fromkeys(lab.addresses(), 0)


def whole() -> None:
    """Every host reaches every other, and nothing is left for a run to change."""
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert lab.playbook("site.yml").ok().changed == QUIET


def carrier(host: str, target: str) -> str:
    """Return the relay by which a host sends to another's loopback."""
    found = re.search(r" dev an\d-(\S+)", lab.ssh(host, f"ip -6 route get {lab.loopback(target)}"))
    assert found
    return found[1]


def test_a_host_that_loses_power_comes_back_by_itself() -> None:
    boot = lab.ssh("nyc", "cat /proc/sys/kernel/random/boot_id")
    lab.machine("kill", "nyc")
    lab.reaches("core2", "fra", wait=60)
    start = time.monotonic()
    lab.machine("boot", "nyc")
    up = time.monotonic() - start
    lab.reaches("nyc", "core2", wait=120)
    lab.show(f"nyc: ssh {up:.1f} s after power, core2 reached {time.monotonic() - start:.1f} s after power")
    assert lab.ssh("nyc", "cat /proc/sys/kernel/random/boot_id") != boot
    lab.reaches("core1", "nyc", wait=60)
    whole()


def test_a_frozen_relay_is_left_at_once_and_taken_back() -> None:
    """A relay stops without a word, cable in: nobody is told, BFD notices. What it carried takes another way."""
    relay = carrier("core1", "laptop1")
    with watch(["core1", "laptop1"], 0.02) as pings:
        time.sleep(3)
        lab.machine("freeze", relay)
        try:
            time.sleep(15)
            end = pings.now
            seen = pings.stop().window(0, end)
        finally:
            lab.machine("thaw", relay)
    lab.show(f"{relay} frozen: {seen.lost} of {seen.sent} pings lost, longest gap {seen.gap_ms:.0f} ms")
    assert seen.lost > 0, "nothing was lost: the pings did not go through the frozen relay"
    assert seen.gap_ms < 10_000, "the network did not leave the frozen relay"
    lab.reaches("core1", relay, wait=60)
    whole()
