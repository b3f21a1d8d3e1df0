"""A secondary's zones as the source of a new primary's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from powerdns_fakes import rrset, zone

from altnet.powerdns import former
from altnet.powerdns.errors import PowerdnsError, problem, text
from altnet.powerdns.held import complete, held, merged

OURS, OTHERS = "257 3 13 b3Vycw==", "257 3 13 b3RoZXJz"


def answer(name, *rrsets):
    """PowerDNS's own answer about a zone that it was given ready signed."""
    made = [
        rrset(name, "SOA", "ns.alt. hostmaster.alt. 7 300 60 1209600 300"),
        rrset(name, "DNSKEY", OURS),
        rrset(name, "RRSIG", "SOA 13 1 3600 20300101000000 20200101000000 7 alt. c2ln"),
        rrset(name, "NS", "ns.alt."),
    ]
    plain = [
        {**one, "records": [{"content": text, "disabled": False} for text in one["records"]]}
        for one in (*made, *rrsets)
    ]
    return {"name": name, "kind": "Slave", "rrsets": plain}


def keys_of(name):
    return [{"private": f"key of {name}"}], [OURS]


def spots(one):
    return {(entry["name"], entry["type"]) for entry in one["rrsets"]}


def test_what_the_former_primary_made_is_left_out() -> None:
    found = held(answer("shop.alt.", rrset("www.shop.alt.", "AAAA", "fd12:3456:789a::80")))
    assert spots(found) == {("shop.alt.", "NS"), ("www.shop.alt.", "AAAA")}
    assert found["signed_by"] == [OURS]


def test_the_inventory_stands_above_and_others_records_come_along() -> None:
    member = rrset("shop.alt.", "DS", "1 13 2 " + "ab" * 32)
    alt = held(answer("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::dead"), member))
    desired = zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54"))
    (one, shop), problems = merged([desired], [alt, held(answer("shop.alt."))], keys_of)
    assert problems == []
    assert spots(one) == {("alt.", "NS"), ("ns.alt.", "AAAA"), ("shop.alt.", "DS")}
    assert next(e["records"] for e in one["rrsets"] if e["type"] == "AAAA") == ["fd12:3456:789a::2:54"]
    assert one["keys"] == desired["keys"]
    assert (shop["name"], shop["keys"]) == ("shop.alt.", [{"private": "key of shop.alt."}])


def test_a_zone_signed_by_other_keys_is_refused() -> None:
    zones, problems = merged([], [held(answer("shop.alt."))], lambda name: ([{"private": ""}], [OTHERS]))
    assert zones == []
    assert "zone shop.alt.: is signed by another key than the master secret gives" in str(problems[0])


def test_a_zone_that_was_not_signed_stays_so() -> None:
    plain = held(answer("shop.alt."))
    zones, problems = merged([], [{**plain, "signed_by": []}], keys_of)
    assert (zones[0]["keys"], problems) == ([], [])


@pytest.mark.parametrize("now", [["2 13 2 " + "cd" * 32], []], ids=["rolled", "unsigned"])
def test_a_child_keeps_the_ds_that_it_asked_for(now) -> None:
    cut = rrset("lab.alt.", "NS", "ns.neo.")
    desired = {**zone("alt.", cut, rrset("lab.alt.", "DS", "1 13 2 " + "ab" * 32)), "children": ["lab.alt."]}
    found = held(answer("alt.", cut, *([rrset("lab.alt.", "DS", *now)] if now else [])))
    ((one,), _) = merged([desired], [found], keys_of)
    assert [entry["records"] for entry in one["rrsets"] if entry["type"] == "DS"] == ([now] if now else [])
    ((new,), _) = merged([desired], [held(answer("alt."))], keys_of)
    assert ("lab.alt.", "DS") in spots(new), "it is delegated for the first time"


def test_a_host_without_zones_is_not_promoted() -> None:
    for consent in (False, True):
        with pytest.raises(PowerdnsError) as caught:
            complete([{"name": "alt.", "rrsets": []}], consent=consent)
        assert text(caught.value) == (
            "promote_host: this host holds no zones, and all others would follow it. Remedy: name a server that has "
            "them, or wait until this one has fetched them."
        )


def test_a_host_that_has_not_fetched_all_is_promoted_with_consent_only() -> None:
    whole, empty = held(answer("alt.")), {"name": "shop.alt.", "rrsets": []}
    assert complete([whole], consent=False) == [whole]
    with pytest.raises(PowerdnsError, match=r"promote_host: this host has not fetched shop\.alt\.\. Remedy"):
        complete([whole, empty], consent=False)
    assert complete([whole, empty], consent=True) == [whole]


def silent():
    raise PowerdnsError(problem("[::1]:8081", "PowerDNS's API does not answer", "see"))


def test_where_powerdns_does_not_say_the_copy_does(tmp_path: Path) -> None:
    zones, nothing = [held(answer("alt."))], {"before": tmp_path, "now": tmp_path}
    copy = tmp_path / "held.json"
    assert former.held_here(lambda: zones, copy, **nothing) == (zones, True)
    with pytest.raises(PowerdnsError, match="API does not answer"):
        former.held_here(silent, copy, **nothing)
    copy.write_text(json.dumps(zones))
    assert former.held_here(silent, copy, **nothing) == (zones, False)
