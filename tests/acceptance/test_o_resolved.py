"""A machine that keeps systemd-resolved: it swallows .alt, and has the second TLD by the commands that the docs give."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from altnet.addressing import reverse_zone

from . import lab, names

HOST = names.CLIENT
PAGE = (lab.ROOT / "docs" / "concepts" / "resolving.md").read_text()
KEPT = "/run/resolv.conf.kept"


def commands(tunnel: str) -> list[str]:
    """Return the page's commands as a member of this network types them."""
    ours = {
        "fd12:3456:789a::2:53": names.anycast(),
        "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa": reverse_zone(str(lab.ledger()["prefix"])),
        "wg-neo": tunnel,
    }
    found = re.findall(r"^# (resolvectl .*)$", PAGE, re.MULTILINE)
    for example, own in ours.items():
        found = [command.replace(example, own) for command in found]
    return found


@pytest.fixture(scope="module")
def resolved() -> Iterator[None]:
    """The machine as its distribution made it, with the tunnel of a member: one that has the machine's address."""
    way = re.search(r" dev (\S+)", lab.ssh(HOST, f"ip -6 route get {names.anycast()}"))
    assert way
    tunnel = way[1]
    lab.ssh(HOST, f"cp -a /etc/resolv.conf {KEPT}")
    try:
        lab.ssh(HOST, "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
        lab.ssh(HOST, f"ip -6 addr add {lab.loopback(HOST)}/128 dev {tunnel} nodad")
        lab.ssh(HOST, "systemctl start systemd-resolved || { journalctl --no-pager -u systemd-resolved; exit 1; }")
        for command in commands(tunnel):
            lab.ssh(HOST, command)
        yield
    finally:
        lab.ssh(HOST, "systemctl stop systemd-resolved", check=False)
        lab.ssh(HOST, f"ip -6 addr del {lab.loopback(HOST)}/128 dev {tunnel}", check=False)
        lab.ssh(HOST, f"cp -a --remove-destination {KEPT} /etc/resolv.conf && rm {KEPT}")
    assert lab.playbook("site.yml", "--limit", HOST).ok().changed == {HOST: 0}


def test_the_second_tld_is_answered(resolved: None) -> None:
    assert len(commands("x")) == 2
    said = lab.ssh(HOST, "resolvectl query --legend=no fra.net.neo")
    assert lab.loopback("fra") in said
    # As every other program asks, and the other way round.
    assert lab.loopback("fra") in lab.ssh(HOST, "getent ahostsv6 fra.net.neo")
    assert "fra.net.alt" in lab.ssh(HOST, f"resolvectl query --legend=no {lab.loopback('fra')}")
    assert "resolver.net.neo resolves" in lab.ssh(HOST, "altnet-doctor --name resolver.net.neo")


def test_the_doctor_says_who_swallows_the_first(resolved: None) -> None:
    assert lab.loopback("fra") not in lab.ssh(HOST, "resolvectl query fra.net.alt; getent ahostsv6 fra.net.alt; true")
    done = lab.playbook("playbooks/doctor.yml")
    assert done.status != 0
    words = " ".join(done.output.split())
    assert f"host {HOST}: systemd-resolved swallows every name under .alt, as RFC 9476 asks of it" in words
    assert "or use the same names under .neo" in words
    told = lab.ssh(HOST, "altnet-doctor", check=False).splitlines()
    lab.show(told)
    assert len(told) == 1


def test_the_role_mends_a_host_of_the_network(resolved: None) -> None:
    done = lab.playbook("site.yml", "--tags", "client", "--limit", HOST).ok()
    assert done.changed == {HOST: 1}
    assert lab.ssh(HOST, "test ! -L /etc/resolv.conf && getent ahostsv6 fra.net.alt").startswith(lab.loopback("fra"))
    told = lab.playbook("playbooks/doctor.yml").ok()
    lab.show(re.findall(r"resolver\.net\.alt resolves.*", told.output)[:1])
