"""The writer against a real primary, its secondary, and a validating resolver."""

from __future__ import annotations

import random
import signal
import subprocess
import time

import pytest
from registry_servers import ANN, LACKS, ROOT_USER, SKIP, Network, fill
from tests.daemons import until

from altnet.powerdns.errors import PowerdnsError
from altnet.registry.acts import domains, records, state
from altnet.registry.settings import Settings
from altnet.registry.writer import build, guard
from altnet.registry.writer.rebuild import Rebuild

pytestmark = [pytest.mark.skipif(bool(LACKS), reason=SKIP), pytest.mark.xdist_group("registry_writer")]


def address(text: str, name: str = "@") -> dict[str, object]:
    return {"name": name, "type": "AAAA", "ttl": 300, "records": [text]}


def test_registered_and_validated_and_changed(network: Network) -> None:
    """From the act to the resolver's AD bit: 9 s for a new name, 3 s for a record, on a busy machine too."""
    network.write()
    begun = time.monotonic()
    domains.register(network.desk, ANN, "garden", rrsets=[address("fd00::1")])
    until(lambda: network.unbound.valid("garden.alt.", "AAAA", "fd00::1"), 20, network.writer.log, 0.05)
    assert time.monotonic() - begun < 9
    begun = time.monotonic()
    records.put(network.desk, ANN, "garden.alt.", "@", "AAAA", 300, ["fd00::2"])
    until(lambda: network.unbound.valid("garden.alt.", "AAAA", "fd00::2"), 20, network.writer.log, 0.05)
    assert time.monotonic() - begun < 6
    network.settled()


def test_what_is_gone_is_gone_validated(network: Network) -> None:
    domains.register(network.desk, ANN, "away", rrsets=[address("fd00::1")])
    until(lambda: network.unbound.valid("away.alt.", "AAAA", "fd00::1"), 20, network.writer.log, 0.05)
    domains.hold(network.desk, ROOT_USER, "away.alt.", "phishing")

    def gone() -> bool:
        network.unbound.flush()
        return network.unbound.asked("away.alt.", "AAAA")[:2] == ("NXDOMAIN", True)

    until(gone, 20, network.writer.log, 0.1)
    until(lambda: "away.alt." not in network.secondary.zones(), 20, network.writer.log, 0.1)


def test_killed_twenty_times(network: Network) -> None:
    """Without a word, at any moment, while names are registered: nothing is lost, and nothing is half done."""
    chance = random.Random(6)
    names = [f"kill-{number:02}" for number in range(20)]
    for number, name in enumerate(names):
        domains.register(network.desk, ANN, name, rrsets=[address(f"fd00::{number + 1:x}")])
        if number:
            records.put(network.desk, ANN, f"{names[number - 1]}.alt.", "www", "AAAA", 60, ["fd00::99"])
        time.sleep(chance.random() * 0.4)
        assert network.writer.process is not None
        network.writer.process.send_signal(signal.SIGKILL)
        network.writer.process.wait(10)
        network.write()
    network.settled(60)
    parent = network.held("alt.")
    for number, name in enumerate(names):
        zone = f"{name}.alt."
        held = network.held(zone)
        assert (zone, "AAAA", (f"fd00::{number + 1:x}",)) in held
        assert ((f"www.{zone}", "AAAA", ("fd00::99",)) in held) == (number < 19)
        assert len(network.primary.api.call("GET", f"/zones/{zone}/cryptokeys")) == 1
        assert {kind for owner, kind, _ in parent if owner == zone} == {"NS", "DS"}
    for name in names[::5]:
        until(lambda name=name: network.unbound.valid(f"www.{name}.alt.", "AAAA", "fd00::99")  # type: ignore[misc]
              or name == names[-1], 20, network.writer.log, 0.1)  # fmt: skip


def test_a_primary_that_is_away(network: Network) -> None:
    """What is done meanwhile waits, says why, and follows in its order."""
    network.primary.kill()
    names = ["wait-a", "wait-b", "wait-c"]
    for name in names:
        domains.register(network.desk, ANN, name, rrsets=[address("fd00::7")])
    until(lambda: all("does not answer" in error for _, _, error in network.lines()), 15, network.writer.log, 0.1)
    time.sleep(3)
    assert [zone for zone, _, _ in network.lines()] == [f"{name}.alt." for name in names]
    network.primary.start()
    network.settled(30)
    until(lambda: network.unbound.valid("wait-c.alt.", "AAAA", "fd00::7"), 20, network.writer.log, 0.1)


def test_its_holder_fetches_the_zone_and_nobody_elses(network: Network) -> None:
    """Where only a key opens: the secondary's address is taken off those who may."""
    domains.register(network.desk, ANN, "fetch", rrsets=[address("fd00::5")])
    _, name, secret = domains.allow_transfer(network.desk, ANN, "fetch.alt.")
    network.settled()

    def fetched(zone: str, key: tuple[str, str] | None) -> str:
        words = ["dig", "@::1", "-p", str(network.primary.port), zone, "AXFR", "+time=5", "+tries=1"]
        words += ["-y", f"hmac-sha256:{key[0]}:{key[1]}"] if key else []
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30).stdout

    network.primary.kill()
    network.primary.transfers = "fd99::1"
    network.primary.start()
    try:
        assert "fd00::5" in fetched("fetch.alt.", (name, secret))
        assert "fd00::5" not in fetched("fetch.alt.", None)
        assert "fd00::" not in fetched("garden.alt.", (name, secret)), "that zone only"
        assert "ns.alt." not in fetched("alt.", (name, secret))
        domains.forbid_transfer(network.desk, ANN, "fetch.alt.")
        network.settled()
        until(lambda: "fd00::5" not in fetched("fetch.alt.", (name, secret)), 10, network.writer.log, 0.2)
        assert [one for one in network.primary.api.call("GET", "/tsigkeys") if one["name"].startswith("axfr")] == []
    finally:
        network.primary.kill()
        network.primary.transfers = "::1"
        network.primary.start()


def test_site_yml_takes_nothing_of_the_registrys(network: Network) -> None:
    """Pruning leaves zones, delegations and the log's head; a declared zone that is registered is refused."""
    network.settled()
    before = {zone: network.held(zone) for zone in ("alt.", "garden.alt.", "kill-03.alt.")}
    report = network.plan(prune=True, prune_at_most=100)
    assert not report.result()["changed"]
    assert {zone: network.held(zone) for zone in before} == before
    sets = [{"name": "garden.alt.", "type": "NS", "ttl": 3600, "records": ["ns.alt."]}]
    with pytest.raises(PowerdnsError, match=r"altnet_zones: declares the zone garden\.alt\., and .*registered"):
        network.plan({"name": "garden.alt.", "parent": "alt.", "rrsets": sets, "keys": []})


def test_drift_is_mended_by_the_running_writer(network: Network) -> None:
    """Somebody with PowerDNS's key has been there."""
    network.settled()
    before = {zone: network.held(zone) for zone in ("alt.", "garden.alt.", "kill-03.alt.")}
    api = network.primary.api
    api.call("DELETE", "/zones/kill-03.alt.")
    evil = {"name": "garden.alt.", "type": "AAAA", "ttl": 1, "records": [{"content": "fd00::bad", "disabled": False}]}
    api.call("PATCH", "/zones/garden.alt.", {"rrsets": [{**evil, "changetype": "REPLACE"}]})
    gone = [{"name": "garden.alt.", "type": kind, "changetype": "DELETE"} for kind in ("NS", "DS")]
    api.call("PATCH", "/zones/alt.", {"rrsets": gone})
    network.writer.kill()
    network.write()  # it compares when it begins, and each minute from then on
    until(
        lambda: "kill-03.alt." in network.primary.zones()
        and {zone: network.held(zone) for zone in before} == before,
        30, network.writer.log, 0.2,
    )  # fmt: skip
    until(lambda: network.unbound.valid("garden.alt.", "AAAA", "fd00::2"), 20, network.writer.log, 0.1)


def test_a_lost_primary_is_rebuilt(network: Network) -> None:
    """300 zones on an empty primary, by the verb: the same keys, so that nobody notices.

    As dns-bulk has it: PowerDNS does not wait for the disk, and is killed at the end with nothing lost.
    """
    network.writer.kill()
    fill(network.store, (f"r{number:03}-name.alt." for number in range(300)), 2)
    network.primary.kill()
    for file in network.primary.directory.glob("zones.lmdb*"):
        file.unlink()
    network.primary.start("--lmdb-sync-mode=nosync")
    network.plan()
    parts = build.parts(Settings.load(network.settings))
    report = Rebuild(network.store, parts.maker, parts.primary, parts.watch).run()
    print("\n".join(report.lines()))
    assert report.problems == []
    assert report.made >= 320
    network.primary.kill()
    network.primary.start()
    for name in ("garden.alt.", "h0.r007-name.alt.", "h1.r299-name.alt."):
        until(lambda name=name: network.unbound.asked(name, "AAAA")[:2] == ("NOERROR", True)  # type: ignore[misc]
              or network.unbound.flush(), 30, network.primary.log, 0.2)  # fmt: skip
    network.write()
    network.settled()


def test_an_empty_database_wipes_nothing(network: Network) -> None:
    network.writer.kill()
    before = network.primary.zones()
    with network.store.read() as connection:
        going, why = guard.strays(connection, ["garden.alt."], 20, network.desk.clock())
    assert going == ["garden.alt."], "one alone may go"
    assert why == ""
    other = Network(network.root / "empty", network.policy)
    try:
        other.primary.api_port = network.primary.api_port
        other._settings()
        other.write()
        until(lambda: state.observed(other.desk, "drift")[0], 30, other.writer.log, 0.2)
        said, _ = state.observed(other.desk, "drift")
        assert "restore the database" in said["differences"][0]
        assert "garden.alt." in said["guarded"]
        time.sleep(1)
    finally:
        other.writer.kill()
        other.store.close()
    assert network.primary.zones() == before
