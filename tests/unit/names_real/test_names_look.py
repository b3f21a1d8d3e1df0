"""What `check` asks of names, with a real PowerDNS and a real Unbound to ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from names_servers import DAY, MISSING, PowerDns, RealTime, Unbound
from tests.daemons import until

from altnet.host import names

pytestmark = [
    pytest.mark.xdist_group("names-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]
#: The servers of this suite are at IPv4's loopback, and we ask by IPv6's sockets.
HERE = "::ffff:127.0.0.1"
FRA = "fd12:3456:789a::1"


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PowerDns, Unbound, str]]:
    """A primary with a TLD and its child, a resolver that trusts the TLD's key, and that key's DS."""
    server = PowerDns(tmp_path / "primary", RealTime())
    resolver = None
    try:
        server.start()
        server.call("POST", "/zones", {"name": names.CATALOG, "kind": "Producer", "nameservers": ["invalid."]})
        server.make_zone("alt.", 10_800, {"ns": ("AAAA", FRA)})
        server.make_zone("net.alt.", 10_800, {"fra": ("AAAA", FRA)}, ns="ns.alt.")
        for zone in ("alt.", "net.alt."):
            server.call("PUT", f"/zones/{zone}", {"catalog": names.CATALOG})
        ds = {zone: server.ds(zone) for zone in ("alt.", "net.alt.")}
        server.change("alt.", "net.alt.", "NS", "ns.alt.")
        server.change("alt.", "net.alt.", "DS", ds["net.alt."])
        resolver = Unbound(tmp_path / "resolver", server, server.dig("+noall", "+answer", "alt.", "DNSKEY"), "")
        resolver.start()
        monkeypatch.setattr(names, "SERVER", HERE)
        monkeypatch.setattr(names, "SERVER_PORT", server.port)
        monkeypatch.setattr(names, "DNS_PORT", resolver.port)
        yield server, resolver, ds["alt."]
    finally:
        for one in (server, resolver):
            if one is not None:
                one.kill()


def look(ds: str, *questions: tuple[str, str, str], wait: float = 1.0) -> names.Sight:
    return names.look(
        HERE, HERE, questions, server=True, resolves=True, primary=HERE, anchors={"alt": [ds]}, wait=wait
    )  # fmt: skip


def test_a_network_that_is_well(servers: tuple[PowerDns, Unbound, str]) -> None:
    sight = look(servers[2], ("fra.net.alt.", "AAAA", FRA), ("ns.alt.", "AAAA", FRA), wait=10)
    assert (sight.asked, sight.wrong, sight.broken) == (2, [], [])
    assert sorted(sight.zones) == ["alt.", "net.alt."]
    assert all(7 * DAY <= (zone.left or 0) <= 14 * DAY for zone in sight.zones.values())
    assert sight.zones["alt."].serial == servers[0].serial("alt.")


def test_a_secondary_tells_the_same_from_its_catalog(
    servers: tuple[PowerDns, Unbound, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _, ds = servers
    secondary = PowerDns(tmp_path / "secondary", RealTime(), server)
    try:
        secondary.start()
        secondary.follow(names.CATALOG, kind="Consumer")
        until(lambda: secondary.serial("net.alt.") > 0 and secondary.serial("alt.") > 0, 20, secondary.log)
        at_primary, broken = names.served({"alt": [ds]}, 10, time.time())
        assert broken == []
        monkeypatch.setattr(names, "SERVER_PORT", secondary.port)
        at_secondary, broken = names.served({"alt": [ds]}, 10, time.time())
        assert broken == []
    finally:
        secondary.kill()
    assert {name: (zone.serial, zone.records) for name, zone in at_secondary.items()} == {
        name: (zone.serial, zone.records) for name, zone in at_primary.items()
    }


def test_what_is_wrong_is_told(servers: tuple[PowerDns, Unbound, str]) -> None:
    server, _, ds = servers
    other = f"{ds[:-1]}{'0' if ds[-1] != '0' else '1'}"
    sight = look(other, ("fra.net.alt.", "AAAA", "fd12:3456:789a::2"), ("nobody.net.alt.", "AAAA", FRA))
    assert sight.wrong == [
        f"fra.net.alt. AAAA is {FRA} and should be fd12:3456:789a::2",
        "nobody.net.alt. AAAA is answered with NXDOMAIN",
    ]
    assert sight.broken == ["alt. has no key that the anchor names"]
    server.change("alt.", "net.alt.", "DS", other)
    sight = look(ds, ("fra.net.alt.", "AAAA", FRA))
    assert "net.alt. has no key that its parent's DS names" in sight.broken
