"""Tunnels are the kernel's, and what is on the wire is theirs."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from acceptance import lab

HOSTS = sorted(lab.addresses())
RELAYS = {"fra", "nyc", "sin"}
#: WireGuard gives a session up after this many seconds; an older handshake is no tunnel.
HANDSHAKE_MAX = 180


def tunnels(host: str) -> dict[str, str]:
    """Return a host's fabric interfaces, with the kind of device each is."""
    links = json.loads(lab.ssh(host, "ip -d -j link show"))
    return {
        link["ifname"]: link.get("linkinfo", {}).get("info_kind", "") for link in links if link["ifname"][:2] == "an"
    }


@pytest.mark.parametrize("host", HOSTS)
def test_every_tunnel_is_a_kernel_device(host: str) -> None:
    found = tunnels(host)
    assert len(found) == (4 if host in RELAYS else 2), found
    assert set(found.values()) == {"wireguard"}
    # A userspace implementation has a tun device, a process and a socket.
    assert lab.ssh(host, "ls -d /sys/class/net/*/tun_flags /var/run/wireguard/* 2>/dev/null; true") == ""
    assert lab.ssh(host, "ps -e -o comm= | grep -E 'wireguard-go|boringtun'; true") == ""
    assert lab.ssh(host, "dpkg-query -W -f '${db:Status-Status}' wireguard-go 2>/dev/null; true") != "installed"


@pytest.mark.parametrize("host", HOSTS)
def test_every_handshake_is_young_and_every_session_up(host: str) -> None:
    now, *rows = lab.ssh(host, "date +%s; wg show all latest-handshakes").splitlines()
    ages = {row.split("\t")[0]: int(now) - int(row.split("\t")[2]) for row in rows}
    assert set(ages) == set(tunnels(host))
    assert max(ages.values()) <= HANDSHAKE_MAX, ages
    sessions = [line.split() for line in lab.ssh(host, "birdc show protocols").splitlines() if " BGP " in line]
    assert len(sessions) == len(ages)
    assert all(session[-1] == "Established" for session in sessions), sessions
    bfd = [line for line in lab.ssh(host, "birdc show bfd sessions").splitlines() if line.startswith("fe80:")]
    assert len(bfd) == len(ages)
    assert all(" Up " in line for line in bfd), bfd


def test_only_the_tunnel_is_seen_on_the_wire() -> None:
    """A packet of the tunnel's full size leaves as one packet of the wire's full size, and its content is not in it."""
    size, marker = 1420 - 48, "a17ce0a1"
    captures = {
        device: subprocess.Popen(
            lab.ssh_argv("sin", f"timeout 8 tcpdump -n -U -i {device} -w /run/{device}.pcap {what} 2>/dev/null"),
            stdin=subprocess.DEVNULL,
        )
        for device, what in (("eth0", "udp portrange 10000-10099"), ("an0-fra", "icmp6"))
    }
    time.sleep(3)
    ping = f"ping -6 -n -c 5 -i 0.2 -M do -s {size} -p {marker} -I {lab.loopback('fra')} {lab.loopback('sin')}"
    assert " 0% packet loss" in lab.ssh("fra", ping)
    for capture in captures.values():
        capture.wait(timeout=30)
    look = (
        "import sys; data = open(sys.argv[1], 'rb').read();"
        f"print(data.count(bytes.fromhex('{marker}') * 8) > 0, len(data))"
    )
    inside = lab.ssh("sin", f'python3 -c "{look}" /run/an0-fra.pcap').split()
    outside = lab.ssh("sin", f'python3 -c "{look}" /run/eth0.pcap').split()
    # 60 bytes more over IPv4 and 80 over IPv6, and the 14 of Ethernet.
    lengths = lab.ssh("sin", "tcpdump -n -e -r /run/eth0.pcap 2>/dev/null | grep -cE 'length (1494|1514):'; true")
    lab.ssh("sin", "rm /run/eth0.pcap /run/an0-fra.pcap")
    assert inside[0] == "True", "the capture in the tunnel missed the pings, so the one outside proves nothing"
    assert outside[0] == "False", "the pings' content is readable on the wire"
    assert int(outside[1]) > 5 * size
    assert int(lengths) >= 5, "full packets were not sent whole"
