"""Names: validated from everywhere, on the last server's word alone, and new as soon as they are changed.

All of it without the registry, whose names are answered by the same servers.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import lab, names, registry, zonecheck
from .names import CLIENT, PRIMARY, RESOLVERS

MANY = 10_000
BIG = "sweep.alt"
SWEEP = [f"n{number:05d}.{BIG}." for number in range(MANY)]
#: NAMES_CHANGES=20 gives a median and a p95 worth the name.
CHANGES = int(os.environ.get("NAMES_CHANGES", "6"))
#: Goals of the issue, in seconds; slow machines are shown, and fail only well past them.
OUTAGE_MAX, CHANGE_MAX, ZONE_MAX = 3.0, 3.0, 9.0
SLACK = 2.0


@pytest.fixture(scope="module", autouse=True)
def without_the_registry() -> Iterator[None]:
    """Names need nothing of it: it is stopped while all of this is tested."""
    with names.stopped(" ".join(registry.UNITS), registry.HOST):
        yield
    assert set(lab.ssh(registry.HOST, f"systemctl is-active {' '.join(registry.UNITS)}").split()) == {"active"}


def zone(name: str, *values: str, ttl: int = 3600) -> dict[str, Any]:
    """Return a zone as an operator declares it, with one name ``www``."""
    return {"name": name, "ttl": ttl, "records": [{"name": "www", "type": "AAAA", "values": list(values)}]}


@pytest.fixture
def other(copy: Path) -> Iterator[Path]:
    """A copy of the inventory to declare zones in; what it published is taken back, and only that."""
    before = set(zonecheck.zones(PRIMARY))
    lab_zones = (copy / names.ZONES).read_text()
    yield copy
    (copy / names.ZONES).write_text(lab_zones)
    made = sorted(set(zonecheck.zones(PRIMARY)) - before)
    consent = ",".join(f'"{name}"' for name in [*made, "alt.", "neo."])
    extra = f'{{"dns_authoritative_prune": true, "dns_authoritative_prune_consent": [{consent}]}}'
    names.publish(copy, "-e", extra)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("fra.net.alt AAAA", "NOERROR AD"),
        ("www.example.alt AAAA", "NOERROR AD"),
        ("fra.net.neo AAAA", "NOERROR AD"),
        ("-x {fra}", "NOERROR AD"),
        ("nobody.alt AAAA", "NXDOMAIN AD"),
    ],
)
def test_a_client_gets_validated_answers(question: str, wanted: str) -> None:
    text = names.dig(CLIENT, "+dnssec", question.format(fra=lab.loopback("fra")))
    assert names.status(text) == wanted, text
    if "-x" in question:
        assert "fra.net.alt." in text


def test_a_stop_file_keeps_runs_of_others_away_from_the_primary(copy: Path) -> None:
    lab.ssh(PRIMARY, "echo 'disk is being replaced' > /etc/altnet/stop")
    try:
        names.declare(copy, [zone("stopped.alt", "fd12:3456:789a::1")])
        done = lab.playbook("site.yml", "--tags", "authoritative", inventory=copy)
        assert done.status != 0
        assert "no zone is published: the primary has a stop file" in done.output
    finally:
        lab.ssh(PRIMARY, "rm /etc/altnet/stop")
    assert "stopped.alt." not in zonecheck.zones(PRIMARY)


def test_an_api_that_does_not_answer_changes_nothing(copy: Path) -> None:
    names.declare(copy, [zone("unheard.alt", "fd12:3456:789a::1")])
    lab.ssh(
        PRIMARY,
        "nft 'add table inet lab_deaf; add chain inet lab_deaf input { type filter hook input priority -300; };"
        " add rule inet lab_deaf input tcp dport 8081 reject with tcp reset'",
    )
    try:
        done = lab.playbook("site.yml", inventory=copy)
    finally:
        lab.ssh(PRIMARY, "nft delete table inet lab_deaf")
    assert done.status != 0
    told = re.findall(rf"host {PRIMARY}: \[\S+\]:8081: PowerDNS's API does not answer .*Remedy: .*", done.output)
    assert told, done.output[-3000:]
    lab.show(told[0])
    assert not any(done.changed.values()), done.changed
    assert "unheard.alt." not in zonecheck.zones(PRIMARY)


def test_with_nothing_but_our_anchor_everything_validates() -> None:
    """delv (ISC) validates by itself, from the one anchor that it is given."""
    epochs: Any = lab.ledger()["dnssec"]["alt"]
    anchors = []
    for known in epochs.values():
        tag, algorithm, digest, value = str(known["ds"]).split(maxsplit=3)
        anchors.append(f'"alt." static-ds {tag} {algorithm} {digest} "{value.replace(" ", "")}";')
    for question in ("fra.net.alt AAAA", "www.example.alt AAAA", "alt SOA"):
        text = lab.ssh(
            CLIENT,
            f"d=$(mktemp -d); printf '%s\\n' 'trust-anchors {{ {' '.join(anchors)} }};' >$d/anchor;"
            f" delv @{names.anycast()} -a $d/anchor +root=alt {question} 2>&1; rm -r $d",
        )
        assert "; fully validated" in text, text


def test_a_forged_zone_is_refused() -> None:
    """The host's own configuration, but with its zones at a rogue server: it answers, and is not believed."""
    host = "sin"
    rogue, port = "127.0.0.66", 5366
    setup = f"""
    d=$(mktemp -d); cd $d; chmod 755 .
    cat >rogue.conf <<'ROGUE'
server:
  chroot: ""
  username: ""
  directory: "/"
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  interface: {rogue}@{port}
  access-control: 127.0.0.0/8 allow
  local-zone: "alt." static
  local-data: "alt. SOA ns.alt. hostmaster.alt. 1 3600 3600 3600 300"
  local-data: "alt. NS ns.alt."
  local-data: "www.alt. AAAA fd66::1"
remote-control:
  control-enable: no
ROGUE
    grep -vE '^\\s*(interface|control-interface|chroot|username|directory|use-syslog):' /etc/unbound/unbound.conf \\
      | sed -E 's/::1@5300/{rogue}@{port}/; s/control-enable: yes/control-enable: no/' >victim.conf
    cat >>victim.conf <<VICTIM
server:
  chroot: ""
  username: ""
  directory: "$d"
  pidfile: ""
  use-syslog: no
  interface: {rogue}@53
VICTIM
    unbound -d -c rogue.conf 2>rogue.log & one=$!
    unbound -d -c victim.conf 2>victim.log & two=$!
    sleep 2
    echo ROGUE; dig @{rogue} -p {port} +norec www.alt AAAA +tries=1
    echo VICTIM; dig @{rogue} www.alt AAAA +time=10 +tries=1
    kill $one $two; wait; cat victim.log; cd /; rm -r "$d"
    """
    said = lab.ssh(host, setup, timeout=90)
    rogue_said, _, victim_said = said.partition("VICTIM")
    assert "fd66::1" in rogue_said, said
    assert names.status(victim_said) == "SERVFAIL", said


def test_every_zone_passes_checkers_that_we_did_not_write() -> None:
    for host in (PRIMARY, *RESOLVERS):
        found, faults = zonecheck.check(host)
        assert {"alt.", "neo.", "net.alt.", "net.neo.", "example.alt."} <= set(found)
        assert faults == []
    checkers = ", ".join(argv[0] for argv in zonecheck.CHECKERS)
    lab.show(f"{checkers}: no fault in {len(found)} zones on {1 + len(RESOLVERS)} servers")


def test_ten_thousand_names_and_the_last_relay_alone(other: Path) -> None:
    records = [
        {"name": name.partition(".")[0], "type": "AAAA", "values": [f"fd12:3456:789a:1::{number + 1:x}"]}
        for number, name in enumerate(SWEEP)
    ]
    names.declare(other, [{"name": BIG, "ttl": 3600, "records": records}])
    first = names.publish(other)
    again = names.publish(other)
    assert sum(again.changed.values()) == 0
    lab.show(
        f"{MANY} names in one call: {first.seconds:.1f} s with the whole run; again: {again.seconds:.1f} s, changed=0"
    )
    last = RESOLVERS[-1]
    assert zonecheck.faults(f"{BIG}.", zonecheck.transferred(last, f"{BIG}.")) == []
    with names.stopped("pdns", PRIMARY, *RESOLVERS[:-1]):
        start = time.monotonic()
        count, bad = names.sweep(CLIENT, lab.loopback(last), SWEEP)
        lab.show(f"only {last}'s secondary lives: {count} of {MANY} answered with AD, {time.monotonic() - start:.1f} s")
    assert (count, bad) == (MANY, [])


@pytest.mark.parametrize("signal", ["KILL", "STOP"])
def test_a_resolver_that_dies_is_hardly_noticed(signal: str) -> None:
    """Whichever relay answers the client: each one's Unbound is killed, or stands still for six seconds, in turn."""
    longest = 0.0
    for host in RESOLVERS:
        with names.watched(CLIENT, "fra.net.alt.", names.anycast(), seconds=14, patience=0.5) as watcher:
            while names.told(watcher).get("values") is None:
                pass
            time.sleep(1)
            resumed = "; sleep 6; systemctl kill -s CONT unbound" if signal == "STOP" else ""
            lab.ssh(host, f"systemctl kill -s {signal} --kill-whom=main unbound{resumed}")
            while "silent" not in (line := names.told(watcher)):
                pass
            longest = max(longest, line["silent"])
        time.sleep(3)  # until the host announces again
    lab.show(f"SIG{signal} to each resolver, {CLIENT} asks 20 times a second: longest silence {longest:.2f} s")
    assert longest <= OUTAGE_MAX


def test_a_change_is_seen_everywhere_at_once(other: Path) -> None:
    """From the moment the primary has it; every resolver is asked for the old value until then, 10 times a second."""
    name = "www.changes.alt."
    value = "fd12:3456:789a::1:{:x}".format
    names.declare(other, [zone("changes.alt", value(1))])
    names.publish(other)
    seconds = []
    with contextlib.ExitStack() as stack:
        primary, others = watchers(stack, name, 60 + 60 * CHANGES)
        for one in (primary, *others):
            seen_until(one, value(1))
        for number in range(2, CHANGES + 2):
            names.declare(other, [zone("changes.alt", value(number))])
            names.publish(other)
            changed = seen_until(primary, value(number))
            seconds += [seen_until(one, value(number)) - changed for one in others]
    ordered = sorted(seconds)
    p95 = ordered[math.ceil(len(ordered) * 0.95) - 1]
    lab.show(
        f"a change, TTL 3600, {CHANGES} times, seen with AD on {len(RESOLVERS)} resolvers: median "
        f"{statistics.median(ordered):.2f} s, p95 {p95:.2f} s, at most {ordered[-1]:.2f} s (goal: p95 {CHANGE_MAX:g})"
    )
    assert p95 <= CHANGE_MAX * SLACK  # a goal on a quiet machine; CI need not be one


def watchers(stack: contextlib.ExitStack, name: str, seconds: float) -> tuple[Any, list[Any]]:
    """Ask for a name at the primary itself, and at every resolver for validated answers, until the stack ends."""
    pace: dict[str, Any] = {"every": 0.1, "seconds": seconds}
    here: dict[str, Any] = {"source": "::1", "port": 5300, "validated": False}
    primary = stack.enter_context(names.watched(PRIMARY, name, "::1", **here, **pace))
    return primary, [stack.enter_context(names.watched(host, name, lab.loopback(host), **pace)) for host in RESOLVERS]


def seen_until(watcher: Any, value: str) -> float:
    """Return when a watcher saw a value."""
    while True:
        line = names.told(watcher)
        assert "values" in line, f"{value} was never seen"
        if line["values"] == [value]:
            return float(line["at"])


def test_a_new_zone_is_signed_and_trusted_soon(other: Path) -> None:
    """The resolvers are asked before there is anything, so that they have its absence in their caches."""
    name, value = "www.fresh.alt.", "fd12:3456:789a::1:1"
    with contextlib.ExitStack() as stack:
        primary, others = watchers(stack, name, 120)
        names.declare(other, [zone("fresh.alt", value)])
        names.publish(other)
        made = seen_until(primary, value)
        longest = max(seen_until(one, value) - made for one in others)
    lab.show(f"a new signed zone: {longest:.2f} s from the primary to AD on every resolver (goal {ZONE_MAX:g})")
    assert longest <= ZONE_MAX


def test_the_primary_looks_after_children_that_decide_on_their_ds(other: Path) -> None:
    """Only that it looks, and says what it finds: tests/unit/names_real has a child that rolls its key."""
    timer, child = "altnet-children.timer", "lab.alt."
    nobody = lab.loopback("core1")
    records = [
        {"name": "lab", "type": "NS", "values": [f"ns.{child}"], "cds": True},
        {"name": "ns.lab", "type": "AAAA", "values": [nobody]},
    ]
    assert "inactive" in lab.ssh(PRIMARY, f"systemctl is-active {timer}", check=False)
    before = (other / names.ZONES).read_text()
    names.declare(other, [{"name": "alt", "ttl": 300, "records": records}])
    names.publish(other)
    assert sum(names.publish(other).changed.values()) == 0
    assert lab.ssh(PRIMARY, f"systemctl is-active {timer}").strip() == "active"
    said = lab.ssh(
        PRIMARY,
        "systemctl start altnet-children.service; journalctl --sync; journalctl -u altnet-children -n 20 -o cat",
    )
    assert f"{child} left as it is: ns.{child} ({nobody}) does not answer" in said
    started = "systemctl show -P InactiveExitTimestampMonotonic altnet-children.service"
    before_restart = lab.ssh(PRIMARY, started)
    lab.ssh(PRIMARY, "systemctl restart pdns.service")
    assert lab.ssh(PRIMARY, f"systemctl is-active {timer}").strip() == "active"
    assert lab.ssh(PRIMARY, started) == before_restart
    (other / names.ZONES).write_text(before)
    names.publish(other)
    assert "inactive" in lab.ssh(PRIMARY, f"systemctl is-active {timer}", check=False)


def test_check_proves_the_names_and_names_what_is_wrong() -> None:
    """It looks at sites, too, and the portal is one: from here on the registry runs again."""
    lab.ssh(registry.HOST, f"systemctl start {' '.join(registry.UNITS)}")
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert "were answered rightly and validated, all of them." in told.output
    with names.stopped("pdns", "nyc"):
        told = lab.playbook("playbooks/check.yml", "-e", "check_wait=2")
        assert told.status != 0
        assert "nyc: the catalog cannot be read" in told.output
