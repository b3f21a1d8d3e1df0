"""The pinger as it runs on a host: one process, standard library, told when to begin and when to end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from drills import pinger


def raw_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not raw_sockets(), reason="needs raw sockets; `make test` runs as root")
def test_every_ping_has_a_fate() -> None:
    """::1 answers, an address of documentation does not, and both are counted."""
    given = {"source": "::1", "targets": {"near": "::1", "far": "2001:db8::1"}, "interval": 0.02, "wait": 0.3}
    process = subprocess.Popen(
        [sys.executable, pinger.__file__, json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "READY\n"
    process.stdin.write("\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    out, _ = process.communicate("\n", timeout=30)
    report = json.loads(out)
    near = {fate: sum(n for name, n in report["near"] if name == fate) for fate in pinger.NAMES}
    far = {fate: sum(n for name, n in report["far"] if name == fate) for fate in pinger.NAMES}
    assert near["ok"] > 0
    assert near["lost"] == far["ok"] == 0
    assert far["lost"] > 0
    assert abs(sum(near.values()) - sum(far.values())) <= 1
