"""One line of inventory joins a relay; one playbook removes it for good."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

from . import lab, names

ALL = [*lab.addresses(), "sao"]
NEIGHBOURS = {"fra", "nyc", "sin"}
#: Goal, in seconds, from the command to the first answer over the mesh.
FIRST_ANSWER_MAX = 60


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Predict the joining of sao, then join it, with pings to its future address all the while."""
    with lab.network_copy(tmp_path_factory.mktemp("network")) as network:
        lab.join_sao(network)
        text = (network / "ledger.json").read_text()
        before = {host: lab.state(host) for host in ALL}
        predicted = lab.playbook("site.yml", "--check", "--diff", inventory=network).ok()
        untouched = {host: lab.state(host) for host in ALL}
        assert (network / "ledger.json").read_text() == text, "check mode wrote the ledger"
        first: list[float] = []
        stop = threading.Event()
        start = time.monotonic()

        def watch() -> None:
            prefix = str(json.loads(text)["prefix"]).removesuffix("/48")
            number = 1 + max(host["id"] for host in json.loads(text)["hosts"].values())
            command = lab.ssh_argv("core1", f"ping -6 -n -c 1 -W 1 {prefix}{number:x}")
            while not stop.is_set() and not first:
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    first.append(time.monotonic() - start)
                time.sleep(0.2)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            done = lab.playbook("site.yml", "--diff", inventory=network)
        finally:
            time.sleep(2)
            stop.set()
            watcher.join()
        try:
            yield {
                "network": network, "predicted": predicted, "before": before, "untouched": untouched, "run": done.ok(),
                "first": first, "ledger": text,
            }  # fmt: skip
        finally:
            # The last test has it leave; where that failed, the next file finds the lab without it all the same.
            if "left" not in lab.ledger(network)["hosts"]["sao"]:
                lab.playbook(
                    "playbooks/leave.yml", "-e", "leave_host=sao", "-e", "leave_confirm=sao", inventory=network
                ).ok()


def written(output: str) -> dict[str, set[str]]:
    """Return the files (and tunnel sets) a run with --diff shows as changed, by host."""
    files: dict[str, set[str]] = {}
    pending: set[str] = set()
    for line in output.splitlines():
        if match := re.match(r"\+\+\+ after: (\S+)", line):
            pending.add(match[1])
        elif match := re.match(r"changed: \[([^\]]+)\]", line):
            files.setdefault(match[1], set()).update(pending)
            pending = set()
    return {host: {file for file in names if not file.endswith("ledger.json")} for host, names in files.items()}


def test_check_mode_touches_nothing(joined: dict[str, object]) -> None:
    assert joined["before"] == joined["untouched"]


def test_check_mode_predicts_hosts_and_files(joined: dict[str, object]) -> None:
    predicted, run = joined["predicted"], joined["run"]
    assert isinstance(predicted, lab.Run)
    assert isinstance(run, lab.Run)
    will = {host for host, count in predicted.changed.items() if count}
    did = {host for host, count in run.changed.items() if count}
    assert will == did == {*NEIGHBOURS, "sao"}
    files = written(run.output)
    assert written(predicted.output) == files
    assert all({"/etc/bird/bird.conf", "/etc/altnet/firewall.nft"} <= files[host] for host in did)
    lab.show({host: sorted(files) for host, files in written(run.output).items()})


def test_only_neighbours_change(joined: dict[str, object]) -> None:
    before = joined["before"]
    assert isinstance(before, dict)
    for host in set(lab.addresses()) - NEIGHBOURS:
        was, now = (re.split(r" (?=/)|\n", but_zones(state)) for state in (before[host], lab.state(host)))
        changes = [line for line in difflib.unified_diff(was, now, "before", "after", n=0) if line[0] in "+-"]
        assert not changes, (host, changes)


def but_zones(state: str) -> str:
    """Return a host's state without the primary's note of which zones it was asked for: the new host is in them."""
    note = re.escape("/var/lib/altnet/pdns_zones/order.json")
    return re.sub(rf"{note} \S+ \S+ \S+ \S+ |\S+  {note}\n", "", state)


def test_it_is_reached_soon(joined: dict[str, object]) -> None:
    first, run = joined["first"], joined["run"]
    assert first, "core1 did not reach sao at all"
    lab.show(f"sao: first answer {first[0]:.1f} s after the command, the run took {run.seconds:.1f} s")
    assert first[0] <= FIRST_ANSWER_MAX


def test_all_reach_it(joined: dict[str, object]) -> None:
    network = joined["network"]
    assert isinstance(network, Path)
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=20", inventory=network).ok()
    assert "42 of 42 ordered pairs" in told.output
    lab.show(told.output[told.output.index("Network ") :])


def test_the_ledger_only_gains(joined: dict[str, object]) -> None:
    network, text = joined["network"], joined["ledger"]
    assert isinstance(network, Path)
    assert isinstance(text, str)
    after = (network / "ledger.json").read_text()
    diff = list(difflib.unified_diff(text.splitlines(), after.splitlines(), lineterm="", n=0))
    lab.show("\n".join(diff))
    assert [line for line in diff if line.startswith("-") and not line.startswith("---")] == []


def test_z_it_leaves_for_good(joined: dict[str, object]) -> None:
    network, before = joined["network"], joined["before"]
    assert isinstance(network, Path)
    assert isinstance(before, dict)
    unsure = lab.playbook("playbooks/leave.yml", "-e", "leave_host=sao", inventory=network)
    assert unsure.status != 0
    assert "add -e leave_confirm=sao" in unsure.output
    left = lab.playbook(
        "playbooks/leave.yml", "-e", "leave_host=sao", "-e", "leave_confirm=sao", inventory=network
    ).ok()
    lab.show(f"leave: {left.seconds:.1f} s")
    hosts = lab.ledger(network)["hosts"]
    assert hosts["sao"] == {"id": hosts["sao"]["id"], "label": "sao", "left": True}
    for host in lab.addresses():
        found = lab.ssh(
            host,
            "grep -rl sao /etc/bird /etc/wireguard /etc/altnet; ip -o link | grep sao; birdc show protocols | grep sao; true",
        )
        assert found == "", f"{host} still knows sao: {found}"
    leftovers = lab.ssh(
        "sao",
        "ls -d /etc/altnet /var/lib/altnet /etc/wireguard/* /etc/bird/bird.conf /etc/systemd/system/altnet* 2>/dev/null;"
        " nft list table inet altnet 2>/dev/null; ip -o link | grep an0; ip -o -6 addr show dev lo | grep -v ' ::1/';"
        " systemctl is-active bird.service altnet-host.service | grep -x active; sysctl net.ipv6.conf.all.forwarding | grep 1; true",
    )
    assert leftovers == "", leftovers
    again = lab.playbook("site.yml", inventory=network)
    assert again.status != 0
    assert re.search(r"host sao: .*left.*Remedy:", again.output), again.output[-2000:]
    twice = lab.playbook(
        "playbooks/leave.yml", "-e", "leave_host=sao", "-e", "leave_confirm=sao", inventory=network
    ).ok()
    assert not any(twice.changed.values()), "leaving twice changes something"
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=20").ok()
    assert "30 of 30 ordered pairs" in told.output
    names.becomes("NXDOMAIN AD", "+dnssec sao.net.alt AAAA")
    assert lab.playbook("site.yml").ok().changed == dict.fromkeys(lab.addresses(), 0)


def test_zz_a_host_that_is_gone_leaves_without_being_asked(tmp_path: Path) -> None:
    """sao joins under a new network copy, its machine dies, and the others forget it all the same."""
    with lab.network_copy(tmp_path) as network:
        lab.join_sao(network)
        lab.playbook("site.yml", inventory=network).ok()
        lab.machine("kill", "sao")
        try:
            left = lab.playbook(
                "playbooks/leave.yml", "-e", "leave_host=sao", "-e", "leave_confirm=sao", "-e", "leave_dead=true",
                inventory=network,
            ).ok()  # fmt: skip
            assert left.changed.get("sao", 0) == 0
            assert lab.ledger(network)["hosts"]["sao"]["left"] is True
            for host in NEIGHBOURS:
                assert lab.ssh(host, "ip -o link | grep sao; true") == ""
        finally:
            lab.machine("boot", "sao")
            for _ in range(60):
                if "in" in lab.ssh("sao", "echo in", check=False):
                    break
                time.sleep(0.5)
        # It came back after all: the same playbook cleans it.
        lab.playbook(
            "playbooks/leave.yml", "-e", "leave_host=sao", "-e", "leave_confirm=sao", inventory=network
        ).ok()  # fmt: skip
        assert lab.ssh("sao", "ip -o link | grep an0; ls -d /etc/altnet 2>/dev/null; true") == ""
    lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok()
