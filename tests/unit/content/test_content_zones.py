"""Sites' names in the zones."""

from __future__ import annotations

from altnet.content.zones import with_sites
from altnet.naming.model import Declared, RRSet

ADDRESS = "fd12:3456:789a::5"


def owners(zones: tuple[Declared, ...]) -> dict[str, list[str]]:
    return {zone.name: [f"{entry.name} {entry.type}" for entry in zone.rrsets] for zone in zones}


def test_the_nearest_zone_has_the_name() -> None:
    declared = (Declared("shop.alt.", ()), Declared("eu.shop.alt.", (), ("x.eu.shop.alt.",)))
    sites = dict.fromkeys(("www.shop.alt", "shop.alt", "a.eu.shop.alt", "start.alt", "b.neo"), ADDRESS)
    found = with_sites(declared, sites, ["alt", "neo"])
    assert owners(found) == {
        "alt.": ["start.alt. AAAA"],
        "eu.shop.alt.": ["a.eu.shop.alt. AAAA"],
        "neo.": ["b.neo. AAAA"],
        "shop.alt.": ["shop.alt. AAAA", "www.shop.alt. AAAA"],
    }
    assert next(zone for zone in found if zone.children).children == ("x.eu.shop.alt.",)


def test_what_the_operator_wrote_stays() -> None:
    written = RRSet("www.shop.alt.", "CNAME", 60, ("elsewhere.alt.",))
    declared = (Declared("shop.alt.", (written, RRSet("shop.alt.", "TXT", 60, ('"x"',)))),)
    found = with_sites(declared, {"www.shop.alt": ADDRESS, "shop.alt": ADDRESS}, ["alt"])
    assert owners(found) == {"shop.alt.": ["shop.alt. AAAA", "shop.alt. TXT", "www.shop.alt. CNAME"]}


def test_nothing_changes_without_sites() -> None:
    declared = (Declared("shop.alt.", ()),)
    assert with_sites(declared, {}, ["alt"]) == declared
