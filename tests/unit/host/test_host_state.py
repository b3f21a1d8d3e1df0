"""What wg and birdc say."""

from __future__ import annotations

import time

import pytest
from host_fakes import Fake

from altnet.host import state

KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
BIRD = """/bin/cat <<'END'
BIRD 2.17 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     2025-01-01 10:00:00
an0_nyc    BGP        ---        up     2025-01-01 10:00:00  Established
an0_sin    BGP        ---        start  2025-01-01 10:00:00  Active        Socket: Connection refused
an0_sao    BGP        ---        down   2025-01-01 10:00:00
kernel6    Kernel     master6    up     2025-01-01 10:00:00
END"""


def test_tunnels(fake: Fake) -> None:
    now = int(time.time())
    stamps = {"an0-nyc": now - 40, "an0-sin": 0, "an0-sao": now + 9}
    lines = "\\n".join(f"{interface}\\t{KEY}\\t{stamp}" for interface, stamp in stamps.items())
    fake("wg", f'[ "$*" = "show all latest-handshakes" ] && printf "{lines}\\n"')
    found = state.tunnels()
    assert {name: entry["kernel"] for name, entry in found.items()} == dict.fromkeys(stamps, True)
    assert found["an0-nyc"]["age"] in {40, 41, 42}
    assert found["an0-sin"]["age"] is None
    assert found["an0-sao"]["age"] == 0, "a clock that was set back"


def test_sessions(fake: Fake) -> None:
    fake("birdc", f'[ "$*" = "show protocols" ] && {BIRD}')
    assert state.bgp_sessions() == {"an0_nyc": "Established", "an0_sin": "Active", "an0_sao": "down"}


@pytest.mark.parametrize("script", ["", "echo 'Unable to connect to server control socket' >&2; exit 1"])
def test_a_daemon_that_is_not_there(fake: Fake, script: str) -> None:
    if script:
        fake("wg", script)
        fake("birdc", script)
    assert state.tunnels() == {}
    assert state.bgp_sessions() == {}
