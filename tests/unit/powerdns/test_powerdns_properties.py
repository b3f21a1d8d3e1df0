"""Whatever PowerDNS holds: one run makes it the desired set, the next sends nothing, and nobody else's is touched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from powerdns_fakes import World, key, rrset, zone

LABELS = ["a", "b", "c", "*"]
ADDRESSES = st.lists(st.integers(1, 9).map("fd12:3456:789a::{}".format), min_size=1, max_size=3)
TEXTS = st.lists(st.sampled_from(['"one"', '"two"', '"t\\"hree"']), min_size=1, max_size=2)
RRSETS = st.dictionaries(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(["AAAA", "TXT"])),
    st.tuples(ADDRESSES, TEXTS, st.sampled_from([60, 3600])),
    max_size=6,
)
KEYS = st.lists(st.sampled_from(["k1", "k2", "k3"]), unique=True, max_size=2)
ZONES = st.dictionaries(st.sampled_from(["alt.", "net.alt.", "neo."]), st.tuples(RRSETS, KEYS), min_size=1)


def made(plan):
    found = []
    for name, (rrsets, keys) in plan.items():
        records = [
            rrset(f"{label}.{name}", kind, *(addresses if kind == "AAAA" else texts), ttl=ttl)
            for (label, kind), (addresses, texts, ttl) in rrsets.items()
        ]
        found.append(zone(name, *records, keys=[key("always"), *map(key, keys)]))
    return found


@settings(deadline=None)
@given(ZONES, ZONES)
def test_one_run_is_enough(first, second) -> None:
    world = World()
    world.run(*made(first))
    world.run(*made(second), prune=True, prune_at_most=100)
    for one in made(second):
        wanted = {(r["name"], r["type"], r["ttl"], tuple(sorted(set(r["records"])))) for r in one["rrsets"]}
        assert world.held(one["name"]) == wanted
        assert {k["privatekey"] for k in world.api.keys[one["name"]]} >= {k["private"] for k in one["keys"]}
    assert set(world.api.zones) == {"catalog.invalid.", *second}
    world.api.sent()
    assert world.run(*made(second), prune=True).result()["changed"] is False
    assert world.api.sent() == []


@settings(deadline=None)
@given(ZONES, ZONES)
def test_without_prune_nothing_is_lost(first, second) -> None:
    world = World()
    world.run(*made(first))
    before = {name: world.held(name) for name in first}
    world.run(*made(second))
    for name, held in before.items():
        spots = {(one[0], one[1]) for one in world.held(name)}
        assert {(one[0], one[1]) for one in held} <= spots


@settings(deadline=None)
@given(ZONES, ZONES)
def test_serials_only_go_up(first, second) -> None:
    world = World()
    world.run(*made(first))
    before = {name: one["serial"] for name, one in world.api.zones.items()}
    report = world.run(*made(second))
    for name, serial in before.items():
        moved = world.api.zones[name]["serial"] - serial
        assert moved > 0 if name in report.updated else moved == 0
