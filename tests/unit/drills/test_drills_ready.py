"""What the drills know of the lab before they break anything."""

from __future__ import annotations

from acceptance import lab
from drills import ready


def test_a_host_is_in_one_region_whatever_else_it_does() -> None:
    regions = ready.regions()
    hosts = [host for members in regions.values() for host in members]
    assert len(hosts) == len(set(hosts))
    assert regions["eu"] == ["fra", "core1", "laptop1"]
    assert set(ready.relays()) < set(lab.addresses())
