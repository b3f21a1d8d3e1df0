"""A primary that has lost its zones: what it may publish alone, and what its secondaries save."""

from __future__ import annotations

import pytest
from powerdns_fakes import arguments, rrset, word, zone

from altnet.powerdns import order
from altnet.powerdns.errors import PowerdnsError, text

SHOP = zone("shop.alt.", rrset("www.shop.alt.", "AAAA", "fd12:3456:789a::80"))
ALT = zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54"))
NAMED = zone("alt.", *ALT["rrsets"][1:], rrset("shop.alt.", "NS", "ns.alt."), rrset("shop.alt.", "DS", "1 13 2 ab"))
FRA = rrset("fra.net.alt.", "AAAA", "fd12:3456:789a::1")
NET = {**zone("net.alt.", FRA), "owns": ["net.alt."]}


def refused(world, *zones) -> str:
    """Return what is said, in both modes alike, with nothing sent."""
    said = set()
    for check_mode in (True, False):
        with pytest.raises(PowerdnsError) as caught:
            world.run(*zones, check_mode=check_mode)
        said.add(text(caught.value))
    assert world.api.sent() == []
    (one,) = said
    return one


def test_a_new_network_is_published(world) -> None:
    world.witnesses.hold("fra")
    world.witnesses.hold("nyc", None)
    assert world.run(ALT, NET).created == ["alt.", "net.alt."], "its secondaries stand, and one of them is enough"


def test_a_primary_without_secondaries_is_published(world) -> None:
    assert world.run(ALT, NET).created == ["alt.", "net.alt."]


def test_one_that_has_its_catalog_asks_nobody(world) -> None:
    world.run(ALT, NET)
    world.witnesses.asked.clear()
    world.witnesses.hold("fra", ALT, NET, SHOP)
    world.run(ALT, NET)
    assert world.witnesses.asked == []


def test_zones_that_only_a_secondary_has_are_not_lost(world) -> None:
    world.witnesses.hold("nyc", ALT)
    world.witnesses.hold("fra", NAMED, NET, SHOP)
    assert refused(world, ALT, NET) == (
        "dns_authoritative_start_anew: this primary has lost its zones, and fra has shop.alt. DS, shop.alt. NS, zone "
        "shop.alt., which the inventory does not declare. Remedy: make another server the primary, which keeps "
        "everything (`ansible-playbook playbooks/promote.yml -e promote_host=fra`); to give up what the inventory does "
        "not declare, set dns_authoritative_start_anew."
    )


def test_nobody_is_asked_any_more_once_something_would_be_lost(world) -> None:
    world.witnesses.hold("fra", NAMED, NET, SHOP)
    world.witnesses.hold("nyc", ALT)
    refused(world, ALT, NET)
    assert world.witnesses.asked == ["", "fra"] * 2


def test_many_are_counted(world) -> None:
    world.witnesses.hold("fra", *(zone(f"shop{number}.alt.") for number in range(7)))
    assert "zone shop4.alt. and 2 more, which the" in refused(world, ALT)


def test_what_the_inventory_declares_is_published_again(world) -> None:
    world.witnesses.hold("fra", NAMED, NET, SHOP)
    assert world.run(NAMED, NET, SHOP).created == ["alt.", "net.alt.", "shop.alt."]


def test_hosts_that_have_gone_are_no_loss(world) -> None:
    world.witnesses.hold("fra", ALT, zone("net.alt.", FRA, rrset("sao.net.alt.", "AAAA", "fd12:3456:789a::9")))
    assert world.run(ALT, NET).created == ["alt.", "net.alt."]


def test_where_nobody_says_what_there_was(world) -> None:
    world.witnesses.hold("fra", None)
    world.witnesses.hold("nyc", None)
    assert refused(world, ALT) == (
        "dns_authoritative_start_anew: this primary has no zones, and no secondary says what there was; no word from "
        "fra, nyc. Remedy: run again with one of them that answers on the fabric; to give up what the inventory does "
        "not declare, set dns_authoritative_start_anew."
    ), "whatever this host remembers: it may have been installed anew"


def test_one_that_answers_is_enough(world) -> None:
    world.witnesses.hold("fra", ALT)
    world.witnesses.hold("nyc", None)
    assert world.run(ALT).created == ["alt."]


@pytest.mark.parametrize("others", [None, "silent", "new"])
def test_the_only_other_server_has_what_it_held_before_it_became_the_primary(world, others) -> None:
    world.witnesses.before = word("core3", ALT, SHOP)
    if others:
        world.witnesses.hold("fra", *([None] if others == "silent" else []))
    said = refused(world, ALT)
    assert "its data of when it was a secondary have zone shop.alt., which the inventory does not declare" in said
    assert (
        "Remedy: promote this host, which keeps them (`ansible-playbook playbooks/promote.yml -e promote_host=core3`)"
        in said
    )


def test_what_it_held_long_ago_is_no_loss_where_a_secondary_holds_more_recent_zones(world) -> None:
    world.witnesses.before = word("core3", ALT, SHOP)
    world.witnesses.hold("fra", ALT)
    assert world.run(ALT).created == ["alt."]


@pytest.mark.parametrize("anew", [False, True])
def test_the_module_asks_unless_told_not_to(world, monkeypatch, tmp_path, anew) -> None:
    monkeypatch.setattr(order, "_api", lambda *_, **__: world.api)
    monkeypatch.setattr(order, "DnsWitnesses", lambda *_, **__: world.witnesses)
    path = tmp_path / "order.json"
    order.run(arguments(ALT), check_mode=False, path=path)
    world.api.zones.clear()
    world.witnesses.hold("fra", None)
    if anew:
        assert order.run(arguments(ALT, start_anew=True), check_mode=False, path=path).created == ["alt."]
    else:
        with pytest.raises(PowerdnsError, match="no secondary says what there was"):
            order.run(arguments(ALT), check_mode=False, path=path)
        assert order.stands(path) is None


def test_what_a_child_asked_for_is_not_in_the_inventory(world) -> None:
    children = {**NAMED, "children": ["shop.alt."]}
    world.witnesses.hold("fra", NAMED)
    assert "fra has shop.alt. DS, which the inventory" in refused(world, children)
