"""Whether an older tunnel may go, from what wg, birdc and ip say."""

from __future__ import annotations

import json

import pytest
from host_fakes import Fake

from altnet.host.handover import Pair, route_devices, wait

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
PAIR = Pair("nyc", "an0-nyc", "an0_nyc", "an1-nyc", "an1_nyc")
SESSION = """{name}    BGP        ---        up     2026-11-26T10:00:00+0000  {state}
  Channel ipv6
    Routes:         6 imported, 0 filtered, 6 exported, {preferred} preferred
"""
ROUTES = [
    {"dst": "fd00::2", "dev": "an1-nyc", "protocol": "bird"},
    {"dst": "fe80::/64", "dev": "an0-nyc", "protocol": "kernel"},
    {"type": "unreachable", "dst": "fd00::/48", "dev": "lo", "protocol": "bird"},
]
LEFT = {"dst": "fd00::3", "dev": "an0-nyc", "protocol": "bird"}
SHARED = {"dst": "fd00::4", "protocol": "static", "nexthops": [{"dev": "an1-nyc"}, {"dev": "an0-nyc"}]}


def world(fake: Fake, stamp: int = 1, state: str = "Established", preferred: int = 0, routes: object = ROUTES) -> None:
    fake("wg", f'printf "an1-nyc\\t{KEY}\\t{stamp}\\n"')
    shown = SESSION.format(name="an0_nyc", state="Established", preferred=preferred)
    shown += SESSION.format(name="an1_nyc", state=state, preferred=2)
    fake("birdc", f"/bin/cat <<'END'\n{shown}END")
    fake("ip", f"/bin/cat <<'END'\n{json.dumps(routes)}\nEND")


def test_traffic_has_moved(fake: Fake) -> None:
    world(fake)
    seen = wait([PAIR], 5)
    assert seen.waiting == {"nyc": ""}
    assert seen.established == ("an0_nyc", "an1_nyc")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stamp": 0}, "no handshake on an1-nyc"),
        ({"state": "Active"}, "BGP session an1_nyc is Active"),
        ({"preferred": 3}, "BIRD prefers 3 routes of an0_nyc"),
        ({"routes": [*ROUTES, LEFT]}, "fd00::3 is sent by an0-nyc"),
        ({"routes": [*ROUTES, LEFT, SHARED]}, "fd00::3 and 1 more is sent by an0-nyc"),
    ],
)
def test_what_keeps_the_older_tunnel(fake: Fake, changed: dict[str, object], reason: str) -> None:
    world(fake, **changed)  # type: ignore[arg-type]
    assert wait([PAIR], 0).waiting == {"nyc": reason}


def test_a_host_without_its_daemons_keeps_everything(fake: Fake) -> None:
    assert wait([PAIR], 0).waiting == {"nyc": "no handshake on an1-nyc; BGP session an1_nyc is missing"}


def test_routes_of_several_hops_count_for_each() -> None:
    assert route_devices(json.dumps([SHARED])) == {"an1-nyc": ["fd00::4"], "an0-nyc": ["fd00::4"]}
    assert route_devices("") == {}
