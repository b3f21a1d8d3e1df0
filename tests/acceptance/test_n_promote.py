"""The primary's disk is lost, with the host and without it: every name and every DS is answered as before, validated.

Some of the names are in no inventory, as a registry's will be: a copy of the lab's declared them once, and only the data
hold them.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from . import lab, names, zonecheck
from .names import CLIENT, PRIMARY, RESOLVERS

NEXT = "fra"
DATA = "/var/lib/altnet-dns"
MEMORY = "/var/lib/altnet/pdns_zones"
HELD = [
    {
        "name": "held.alt",
        "ttl": 300,
        "records": [{"name": "www", "type": "AAAA", "values": ["fd12:3456:789a::81"]}],
    },
    {"name": "alt", "ttl": 300, "records": [{"name": "mark", "type": "TXT", "values": ["of a member"]}]},
]
QUESTIONS = (
    "fra.net.alt. AAAA", "core2.net.neo. AAAA", "www.example.alt. AAAA", "www.held.alt. AAAA", "mark.alt. TXT",
    "net.alt. DS", "example.alt. DS", "example.neo. DS", "held.alt. DS", "nobody.alt. AAAA",
)  # fmt: skip
#: Seconds that a client may be without a validated answer while servers change sides; the machine may be busy.
SILENCE_MAX = 10.0
PATIENCE = 0.5
BACK_MAX = 60


@pytest.fixture(scope="module", autouse=True)
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Zones and records that no inventory declares; afterwards the lab is as it was."""
    with lab.network_copy(tmp_path_factory.mktemp("network")) as network:
        names.declare(network, HELD)
        names.publish(network)
    yield
    wait_for(PRIMARY)
    if str(lab.ledger().get("dns_primary") or PRIMARY) != PRIMARY:
        promote(PRIMARY)
    names.prune(lab.INVENTORY)
    lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok()


def promote(host: str, *args: str) -> lab.Run:
    return lab.playbook("playbooks/promote.yml", "-e", f"promote_host={host}", *args).ok()


def answers() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return what the client is told, by question: the rcode with AD, and the records' data."""
    found = {}
    for question in QUESTIONS:
        text = names.dig(CLIENT, "+adflag", "+noauthority", question)
        lines = [line.split(None, 4) for line in text.splitlines() if line and not line.startswith(";")]
        found[question] = (names.status(text), tuple(sorted(words[4] for words in lines if len(words) == 5)))
    return found


def delegations(host: str) -> list[str]:
    """Return the DS records that a host's own server has, past every cache."""
    asked = " ".join(question for question in QUESTIONS if "DS" in question)
    return sorted(names.dig(host, "@::1", "-p", "5300", "+norec", "+short", asked).splitlines())


def same(wanted: dict[str, Any], seconds: float) -> None:
    """See that the client is told the same; one question may be asked at a moment between two servers."""
    deadline = time.monotonic() + seconds
    while (now := answers()) != wanted:
        assert time.monotonic() < deadline, {key: (now[key], wanted[key]) for key in now if now[key] != wanted[key]}


def test_before_anything_is_lost() -> None:
    told = answers()
    assert {status for status, _ in told.values()} == {"NOERROR AD", "NXDOMAIN AD"}
    assert all(records for status, records in told.values() if status == "NOERROR AD")


@contextlib.contextmanager
def lost(host: str, role: str) -> Iterator[None]:
    """A host whose zones are gone, and what it remembers of them; afterwards they are there again."""
    lab.ssh(host, f"systemctl stop pdns; mv {DATA}/{role} {DATA}/aside; rm -rf {MEMORY}; systemctl start pdns")
    try:
        yield
    finally:
        lab.ssh(host, f"systemctl stop pdns; rm -r {DATA}/{role}; mv {DATA}/aside {DATA}/{role}; systemctl start pdns")


@contextlib.contextmanager
def stopped(*hosts: str) -> Iterator[None]:
    """Name servers that say nothing."""
    for host in hosts:
        lab.ssh(host, "systemctl stop pdns")
    try:
        yield
    finally:
        for host in hosts:
            lab.ssh(host, "systemctl start pdns")


def test_a_primary_that_has_lost_its_zones_publishes_nothing() -> None:
    before = answers()
    with lost(PRIMARY, "primary"):
        refused = lab.playbook("site.yml", "--tags", "authoritative")
        time.sleep(6)  # a secondary that is to follow would have by now
        same(before, 0)
    told = " ".join(refused.output.split())
    assert refused.status != 0
    assert "dns_authoritative_start_anew: this primary has lost its zones" in told, refused.output[-3000:]
    assert "held.alt. DS" in told
    assert "which the inventory does not declare" in told
    assert "-e promote_host=" in told
    again = lab.playbook("site.yml", "--tags", "authoritative", "--diff").ok()
    assert again.changed == dict.fromkeys(lab.addresses(), 0), again.changes


def test_a_primary_installed_anew_publishes_nothing_while_no_secondary_answers() -> None:
    before = answers()
    with lost(PRIMARY, "primary"):
        with stopped(*RESOLVERS):
            refused = lab.playbook("site.yml", "--tags", "authoritative", "--limit", PRIMARY)
        same(before, BACK_MAX)
        catalog = names.dig(PRIMARY, "@::1", "-p", "5300", "+norec", "catalog.invalid.", "SOA")
    assert refused.status != 0
    told = " ".join(refused.output.split())
    assert "no secondary says what there was; no word from" in told, refused.output[-3000:]
    assert "status: REFUSED" in catalog, "it was made, and the secondaries would have followed it"
    again = lab.playbook("site.yml", "--tags", "authoritative", "--diff").ok()
    assert again.changed == dict.fromkeys(lab.addresses(), 0), again.changes


def test_a_host_that_holds_no_zones_is_not_promoted() -> None:
    before, ledger = answers(), lab.ledger()
    # Without the primary it cannot fetch them again.
    with stopped(PRIMARY), lost(NEXT, "secondary"):
        refused = lab.playbook("playbooks/promote.yml", "-e", f"promote_host={NEXT}")
    assert refused.status != 0
    assert "promote_host: this host holds no zones" in " ".join(refused.output.split()), refused.output[-3000:]
    assert lab.ledger() == ledger
    same(before, BACK_MAX)


def test_another_host_becomes_the_primary_without_the_former_ones_disk() -> None:
    before, zones, trust = answers(), zonecheck.zones(PRIMARY), delegations(NEXT)
    assert len(trust) == sum("DS" in question for question in QUESTIONS)
    lab.ssh(PRIMARY, f"systemctl kill -s KILL pdns; systemctl stop pdns; rm -rf {DATA}")
    lab.machine("kill", PRIMARY)
    try:
        same(before, 0)
        with asked("www.held.alt. AAAA", "fra.net.alt. AAAA", "held.alt. DS") as silence:
            done = promote(NEXT, "--limit", f"!{PRIMARY}")
            same(before, 10)
        assert (zonecheck.zones(NEXT), delegations(NEXT)) == (zones, trust)
    finally:
        lab.machine("boot", PRIMARY)
    lab.show(
        f"{PRIMARY} is off and its disk gone, {NEXT} is the primary: {done.seconds:.1f} s, same {len(QUESTIONS)} answers and "
        f"DS with AD; asked 10 times a second meanwhile, longest silence by name: {shown(silence)}"
    )
    assert max(silence.values()) <= SILENCE_MAX
    come_back(zones)
    same(before, 10)
    with asked("www.held.alt. AAAA", "held.alt. DS") as silence:
        done = promote(PRIMARY)
        same(before, 10)
    lab.show(f"back at {PRIMARY}: {done.seconds:.1f} s, longest silence by name: {shown(silence)}")
    assert max(silence.values()) <= SILENCE_MAX
    for host in (PRIMARY, *RESOLVERS):
        assert (zonecheck.zones(host), delegations(host)) == (zones, trust)
    again = lab.playbook("site.yml", "--diff").ok()
    assert again.changed == dict.fromkeys(lab.addresses(), 0), again.changes


@contextlib.contextmanager
def asked(*questions: str) -> Iterator[dict[str, float]]:
    """Ask all the while, and fill in for how long at most a question had no validated answer; no other answer may come."""
    silence: dict[str, float] = {}
    settings = {"seconds": 600, "patience": PATIENCE, "every": 0.1}
    with contextlib.ExitStack() as stack:
        watchers = {}
        for question in questions:
            name, kind = question.split()
            watchers[question] = stack.enter_context(
                names.watched(CLIENT, name, names.anycast(), kind=kind, **settings)
            )  # fmt: skip
        first = {question: answered(watcher) for question, watcher in watchers.items()}
        yield silence
        for question, watcher in watchers.items():
            end = time.time()
            told = map(json.loads, names.ended(watcher).splitlines())
            lines = [first[question], *(line for line in told if "values" in line)]
            assert {str(line["values"]) for line in lines} <= {str(first[question]["values"]), "None"}, lines
            until = [line["at"] for line in lines[1:]] + [end]
            gaps = [after - line["at"] for line, after in zip(lines, until, strict=True) if line["values"] is None]
            silence[question] = max((gap + PATIENCE for gap in gaps), default=0.0)


def answered(watcher: Any) -> dict[str, Any]:
    """Return a watcher's first line with an answer: a busy machine may be late with the very first one."""
    while (line := names.told(watcher))["values"] is None:
        pass
    return line


def shown(silence: dict[str, float]) -> str:
    return ", ".join(f"{question} {seconds:.1f} s" for question, seconds in silence.items())


def wait_for(host: str) -> None:
    """Wait until a host that was switched on takes commands; ssh's connection of before may hang meanwhile."""
    deadline = time.monotonic() + BACK_MAX
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            if "in" in lab.ssh(host, "echo in", check=False, timeout=10):
                return
        assert time.monotonic() < deadline, f"{host} does not come back"
        time.sleep(0.5)


def come_back(zones: list[str]) -> None:
    """The host is there again, with an empty disk: `site.yml` makes it a secondary that fetches everything by itself."""
    wait_for(PRIMARY)
    lab.reaches(PRIMARY, NEXT, wait=BACK_MAX)
    back = lab.playbook("site.yml").ok()
    start = time.monotonic()
    while (found := held_by(PRIMARY)) != zones:
        assert time.monotonic() - start < BACK_MAX, f"{PRIMARY} has {found}"
        time.sleep(1)
    lab.show(
        f"{PRIMARY} back with an empty disk: site.yml {back.seconds:.1f} s, all {len(zones)} zones after "
        f"{time.monotonic() - start:.1f} s more"
    )
    again = lab.playbook("site.yml", "--diff").ok()
    assert again.changed == dict.fromkeys(lab.addresses(), 0), again.changes


def held_by(host: str) -> list[str]:
    """Return the zones of a host's catalog that it also serves."""
    try:
        found = zonecheck.zones(host)
    except AssertionError:  # there is no catalog yet
        return []
    return [
        zone
        for zone in found
        if "SOA" in names.dig(host, "@::1", "-p", "5300", "+norec", "+noall", "+answer", zone, "SOA")
    ]
