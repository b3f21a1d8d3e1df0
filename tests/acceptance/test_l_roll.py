"""Keys of top-level domains change while every resolver is asked 10 times a second: all is validated, nothing fails.

The lab is left as it was, but for the ledger's new epochs. ROLL_TTL=3700 counts the zone's own TTLs, in two hours.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from . import lab, names
from .test_d_wrecks import wait_for_the_lock

RESOLVERS = ("fra", "nyc", "sin")
ROLL = "playbooks/roll-zone-key.yml"
QUIET = dict.fromkeys(sorted(lab.addresses()), 0)
TTL = int(os.environ.get("ROLL_TTL", "15"))
GOOD = {"SOA": "NOERROR", "AAAA": "NOERROR", "DNSKEY": "NOERROR", "NXDOMAIN": "NXDOMAIN", "child": "NOERROR"}
#: Runs on a resolver until its standard input ends; asks as a program there would, with what the role installed.
ASKER = """
import json, random, sys, threading, time
import dns.exception, dns.flags, dns.message, dns.query, dns.rcode
zone, address = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
names = {"SOA": (zone, "SOA"), "AAAA": ("ns." + zone, "AAAA"), "DNSKEY": (zone, "DNSKEY"),
         "NXDOMAIN": ("", "AAAA"), "child": ("fra.net." + zone, "AAAA")}
seen, begun, tick = [], time.monotonic(), 0
while not over.is_set():
    kind = list(names)[tick % len(names)]
    name, rdtype = names[kind]
    query = dns.message.make_query(name or "x%x.%s" % (random.getrandbits(64), zone), rdtype, want_dnssec=True)
    # As every stub does: who had no answer asks once more.
    for words in ("again", "lost"):
        try:
            answer = dns.query.udp(query, address, timeout=2)
            words = dns.rcode.to_text(answer.rcode()) + (" AD" if answer.flags & dns.flags.AD else "")
            break
        except (OSError, dns.exception.DNSException):
            seen.append((kind, words, round(time.time())))
    if words != "lost":
        seen.append((kind, words, round(time.time())))
    tick += 1
    over.wait(max(0, begun + tick / 10 - time.monotonic()))
json.dump(seen, sys.stdout)
"""


@dataclass
class Asked:
    """What every resolver answered; filled when the watch ends."""

    answers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    def count(self, words: str) -> int:
        """Return how many answers' outcome has these words in it."""
        return sum(number for (_, _, outcome), number in self.answers.items() if words in outcome)

    def check(self, when: str) -> None:
        """Show the figures, and assert what was promised."""
        again, lost = self.count("again"), self.count("lost")
        unproved = (
            sum(number for (_, _, outcome), number in self.answers.items() if " AD" not in outcome) - again - lost
        )
        lab.show(
            f"{when}: {self.total - again} questions at {len(RESOLVERS)} resolvers, {unproved} answers without AD, "
            f"{self.count('SERVFAIL')} SERVFAIL, {lost} without an answer, {again} answered when asked again"
        )
        assert self.total > 100 * len(RESOLVERS)
        assert unproved == 0, self.bad[:20]
        assert self.count("SERVFAIL") == 0
        assert lost == 0, self.bad[:20]
        # A resolver that reads new anchors drops the questions it has under way.
        assert again <= self.total / 200, self.bad[:20]


@contextlib.contextmanager
def asked(zone: str) -> Iterator[Asked]:
    """Ask every resolver, on itself, ten times a second."""
    found = Asked()
    with contextlib.ExitStack() as stack:
        askers = {host: names.begun(host, ASKER, zone, lab.loopback(host)) for host in RESOLVERS}
        for asker in askers.values():
            stack.callback(names.ended, asker)
        time.sleep(3)
        yield found
        time.sleep(3)
        told = {host: names.ended(asker, 60) for host, asker in askers.items()}
    for host, out in told.items():
        assert askers[host].returncode == 0, f"{host}: the asker failed"
        for kind, words, at in json.loads(out):
            found.answers[host, kind, words] += 1
            if words != f"{GOOD[kind]} AD":
                found.bad.append(f"{time.strftime('%T', time.gmtime(at))} {host} {kind}: {words}")


def epochs(zone: str) -> dict[str, dict[str, object]]:
    return dict(lab.ledger()["dnssec"][zone])  # type: ignore[arg-type]


def roll(zone: str, *args: str) -> lab.Run:
    return lab.playbook(ROLL, "-e", f"roll_zone={zone}", "-e", f"roll_ttl={TTL}", *args, timeout=1200 + 3 * TTL)


WAITING = ("-e", "roll_wait=true")


@pytest.fixture(scope="module", autouse=True)
def _whole() -> Iterator[None]:
    """Leave no roll half-way, whatever failed."""
    yield
    for zone in ("alt", "neo"):
        if len(epochs(zone)) > 1:
            roll(zone, *WAITING).ok()
    lab.playbook("site.yml").ok()
    lab.playbook("playbooks/check.yml", "-e", "check_wait=30").ok()


def tag(zone: str) -> str:
    """Return the tag of a zone's only key."""
    (epoch,) = epochs(zone).values()
    return str(epoch["ds"]).split()[0]


def assert_rolled(zone: str, before: str) -> None:
    """Every server and every resolver has the new key alone."""
    after = tag(zone)
    assert after != before
    for host in RESOLVERS:
        anchors = lab.ssh(host, "dig +short @::1 CH TXT trustanchor.unbound")
        assert f'"{zone}. {after}"' in anchors.splitlines(), f"{host}: {anchors}"
        served = lab.ssh(host, f"dig +multi @::1 -p 5300 {zone} DNSKEY")
        assert f"key id = {after}" in served, served
        assert f"key id = {before}" not in served, served
        assert f" {after} {zone}." in lab.ssh(host, f"dig +dnssec +short @::1 {zone} SOA")


def test_check_mode_tells_and_changes_nothing() -> None:
    before = lab.ledger()
    told = roll("alt", "--check", "--diff").ok().output
    assert "ledger: zone alt: key " in told
    assert "is published" in told
    assert lab.ledger() == before


def test_a_roll_without_a_resolver_is_refused() -> None:
    before = lab.ledger()
    told = roll("alt", "--limit", "all:!sin")
    assert told.status != 0
    assert "host sin: roll_zone: is not in this run" in " ".join(told.output.split())
    assert lab.ledger() == before


def test_the_tld_key_is_rolled_and_every_answer_is_validated() -> None:
    before = tag("alt")
    with asked("alt") as seen:
        done = roll("alt", *WAITING)
    done.ok()
    seen.check(f"alt's key rolled in {done.seconds:.0f} s, of which {2 * TTL} s were waited")
    assert f"zone alt: the roll is complete; the key {tag('alt')} signs alone" in done.output
    assert_rolled("alt", before)
    assert lab.playbook("site.yml").ok().changed == QUIET


def kill_in(task: str, zone: str) -> None:
    """Begin a roll, or go on with it, and kill the run in a task."""
    process = subprocess.Popen(
        [*lab.EXEC, "ansible-playbook", "-i", str(lab.INVENTORY), ROLL, "-e", f"roll_zone={zone}", "-e", f"roll_ttl={TTL}"],
        cwd=lab.ROOT, env=lab.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    for line in process.stdout or ():
        if line.startswith("TASK [") and task in line:
            break
    time.sleep(0.5)
    process.kill()
    process.wait()
    wait_for_the_lock()


@pytest.mark.parametrize("task", ["Publish the zones", "Ask the host what it serves and trusts"])
def test_a_roll_that_is_killed_goes_on(task: str) -> None:
    before = tag("neo")
    with asked("neo") as seen:
        kill_in(task, "neo")
        killed = epochs("neo")
        done = roll("neo", *WAITING)
    assert {str(epoch["state"]) for epoch in killed.values()} == {"active", "published"}
    done.ok()
    seen.check(f"neo's roll killed in '{task}', then done in {done.seconds:.0f} s")
    assert_rolled("neo", before)
