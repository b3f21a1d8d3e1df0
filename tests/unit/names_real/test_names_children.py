"""A child's key roll from its first DS to its last, by its CDS alone: real servers, and a resolver that validates."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from names_servers import MISSING, PowerDns, RealTime, Unbound
from tests.daemons import until

from altnet.delegation import follow
from altnet.delegation.judge import Said

pytestmark = [
    pytest.mark.xdist_group("names-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]
TLD, OTHER, CHILD = "alt.", "neo.", "shop.alt."
WWW = f"www.{CHILD}"


class Network:
    """Our primary with two TLDs, a child at another server, and a resolver."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ours, self.theirs = PowerDns(root / "ours", RealTime()), PowerDns(root / "theirs", RealTime())
        self.resolver: Unbound | None = None

    def start(self) -> None:
        for server in (self.ours, self.theirs):
            server.start()
        self.ours.make_zone(TLD, 300, {"ns": ("A", "127.0.0.1")})
        self.ours.make_zone(OTHER, 300, {"ns": ("A", "127.0.0.1")})
        self.theirs.make_zone(CHILD, 300, {"ns": ("A", "127.0.0.1"), "www": ("AAAA", "fd12:3456:789a::80")})
        self.ours.change(TLD, CHILD, "NS", f"ns.{CHILD}")
        self.ours.change(TLD, f"ns.{CHILD}", "A", "127.0.0.1")
        anchors = "".join(self.ours.dig("+noall", "+answer", zone, "DNSKEY") for zone in (TLD, OTHER))
        stubs = ((OTHER, self.ours.port), (CHILD, self.theirs.port))
        setting = "".join(f'\nstub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{port}\n' for zone, port in stubs)
        self.resolver = Unbound(self.root / "resolver", self.ours, anchors, setting)
        self.resolver.start()
        key = self.root / "api.key"
        key.write_text("test")
        key.chmod(0o600)
        settings: dict[str, Any] = {
            "api": {"address": "127.0.0.1", "port": self.ours.api, "key_file": str(key)},
            "resolver": {"address": "127.0.0.1", "port": self.resolver.port},
            "port": self.theirs.port,
            "state": str(self.root / "children.json"),
            # The first one's zone is not published yet.
            "children": [{"name": "lab.gone.", "zone": "gone."}, {"name": CHILD, "zone": TLD}],
        }
        (self.root / "settings.json").write_text(json.dumps(settings))

    def stop(self) -> None:
        for server in (self.ours, self.theirs, self.resolver):
            if server is not None:
                server.kill()

    def publish(self, *digests: str) -> None:
        """Have the child publish CDS and CDNSKEY, as `pdnsutil set-publish-cds` does; "0" asks for no DS."""
        for kind, values in (("CDS", list(digests)), ("CDNSKEY", ["0" if "0" in digests else "1"])):
            body = {"kind": f"PUBLISH-{kind}", "metadata": values}
            self.theirs.call("PUT", f"/zones/{CHILD}/metadata/PUBLISH-{kind}", body)
        self.forget()

    def forget(self) -> None:
        """Have the child's server answer anew at once."""
        self.theirs.call("PUT", f"/cache/flush?domain={CHILD}")

    def add_key(self) -> int:
        body = {"keytype": "csk", "active": True, "algorithm": "ecdsa256"}
        made = int(self.theirs.call("POST", f"/zones/{CHILD}/cryptokeys", body)["id"])
        self.forget()
        return made

    def drop_key(self, number: int) -> None:
        self.theirs.call("DELETE", f"/zones/{CHILD}/cryptokeys/{number}")
        self.forget()

    def keys(self) -> dict[int, str]:
        """Return the DS of each of the child's keys, by its number."""
        return {
            one["id"]: next(text for text in one["ds"] if " 13 2 " in text)
            for one in self.theirs.call("GET", f"/zones/{CHILD}/cryptokeys")
        }

    def ds(self) -> set[str]:
        """Return the DS that our server has."""
        found = [line.split() for line in self.ours.dig("+short", "+norec", CHILD, "DS").splitlines()]
        return {" ".join([*words[:3], "".join(words[3:]).lower()]) for words in found}

    def follow(self, caplog: pytest.LogCaptureFixture) -> str:
        caplog.clear()
        caplog.set_level(logging.INFO)
        assert follow.main(str(self.root / "settings.json")) == 1
        assert len(caplog.messages) == 2
        assert any(one.startswith("lab.gone.: zone gone.: PowerDNS refuses it (404)") for one in caplog.messages)
        return next(one for one in caplog.messages if one.startswith(CHILD))

    def asked(self, wanted: str) -> str:
        """Return what the resolver says of the child; it may know a key for a second that has just gone."""
        assert self.resolver is not None
        deadline = time.monotonic() + 3
        while (said := self.resolver.asked(WWW, "AAAA")) != wanted and time.monotonic() < deadline:
            time.sleep(0.2)
        return said


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_a_child_from_its_first_ds_to_its_last(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    ((old, first),) = network.keys().items()
    assert network.follow(caplog) == f"{CHILD} left as it is: asks for nothing"
    network.publish("2")
    told = network.follow(caplog)
    assert "all its servers are below itself" in told
    network.ours.change(TLD, CHILD, "DS", first)
    assert network.follow(caplog) == f"{CHILD} has the DS it asks for"
    assert network.asked("NOERROR AD") == "NOERROR AD"
    new = network.add_key()
    both = set(network.keys().values())
    assert "asks for" in network.follow(caplog)
    assert (network.ds(), network.asked("NOERROR AD")) == (both, "NOERROR AD")
    network.drop_key(old)
    network.follow(caplog)
    assert (network.ds(), network.asked("NOERROR AD")) == ({network.keys()[new]}, "NOERROR AD")
    network.publish("0")
    assert network.follow(caplog) == f"{CHILD} asks for no DS"
    assert (network.ds(), network.asked("NOERROR")) == (set(), "NOERROR")


def test_a_child_that_nobody_vouches_for(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever answers in the child's place, or has its address, changes nothing: the DS that is there has to agree."""
    ((old, first),) = network.keys().items()
    network.ours.change(TLD, CHILD, "DS", first)
    network.publish("2")
    network.add_key()
    network.drop_key(old)
    before = network.ours.serial(TLD)
    assert "no key that its DS names signs its keys" in network.follow(caplog)
    assert (network.ds(), network.ours.serial(TLD)) == ({first}, before)
    network.theirs.kill()
    assert "does not answer" in network.follow(caplog)
    assert network.ds() == {first}


def test_a_delegation_that_is_changed_while_its_servers_are_asked(
    network: Network, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, first),) = network.keys().items()
    network.ours.change(TLD, CHILD, "DS", first)
    network.publish("2")
    network.add_key()
    other = f"12345 13 2 {'ab' * 32}"
    said = follow.Asker.said

    def slowly(asker: follow.Asker, one: follow.Delegation) -> list[Said]:
        found = said(asker, one)
        network.ours.change(TLD, CHILD, "DS", other)
        return found

    monkeypatch.setattr(follow.Asker, "said", slowly)
    assert network.follow(caplog) == f"{CHILD} left as it is: its delegation was changed meanwhile"
    assert network.ds() == {other}


def test_a_childs_first_ds_by_its_servers_names(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 9615: a server that is outside the child has the child's wish below its own name too, which is signed."""
    network.publish("2")
    network.ours.change(TLD, CHILD, "NS", f"ns.{OTHER}")
    assert "says something else than the child" in network.follow(caplog)
    for kind in ("CDS", "CDNSKEY"):
        value = network.theirs.dig("+short", "+nosplit", CHILD, kind).strip()
        network.ours.change(OTHER, f"_dsboot.{CHILD}_signal.ns.{OTHER}", kind, value)
    until(lambda: "asks for" in network.follow(caplog), 10, network.ours.log)
    assert (network.ds(), network.asked("NOERROR AD")) == (set(network.keys().values()), "NOERROR AD")
    assert network.follow(caplog) == f"{CHILD} has the DS it asks for"
