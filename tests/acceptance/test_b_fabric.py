"""What the fabric gives: every host reaches every other, over several hops, and nothing else answers."""

from __future__ import annotations

import re
import socket

import pytest

from . import lab

HOSTS = sorted(lab.addresses())


def test_every_host_reaches_every_other() -> None:
    for source in HOSTS:
        targets = [lab.loopback(target) for target in HOSTS if target != source]
        answered = lab.ssh(
            source,
            f"for a in {' '.join(targets)}; do ping -6 -n -c 1 -W 3 -I {lab.loopback(source)} $a >/dev/null && echo ok; done",
        )
        assert answered.split() == ["ok"] * len(targets)


def test_packets_cross_several_hops() -> None:
    """core2 and laptop1 have no tunnel with each other; a router on the way answers for the packet that expires there."""
    out = lab.ssh("core2", f"ping -6 -n -c 1 -t 1 -W 3 -I {lab.loopback('core2')} {lab.loopback('laptop1')} || true")
    assert "Time exceeded" in out
    lab.reaches("core2", "laptop1")


def test_large_packets_pass_and_tcp_is_clamped() -> None:
    """The tunnels' MTU is 1420: a packet of that size passes unfragmented, and a larger one is refused at once."""
    size = 1420 - 48
    lab.ssh("core2", f"ping -6 -n -c 1 -W 3 -M do -s {size} -I {lab.loopback('core2')} {lab.loopback('laptop1')}")
    too_large = lab.ssh(
        "core2",
        f"ping -6 -n -c 1 -W 3 -M do -s {size + 1} -I {lab.loopback('core2')} {lab.loopback('laptop1')} || true",
    )
    assert "1 received" not in too_large
    rules = lab.ssh("fra", "nft list chain inet altnet forward")
    assert "maxseg size set rt mtu" in rules


def test_the_nat_is_real() -> None:
    """Nobody reaches core2 first over the underlay; it reaches others, seen with its router's address."""
    assert "0 received" in lab.ssh("fra", "ping -c 1 -W 1 10.78.0.22 || true")
    # `wg show endpoints` prints the peer as its packets came.
    assert "10.77.0.2:" in lab.ssh("nyc", "wg show an0-core2 endpoints")


def test_laptop_has_no_ipv6_underlay_and_uses_ipv4() -> None:
    assert "2001:db8" not in lab.ssh("laptop1", "ip -6 -o addr show dev eth0 || true")
    assert re.search(r"\t10\.77\.0\.1[123]:", lab.ssh("laptop1", "wg show all endpoints"))


@pytest.mark.parametrize("host", [host for host in HOSTS if host != "core2"])
def test_the_underlay_answers_on_ssh_only(host: str) -> None:
    address = lab.addresses()[host]
    assert socket.create_connection((address, 22), timeout=5)
    lab.ssh(host, "systemd-run --quiet --collect --unit=lab-listener /usr/bin/python3 -m http.server 8099 --bind ::")
    try:
        with pytest.raises(TimeoutError):
            socket.create_connection((address, 8099), timeout=1.5)
        # The same service answers over the fabric: the firewall is the underlay's.
        other = "fra" if host != "fra" else "nyc"
        lab.ssh(other, f"python3 -c \"import socket; socket.create_connection(('{lab.loopback(host)}', 8099), 5)\"")
    finally:
        lab.ssh(host, "systemctl stop lab-listener")


def test_non_relays_carry_nothing() -> None:
    """core1 has tunnels with two relays and forwards between none of them."""
    out = lab.ssh("core1", "sysctl -n net.ipv6.conf.all.forwarding; nft list chain inet altnet forward").split("\n", 1)
    assert out[0] == "0"
    assert re.search(r'iifname \{ "an0-\*", "an1-\*" \} oifname \{ "an0-\*", "an1-\*" \} drop', out[1])


def test_a_host_comes_back_after_a_reboot() -> None:
    lab.machine("restart", "fra")
    for _ in range(60):
        if "ready" in lab.ssh("fra", "echo ready", check=False):
            break
    seconds = lab.reaches("fra", "core2", wait=60)
    lab.show(f"fra reaches core2 {seconds:.1f} s after its ssh was back")
    assert lab.playbook("site.yml").ok().changed == dict.fromkeys(lab.addresses(), 0)
    lab.playbook("playbooks/check.yml", "-e", "check_wait=20").ok()


def test_losing_a_relay_is_noticed_by_bfd() -> None:
    """Packets that a relay silently no longer passes find another way within seconds, by no operator's hand."""
    lab.ssh("core1", "true")
    target, source = lab.loopback("core1"), lab.loopback("nyc")
    lab.ssh("nyc", f"ping -6 -n -c 1 -W 3 -I {source} {target}")
    lab.ssh(
        "core1",
        "nft 'add table inet lab_cut; add chain inet lab_cut in { type filter hook input priority -300; };"
        " add chain inet lab_cut out { type filter hook output priority -300; };"
        " add rule inet lab_cut in udp dport 10002 drop; add rule inet lab_cut out udp sport 10002 drop'",
    )
    try:
        out = lab.ssh("nyc", f"ping -6 -n -i 0.02 -c 250 -W 1 -I {source} {target} | tail -3 || true")
        lost = re.search(r"(\d+) packets transmitted, (\d+) received", out)
        assert lost, out
        missing = int(lost[1]) - int(lost[2])
        lab.show(
            f"nyc to core1 while core1's tunnel with fra is cut silently: {missing} of {lost[1]} pings lost (20 ms apart)"
        )
        assert missing < 150
        lab.reaches("fra", "core1")
    finally:
        lab.ssh("core1", "nft delete table inet lab_cut")
    # A session that failed before rests for up to bird_error_wait_max, a minute, before it tries again.
    lab.playbook("playbooks/check.yml", "-e", "check_wait=90").ok()


def test_the_firewall_survives_debians_nftables_service() -> None:
    """It flushes every table when it restarts, reloads or stops; ours is there again each time."""
    for verb in ("restart", "reload", "stop"):
        lab.ssh("sin", f"systemctl {verb} nftables && nft list chain inet altnet input")
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == dict.fromkeys(lab.addresses(), 0)


def test_router_advertisements_are_kept_before_forwarding_is_switched_on() -> None:
    """A kernel that forwards drops the default routes it learnt, unless accept_ra was 2 before."""
    predicted = lab.playbook(
        "site.yml", "--limit", "fra", "--tags", "host", "--check", "--diff", "-e", '{"base_ra_interfaces": ["eth0"]}'
    ).ok()
    accept, forward = (
        predicted.output.index(text)
        for text in ("net/ipv6/conf/eth0/accept_ra = 2", "net/ipv6/conf/all/forwarding = 1")
    )
    assert accept < forward
