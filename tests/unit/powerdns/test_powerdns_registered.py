"""What the registry has on the primary: pruning leaves it, no declaration writes over it, a promotion keeps it."""

from __future__ import annotations

from typing import Any

import pytest
from powerdns_fakes import CATALOG, World, key, rrset, zone

from altnet.powerdns import registered
from altnet.powerdns.errors import PowerdnsError
from altnet.powerdns.held import merged

GARDEN = [rrset("garden.alt.", "NS", "ns.alt."), rrset("garden.alt.", "DS", "1 13 2 " + "ab" * 32)]
SHOP = [rrset("shop.alt.", "NS", "ns.shop.alt."), rrset("ns.shop.alt.", "AAAA", "fd00::53")]
AUDIT = rrset("_audit.alt.", "TXT", '"n=1"')


def plain(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "records": [{"content": text, "disabled": False} for text in one["records"]]}


@pytest.fixture
def network(world: World) -> World:
    """Return a network in which the registry has a zone, a delegation to a holder's server, and its log's head."""
    world.run(zone("alt."), zone("net.alt."))
    world.api.call(
        "POST",
        "/zones",
        {
            "name": "garden.alt.", "kind": "Master", "catalog": CATALOG, "account": registered.ACCOUNT,
            "rrsets": [plain(rrset("garden.alt.", "NS", "ns.alt."))],
        },
    )  # fmt: skip
    world.api.zones["alt."]["rrsets"] += [plain(one) for one in (*GARDEN, *SHOP, AUDIT)]
    registered.mark(world.api, "alt.", ["shop.alt.", "_audit.alt."])
    world.api.sent()
    return world


def test_pruning_leaves_it(network: World) -> None:
    before = network.held("alt.")
    report = network.run(zone("alt."), zone("net.alt."), prune=True, prune_at_most=100)
    assert not report.result()["changed"]
    assert network.held("alt.") == before
    assert "garden.alt." in network.api.zones


def test_pruning_takes_what_is_neither_the_registrys_nor_declared(network: World) -> None:
    more = [rrset("old.alt.", "AAAA", "fd00::9"), rrset("stray.alt.", "NS", "ns.stray.alt.")]
    network.api.zones["alt."]["rrsets"] += [plain(one) for one in more]
    network.run(zone("alt."), zone("net.alt."), prune=True, prune_at_most=100)
    names = {one[0] for one in network.held("alt.")}
    assert {"old.alt.", "stray.alt."}.isdisjoint(names)
    assert {"garden.alt.", "shop.alt.", "ns.shop.alt.", "_audit.alt."} <= names


def test_it_is_no_stranger(network: World) -> None:
    report = network.run(zone("alt."), zone("net.alt."))
    assert report.left == []


@pytest.mark.parametrize("name", ["garden.alt.", "shop.alt.", "deep.garden.alt.", "deep.shop.alt."])
def test_a_declared_zone_that_is_registered_is_refused(network: World, name: str) -> None:
    with pytest.raises(PowerdnsError, match=r"altnet_zones: declares the zone .* is registered .*Remedy: leave it out"):
        network.run(zone("alt."), zone("net.alt."), zone(name))
    assert network.api.sent() == [], "nothing is half done"


@pytest.mark.parametrize("owner", ["garden.alt.", "www.garden.alt.", "shop.alt."])
def test_declared_records_at_a_registered_name_are_refused(network: World, owner: str) -> None:
    with pytest.raises(PowerdnsError, match="is registered"):
        network.run(zone("alt.", rrset(owner, "AAAA", "fd00::1")), zone("net.alt."))
    assert network.api.sent() == []


def test_many_conflicts_are_named_shortly(network: World) -> None:
    sets = [rrset(f"h{number}.garden.alt.", "AAAA", "fd00::1") for number in range(50)]
    with pytest.raises(PowerdnsError, match="and 40 more"):
        network.run(zone("alt.", *sets), zone("net.alt."))


def test_marks_come_and_go(network: World) -> None:
    assert registered.marked(network.api, "alt.") == {"shop.alt.", "_audit.alt."}
    registered.mark(network.api, "alt.", [])
    assert registered.marked(network.api, "alt.") == frozenset()
    assert registered.marked(network.api, "nowhere.") == frozenset()


class TestPromotion:
    @staticmethod
    def keys_of(name: str) -> tuple[list[dict[str, Any]], list[str]]:
        return [key(name)], [f"257 3 13 master-{name}"]

    @staticmethod
    def members(name: str) -> tuple[list[dict[str, Any]], list[str]]:
        return [key(f"member {name}")], [f"257 3 13 member-{name}"]

    def found(self, name: str, signer: str) -> dict[str, Any]:
        sets = [rrset(name, "NS", "ns.alt."), rrset(name, "AAAA", "fd00::1")]
        return {"name": name, "parent": None, "rrsets": sets, "signed_by": [f"257 3 13 {signer}-{name}"]}

    def test_a_members_zone_keeps_its_key_and_its_mark(self, world: World) -> None:
        found = [self.found("garden.alt.", "member"), self.found("alt.", "master")]
        found[1]["rrsets"] += GARDEN
        zones, problems = merged([zone("alt.")], found, self.keys_of, self.members)
        assert problems == []
        garden = next(one for one in zones if one["name"] == "garden.alt.")
        assert (garden["account"], garden["keys"]) == (registered.ACCOUNT, [key("member garden.alt.")])
        world.run(*zones)
        assert world.api.zones["garden.alt."]["account"] == registered.ACCOUNT
        assert not world.run(*zones).result()["changed"], "once is as good as twice"
        assert not world.run(zone("alt."), prune=True, prune_at_most=100).deleted

    def test_one_that_neither_signs_is_refused(self) -> None:
        _, problems = merged([zone("alt.")], [self.found("garden.alt.", "else")], self.keys_of, self.members)
        assert "another key" in problems[0].what

    def test_a_kill_between_a_key_and_the_serial_leaves_the_registrys_own_mark(self, world: World) -> None:
        mine = {**zone("garden.alt.", keys=[key("one"), key("two")]), "account": registered.ACCOUNT}
        world.run(zone("alt."), {**mine, "keys": [key("one")]})
        world.run(zone("alt."), mine)
        accounts = [
            body["account"] for method, _, body in world.api.requests if method == "PUT" and "account" in (body or {})
        ]
        assert accounts[-2:] == ["altnet-registry-keys", "altnet-registry"]
        assert set(accounts[-2:]) == registered.ACCOUNTS
