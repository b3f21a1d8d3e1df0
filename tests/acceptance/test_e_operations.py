"""Draining, stopping, limiting: what an operator does to one host among many."""

from __future__ import annotations

import json
import re
import time

import yaml

from . import lab, names
from .watched import watched

QUIET = dict.fromkeys(lab.addresses(), 0)


def next_hop(host: str, target: str) -> str:
    """Return the interface by which a host sends to another's loopback."""
    found = re.search(r" dev (\S+)", lab.ssh(host, f"ip -6 route get {lab.loopback(target)}"))
    assert found
    return found[1]


def carried(relay: str) -> int:
    """Return how many packets a relay forwards in a second."""
    look = "awk '/Ip6OutForwDatagrams/ {print $2}' /proc/net/snmp6"
    before, after = lab.ssh(relay, f"{look}; sleep 1; {look}").split()
    return int(after) - int(before)


def test_draining_a_relay_loses_nothing() -> None:
    """Traffic that goes through a relay leaves it before it stops: 50 pings a second both ways, none of them lost."""
    relay = next_hop("core1", "laptop1").removeprefix("an0-")
    assert relay in {"fra", "nyc"}
    with watched(["core1", "laptop1"], 0.02) as pings:
        assert carried(relay) > 20, "the pings do not go through the relay that is drained"
        drained = lab.playbook("playbooks/drain.yml", "-e", f"drain_host={relay}").ok()
        assert {host for host, count in drained.changed.items() if count} <= {relay, "fra"}
        assert drained.changed[relay] >= 1
        assert "65535, 0" in lab.ssh(relay, "grep GRACEFUL_SHUTDOWN /etc/bird/bird.conf").replace("65535,0", "65535, 0")
        time.sleep(2)
        assert next_hop("core1", "laptop1") != f"an0-{relay}", "traffic still goes through the drained relay"
        assert carried(relay) == 0, "traffic still goes through the drained relay"
        lab.ssh(relay, "systemctl stop bird")
        time.sleep(2)
        lab.ssh(relay, "systemctl start bird")
        back = lab.playbook("playbooks/undrain.yml", "-e", f"drain_host={relay}").ok()
        time.sleep(2)
    lab.show(f"drain {drained.seconds:.1f} s, undrain {back.seconds:.1f} s: {pings}")
    pings.check(gap_ms=200)
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert lab.playbook("site.yml").ok().changed == QUIET


def test_a_drained_host_stays_drained_through_a_run() -> None:
    lab.playbook("playbooks/drain.yml", "-e", "drain_host=sin").ok()
    try:
        assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET
        assert "relay, drained" in lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok().output
        again = lab.playbook("playbooks/drain.yml", "-e", "drain_host=sin").ok()
        assert again.changed == QUIET
    finally:
        lab.playbook("playbooks/undrain.yml", "-e", "drain_host=sin").ok()


def test_a_stop_file_makes_every_play_refuse_the_host() -> None:
    lab.ssh("core1", "echo 'disk is being replaced' > /etc/altnet/stop")
    ledger = (lab.INVENTORY / "ledger.json").read_text()
    try:
        done = lab.playbook("site.yml")
        assert done.status != 0
        assert "disk is being replaced" in done.output
        assert re.search(r"^core1 .*changed=0 .*failed=1", done.output, re.MULTILINE)
        for verb in ("drain", "leave"):
            arguments = ["-e", f"{verb}_host=core1", "-e", f"{verb}_confirm=core1"]
            done = lab.playbook(f"playbooks/{verb}.yml", *arguments)
            assert done.status != 0
            assert "host core1: /etc/altnet/stop: every play refuses this host: disk is being replaced" in done.output
        assert (lab.INVENTORY / "ledger.json").read_text() == ledger
    finally:
        lab.ssh("core1", "rm /etc/altnet/stop")
    assert lab.playbook("site.yml", *lab.FABRIC).ok().changed == QUIET


def test_leaving_cannot_happen_by_accident() -> None:
    """No name, no second name, another name, a limit without the host, a host that is still needed: refused."""
    ledger = (lab.INVENTORY / "ledger.json").read_text()
    cases = [
        ([], "leave_host: is not given"),
        (["-e", "leave_host=nobody"], "nobody is no host of this inventory"),
        (["-e", "leave_host=fra"], "add -e leave_confirm=fra"),
        (["-e", "leave_host=fra", "-e", "leave_confirm=sao", "--limit", "fra,nyc"], "add -e leave_confirm=fra"),
        (["-e", "leave_host=sin", "-e", "leave_confirm=sin", "--limit", "nyc"], "is outside the limit of this run"),
        # Somebody is led to it still: that has to be undone first.
        (["-e", "leave_host=fra", "-e", "leave_confirm=fra"], "altnet_anycast[0].origins: fra"),
    ]
    for arguments, told in cases:
        done = lab.playbook("playbooks/leave.yml", *arguments)
        assert done.status != 0
        assert told in done.output, done.output[-2000:]
    assert (lab.INVENTORY / "ledger.json").read_text() == ledger


def test_a_limited_run_asks_only_its_hosts_and_plans_for_all() -> None:
    """And the primary once, of whose zones a host that joins by a limited run becomes a part."""
    done = lab.playbook("site.yml", "--limit", "core1", "-vvv").ok()
    addresses = lab.addresses()
    assert set(done.executions) == {addresses["core1"], addresses[names.PRIMARY]}
    assert done.executions[addresses[names.PRIMARY]] == 1
    assert done.changed == {"core1": 0}


def test_each_layer_runs_by_its_tag() -> None:
    for tag in ("host", "fabric", "names", "trust", "people", "content"):
        done = lab.playbook("site.yml", "--tags", tag).ok()
        assert done.changed == QUIET
    lab.ssh("core1", "echo '# by hand' >> /etc/bird/bird.conf")
    assert lab.playbook("site.yml", "--tags", "host").ok().changed == QUIET
    assert lab.playbook("site.yml", "--tags", "bird").ok().changed == {**QUIET, "core1": 1}


def test_anycast_reaches_the_nearest_and_survives_one() -> None:
    """Two hosts may announce an address; a third reaches whichever is there; a host without the right changes nothing."""
    probe = {"name": "probe", "address_index": 99, "origins": ["core1", "core2"]}
    services = yaml.safe_load((lab.INVENTORY / "services.yml").read_text())["all"]["vars"]["altnet_anycast"]
    lab.playbook("site.yml", *lab.FABRIC, "-e", json.dumps({"altnet_anycast": [*services, probe]})).ok()
    address = f"{str(lab.ledger()['prefix']).removesuffix('/48')}2:63"
    ping = f"ping -6 -n -c 1 -W 2 {address} >/dev/null && echo ok || echo none"
    try:
        assert lab.ssh("sin", ping).strip() == "none"
        lab.ssh("laptop1", f"ip -6 addr add {address}/128 dev lo")
        time.sleep(2)
        assert lab.ssh("sin", ping).strip() == "none", "a host without the right announced an anycast address"
        for host in ("core1", "core2"):
            lab.ssh(host, f"ip -6 addr add {address}/128 dev lo")
        time.sleep(2)
        assert lab.ssh("sin", ping).strip() == "ok"
        lab.ssh("core1", f"ip -6 addr del {address}/128 dev lo")
        time.sleep(2)
        assert lab.ssh("sin", ping).strip() == "ok"
    finally:
        for host in ("core1", "core2", "laptop1"):
            lab.ssh(host, f"ip -6 addr del {address}/128 dev lo 2>/dev/null || true")
        lab.playbook("site.yml", *lab.FABRIC).ok()
