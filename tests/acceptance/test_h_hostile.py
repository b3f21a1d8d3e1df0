"""Hosts in an attacker's hands: what the others believe, what they log, what they lose, and how they shut one out.

Each attacker's bird.conf is replaced by one that holds nothing back. All false announcements are made at once, each
with a mark of its own that travels with it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence

import pytest

from . import hostile, lab, names
from .hostile import Announcement, Sight
from .watched import watched

RELAY, LEAF = "sin", "core1"
HOSTS = sorted(lab.addresses())
QUIET = dict.fromkeys(HOSTS, 0)
#: Seconds for an announcement to be everywhere.
SPREAD = 4.0


def others(attacker: str) -> list[str]:
    """Return everybody else."""
    return [host for host in HOSTS if host != attacker]


def announcements(attacker: str) -> list[Announcement]:
    """Return everything the attacker has no right to, and (``allowed``) what BGP cannot tell from the truth."""
    net, own, via = hostile.infra(), hostile.number(attacker), "nyc"
    fra, nyc, core2, laptop = (hostile.number(host) for host in ("fra", "nyc", "core2", "laptop1"))
    relay = hostile.relay(attacker)
    # A resolver may announce the resolvers' address; this one is nobody's.
    anycast = "2:99" if attacker in names.RESOLVERS else "2:53"
    # One route each: of two for one prefix, BIRD would announce the better one only.
    return [
        Announcement("another's /64 as its own", f"{net}:{nyc:x}::/64", via=via),
        Announcement("another's loopback as its own", f"{net}::{core2:x}/128", via=via),
        Announcement("another's /64, true origin forged", f"{net}:{fra:x}::/64", (fra,), "fra", allowed=relay),
        Announcement(
            "another's loopback, true origin forged", f"{net}::{laptop:x}/128", (laptop,), "fra", allowed=relay
        ),
        Announcement("a loopback nobody has, origin forged to fit", f"{net}::2a55/128", (0x2A55,), allowed=relay),
        Announcement("a device's /128 in another's /64", f"{net}:{nyc:x}::1234/128"),
        Announcement("a device's /128 in its own /64", f"{net}:{own:x}::1234/128"),
        Announcement("an anycast address", f"{net}::{anycast}/128"),
        Announcement("a service address", f"{net}::1:1/128"),
        Announcement("a default route", "::/0"),
        Announcement("fc00::/8", "fc00::/8"),
        Announcement("half the network", f"{net}::/49"),
        Announcement("a /65 of its own number", f"{net}:{own:x}::/65"),
        Announcement("a stranger's AS in the path", f"{net}::1555/128", (-40000, 0x1555)),
    ]


@pytest.fixture(scope="module", autouse=True)
def planned() -> None:
    """Earlier tests ran other plans of the same network."""
    lab.playbook("site.yml").ok()


@pytest.fixture(params=[RELAY, LEAF], ids=["relay", "leaf"])
def attacker(request: pytest.FixtureRequest) -> Iterator[str]:
    """A host whose configuration comes back, whatever the test made of it."""
    name: str = request.param
    yield name
    restored = lab.playbook("site.yml", *lab.FABRIC).ok()
    assert {host for host, count in restored.changed.items() if count} <= {name}


def neighbours(attacker: str) -> list[str]:
    """Return who hears the attacker itself."""
    return sorted(hostile.tunnels(attacker))


def row(attacker: str, one: Announcement, index: int, seen: dict[str, Sight], near: Sequence[str]) -> tuple[int, str]:
    """Return how many accepted it, and the table's line."""
    accepted = sum(index in sight.accepted for sight in seen.values())
    wanted = f"refused {one.prefix} from an"
    lines = [
        line for host in near for line in seen[host].log.splitlines() if wanted in line and f"_{attacker}: " in line
    ]
    logged = sum(
        any(wanted in line and f"_{attacker}: " in line for line in seen[host].log.splitlines()) for host in near
    )
    said = lines[0].partition(": ")[2] if lines else "-"
    return (
        accepted,
        f"{attacker}: {one.what}: accepted by {accepted} of {len(seen)}; logged by {logged} of {len(near)}: {said}",
    )


def test_nobody_believes_it(attacker: str) -> None:
    """One configuration, all announcements: no one has a route whose origin is not entitled to it."""
    table, near, far = announcements(attacker), neighbours(attacker), others(attacker)
    since = time.time() - 1
    with watched(far, 0.1) as pings:
        hostile.put(attacker, hostile.configuration(attacker, table))
        time.sleep(SPREAD)
        seen = hostile.look(far, since)
    wrong = []
    for index, one in enumerate(table):
        accepted, line = row(attacker, one, index, seen, near)
        lab.show(line)
        if not one.allowed and accepted:
            wrong.append(line)
        # It arrived: else the test would prove nothing.
        heard = [host for host in near if index in seen[host].accepted | seen[host].refused]
        if not heard:
            wrong.append(f"{line}: and never arrived")
        if not one.allowed and "logged by 0" in line:
            wrong.append(f"{line}: and nobody logged it")
    leaked = sum(hostile.LEAK in sight.accepted for sight in seen.values())
    if not hostile.relay(attacker):
        lab.show(f"{attacker}: others' routes passed on (a leak): accepted by {leaked} of {len(far)}")
        heard = [host for host in near if hostile.LEAK in seen[host].refused]
        assert heard, "the leak never arrived"
    lab.show(f"{attacker}: effect on the others: {pings}")
    assert wrong == []
    assert leaked == 0
    assert pings.seen.lost <= 0.02 * pings.seen.sent


def test_a_flood_and_a_flapping_route(attacker: str) -> None:
    """10,000 routes, then a route that comes and goes: refused or carried, and nobody else notices."""
    near, far = neighbours(attacker), others(attacker)
    # Both are made from the attacker's own configuration, which the first replaces.
    flooding, quiet = (hostile.configuration(attacker, (), extra) for extra in (hostile.flood(), ""))
    since = time.time() - 1
    before = hostile.seconds_of_cpu(far)
    with watched(far, 0.1) as pings:
        hostile.put(attacker, flooding)
        time.sleep(2 * SPREAD)
    told = hostile.each(
        far,
        f"journalctl --no-pager -o cat -u bird --since @{since:.0f} >/tmp/flood; grep -c 'refused fd99:' /tmp/flood;"
        f" birdc 'show route count where ({hostile.MARK}, {hostile.FLOOD}) ~ bgp_community' | grep master6;"
        " grep -v 'refused fd99:' /tmp/flood | grep -i 'limit\\|suppress\\|error' | sort | uniq -c | sort -rn | head -4;"
        " rm /tmp/flood",
    )
    for host in far:
        if host in near:
            lab.show(
                f"{attacker}: 10,000 routes: {host}: lines, routes, other lines: {'; '.join(told[host].split(chr(10)))}"
            )
        assert re.search(r"^0 of ", told[host], re.MULTILINE), f"{host} has routes of the flood: {told[host]}"
    lab.show(f"{attacker}: 10,000 routes: CPU seconds {spent(far, before)}; effect on the others: {pings}")
    hostile.put(attacker, quiet)
    before, heard = hostile.seconds_of_cpu(far), hostile.updates(far)
    with watched(far, 0.1) as flaps:
        lab.ssh(
            attacker,
            "for i in $(seq 40); do birdc disable own; sleep 0.05; birdc enable own; sleep 0.05; done >/dev/null",
        )
        time.sleep(1)
    gained = {host: count - heard[host] for host, count in hostile.updates(far).items()}
    lab.show(
        f"{attacker}: its own loopback goes and comes 40 times: updates heard {gained}; CPU seconds {spent(far, before)}; effect on the others: {flaps}"
    )
    for watch in (pings, flaps):
        assert watch.seen.lost <= 0.02 * watch.seen.sent


def spent(hosts: Sequence[str], before: dict[str, dict[str, float]]) -> dict[str, str]:
    """Return the CPU seconds since ``before``, of BIRD and of the journal."""
    after = hostile.seconds_of_cpu(hosts)
    return {
        host: " + ".join(f"{after[host][unit] - before[host][unit]:.2f}" for unit in sorted(after[host]))
        for host in hosts
    }


def test_forged_sources() -> None:
    """WireGuard drops what a leaf sends as another; what a relay sends as another passes, as all that it carries."""
    others_loopback = lab.loopback("core2")
    links = hostile.tunnels(LEAF)
    near = sorted(links)[0]
    with hostile.counting([near]) as found:
        hostile.forge(LEAF, links[near], lab.loopback(LEAF), lab.loopback(near))
    lab.show(f"{LEAF}: 20 packets with its own source: {found[near]} came out of a tunnel")
    assert found[near] >= 10, "the leaf's own packets do not arrive, so the next count means nothing"
    with hostile.counting([near, "laptop1"]) as found:
        hostile.forge(LEAF, links[near], others_loopback, lab.loopback(near))
        hostile.forge(LEAF, links[near], others_loopback, lab.loopback("laptop1"))
        hostile.forge(LEAF, links[near], "2001:db8::1", lab.loopback(near))
    lab.show(f"{LEAF}: 60 packets with forged sources: {sum(found.values())} came out of a tunnel")
    assert sum(found.values()) == 0
    links = hostile.tunnels(RELAY)
    with hostile.counting(["fra"]) as found:
        hostile.forge(RELAY, links["fra"], others_loopback, lab.loopback("fra"))
    lab.show(
        f"{RELAY}: 20 packets with another's source: {found['fra']} came out of a tunnel (a relay carries others')"
    )
    with hostile.counting(["fra"]) as found:
        hostile.forge(RELAY, links["fra"], "2001:db8::1", lab.loopback("fra"))
    lab.show(f"{RELAY}: 20 packets with a source of the Internet: {found['fra']} came out of a tunnel")
    assert found["fra"] == 0


@pytest.fixture
def traitor() -> Iterator[str]:
    """A relay that announces what it likes and drops what it carries; afterwards the network is as it was."""
    before = lab.ledger()
    table = [one for one in announcements(RELAY) if one.allowed]
    hostile.put(RELAY, hostile.configuration(RELAY, table))
    lab.ssh(
        RELAY,
        "nft 'add table inet lab_traitor; add chain inet lab_traitor f { type filter hook forward priority -10; policy drop; }'",
    )
    yield RELAY
    lab.ssh(RELAY, "nft delete table inet lab_traitor 2>/dev/null; true")
    after = lab.ledger()
    before["hosts"][RELAY]["keys"] = after["hosts"][RELAY].get("keys") or after["hosts"][RELAY]["revoked"]
    (lab.INVENTORY / "ledger.json").write_text(json.dumps(before, indent=2, sort_keys=True) + "\n")
    lab.playbook("site.yml", *lab.FABRIC).ok()
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()


def test_quarantine(traitor: str) -> None:
    """The neighbours shut it out at once, later runs keep it out, and it comes back with new keys only."""
    near, far = neighbours(traitor), others(traitor)
    address = lab.addresses()[traitor]
    time.sleep(SPREAD)
    with watched(far, 0.1) as pings:
        time.sleep(3)
    pairs = len(far) * (len(far) - 1)
    cut_off = [f"{one}-{other}" for one, other in sorted(pings.cut_off)]
    lab.show(f"{traitor} drops what it carries: {len(cut_off)} of {pairs} pairs without a way: {', '.join(cut_off)}")
    predicted = lab.playbook("playbooks/quarantine.yml", "-e", f"quarantine_host={traitor}", "--check").ok()
    assert all(predicted.changed[host] >= 1 for host in near), predicted.output[-3000:]
    assert not any(lab.ledger()["hosts"][host].get("quarantined") for host in HOSTS)
    watches = [hostile.Watch(host, traitor) for host in near]
    for watch in watches:
        watch.start()
    time.sleep(1)
    with watched(far, 0.1) as pings:
        start = time.time()
        done = lab.playbook("playbooks/quarantine.yml", "-e", f"quarantine_host={traitor}", "-vvv").ok()
    for watch in watches:
        watch.join(90)
        assert watch.at, f"{watch.host} still has a tunnel or a session with {traitor}"
    shut = {watch.host: round(watch.at - start, 1) for watch in watches}
    lab.show(
        f"quarantine of {traitor}: seconds until shut out, by neighbour: {shut}; the whole run {done.seconds:.1f} s"
    )
    lab.show(f"quarantine of {traitor}: effect on the others while it ran: {pings}")
    assert address not in done.executions, "the attacker's host was asked"
    for source in far:
        for target in far:
            if source < target:
                lab.reaches(source, target)
    assert not any(sight.accepted for sight in hostile.look(far, time.time()).values())
    again = lab.playbook("playbooks/quarantine.yml", "-e", f"quarantine_host={traitor}").ok()
    assert not any(again.changed.values()), again.output[-3000:]
    whole = lab.playbook("site.yml", "-vvv").ok()
    assert address not in whole.executions
    # The names follow in that run: hosts that asked it ask others, and nobody is told its address any more.
    names.becomes("NXDOMAIN AD", f"+dnssec {traitor}.net.alt AAAA")
    assert not any(lab.playbook("site.yml").ok().changed.values())
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=20").ok().output
    lab.show(next(line for line in told.splitlines() if line.startswith(f"{traitor} ")))
    assert re.search(rf"^{traitor} +quarantined ", told, re.MULTILINE)
    for verb, words in (("drain", "is quarantined, so nobody sends through it"), ("leave", "add -e leave_dead=true")):
        refused = lab.playbook(
            f"playbooks/{verb}.yml", "-e", f"{verb}_host={traitor}", "-e", f"{verb}_confirm={traitor}"
        )
        assert refused.status != 0
        assert words in refused.output
    refused = lab.playbook("playbooks/release.yml", "-e", f"release_host={traitor}")
    assert refused.status != 0
    assert "one that the host had when it was quarantined" in refused.output, refused.output[-3000:]
    lab.ssh(traitor, "rm -r /etc/altnet/wireguard; nft delete table inet lab_traitor")
    back = lab.playbook("playbooks/release.yml", "-e", f"release_host={traitor}").ok()
    lab.show(f"release of {traitor}, with new keys: {back.seconds:.1f} s")
    lab.playbook("site.yml").ok()
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok().output
    names.becomes("NOERROR AD", f"+dnssec {traitor}.net.alt AAAA")
    assert "30 of 30 ordered pairs" in told
    assert lab.playbook("site.yml").ok().changed == QUIET
