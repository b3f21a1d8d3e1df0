"""From the outbox to PowerDNS: in which order, what is refused, and that a kill anywhere loses nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from registry_fakes import ANN, OPERATOR, REVERSE, V6, KilledError, World, served
from sqlalchemy import insert, update

from altnet.powerdns.errors import PowerdnsError
from altnet.registry.acts import domains, records
from altnet.registry.domain.model import Hosting
from altnet.registry.storage import tables


def delegate(world: World, name: str, server: str = "ns.shop.alt.", address: str = "fd12:3456:789b::53") -> None:
    """Let a holder's own servers serve a name."""
    sets = [(name, "NS", [server]), (server, "AAAA", [address])]
    with world.store.write() as connection:
        connection.execute(tables.rrsets.delete().where(tables.rrsets.c.domain == name))
        connection.execute(
            insert(tables.rrsets),
            [{"domain": name, "name": owner, "type": kind, "ttl": 3600, "records": text} for owner, kind, text in sets],
        )
        connection.execute(
            update(tables.domains).where(tables.domains.c.name == name).values(hosting=Hosting.DELEGATED)
        )
        moment = world.time.date()
        connection.execute(
            insert(tables.outbox),
            {"zone": name, "kind": "domain", "created": moment, "next_try": moment, "attempts": 0},
        )


def test_a_name_becomes_a_signed_zone_and_then_its_parent_names_it(world: World) -> None:
    domains.register(world.desk, ANN, "garden", rrsets=[V6])
    world.settle()
    assert world.lines() == []
    assert world.held("garden.alt.") == {
        ("garden.alt.", "NS", 3600, ("ns.alt.",)),
        ("garden.alt.", "AAAA", 300, ("fd00::1",)),
    }
    zone = world.api.zones["garden.alt."]
    assert (zone["kind"], zone["catalog"], zone["account"]) == ("Master", "catalog.invalid.", "altnet-registry")
    assert len(world.api.keys["garden.alt."]) == 1
    assert world.delegated("garden.alt.") == served("garden.alt.")
    sent = world.api.sent()
    assert sent.index("PATCH /zones/alt.") > sent.index("PUT /zones/garden.alt.")
    assert {"garden.alt.", "alt."} <= set(world.told)


def test_nothing_is_sent_twice(world: World) -> None:
    domains.register(world.desk, ANN, "garden", rrsets=[V6])
    world.settle()
    world.api.sent()
    world.settle(3)
    assert world.api.sent() == []


def test_the_parent_waits_for_the_secondaries(world: World) -> None:
    world.stuck = {"fra"}
    domains.register(world.desk, ANN, "garden")
    for _ in range(20):
        world.round()
    assert "garden.alt." in world.api.zones
    assert not world.delegated("garden.alt.")
    assert "not served by fra" in world.lines()[0][2], "and an operator sees for what"
    world.stuck = set()
    world.settle()
    assert world.delegated("garden.alt.") == served("garden.alt.")
    assert world.lines() == []


def test_one_sick_secondary_does_not_stop_the_network(world: World) -> None:
    world.stuck = {"fra"}
    domains.register(world.desk, ANN, "garden")
    world.settle(70)
    assert world.delegated("garden.alt.") == served("garden.alt.")
    domains.register(world.desk, ANN, "next")
    world.settle(4)
    assert world.delegated("next.alt.") == served("next.alt."), "it is not waited for once more"


def test_one_that_says_nothing_is_not_waited_for(world: World) -> None:
    world.silent = {"fra"}
    domains.register(world.desk, ANN, "garden")
    world.settle(6)
    assert world.delegated("garden.alt.") == served("garden.alt.")


def test_many_names_are_one_request_to_their_parent(world: World) -> None:
    for number in range(60):
        domains.register(world.desk, ANN, f"n{number:02}-name")
    world.settle()
    assert world.lines() == []
    assert [one for one in world.api.sent() if one.startswith("PATCH")] == ["PATCH /zones/alt."]


def test_changes_within_a_second_are_coalesced_and_have_two_serials(world: World) -> None:
    domains.register(world.desk, ANN, "garden", rrsets=[V6])
    world.work.round()
    first = world.api.zones["garden.alt."]["serial"]
    for number in range(2, 6):
        records.put(world.desk, ANN, "garden.alt.", "@", "AAAA", 300, [f"fd00::{number}"])
    world.work.round()
    assert world.api.zones["garden.alt."]["serial"] == first, "it waits for the next second"
    world.settle()
    assert ("garden.alt.", "AAAA", 300, ("fd00::5",)) in world.held("garden.alt.")
    assert sum(one == "PATCH /zones/garden.alt." for one in world.api.sent()) == 1


def test_a_holders_own_servers(world: World) -> None:
    domains.register(world.desk, ANN, "shop", rrsets=[V6])
    world.settle()
    delegate(world, "shop.alt.")
    world.settle()
    assert "shop.alt." not in world.api.zones
    assert world.delegated("shop.alt.") == {
        ("shop.alt.", "NS", 3600, ("ns.shop.alt.",)),
        ("ns.shop.alt.", "AAAA", 3600, ("fd12:3456:789b::53",)),
    }
    assert world.api.metadata["alt.", "X-ALTNET-REGISTERED"] == ["shop.alt."]
    records.host(world.desk, ANN, "shop.alt.")
    world.settle()
    assert world.delegated("shop.alt.") == served("shop.alt."), "the glue is gone"
    assert not world.api.metadata.get(("alt.", "X-ALTNET-REGISTERED"))


def test_a_name_that_is_released_leaves_its_parent_first(world: World) -> None:
    domains.register(world.desk, ANN, "garden", rrsets=[V6])
    world.settle()
    world.api.sent()
    domains.release(world.desk, ANN, "garden.alt.")
    world.settle()
    sent = world.api.sent()
    assert sent.index("PATCH /zones/alt.") < sent.index("DELETE /zones/garden.alt.")
    assert not world.delegated("garden.alt.")


def test_hold_and_back(world: World) -> None:
    domains.register(world.desk, ANN, "garden", rrsets=[V6])
    world.settle()
    before = world.state()
    domains.hold(world.desk, OPERATOR, "garden.alt.", "phishing")
    world.settle()
    assert "garden.alt." not in world.api.zones
    domains.unhold(world.desk, OPERATOR, "garden.alt.")
    world.settle()
    assert world.state() == before, "the same key, the same DS"


def test_a_key_to_fetch_a_zone(world: World) -> None:
    domains.register(world.desk, ANN, "garden")
    _, name, secret = domains.allow_transfer(world.desk, ANN, "garden.alt.")
    world.settle()
    assert world.api.tsig[name] == {"name": name, "algorithm": "hmac-sha256", "key": secret}
    assert world.api.zones["garden.alt."]["master_tsig_key_ids"] == [name]
    _, other, _ = domains.allow_transfer(world.desk, ANN, "garden.alt.")
    world.settle()
    assert list(world.api.tsig) == [other], "a former one ends"
    domains.forbid_transfer(world.desk, ANN, "garden.alt.")
    world.settle()
    assert world.api.tsig == {}
    assert world.api.zones["garden.alt."]["master_tsig_key_ids"] == []


def test_a_transfer_ends_the_former_holders_key(world: World) -> None:
    domains.register(world.desk, ANN, "garden")
    domains.allow_transfer(world.desk, ANN, "garden.alt.")
    world.settle()
    domains.move(world.desk, OPERATOR, "garden.alt.", "bob", "sold")
    world.settle()
    assert world.api.tsig == {}


def test_a_reverse_zone(world: World) -> None:
    zone = f"0.8.{REVERSE}"
    moment = world.time.date()
    line = {"zone": zone, "kind": "prefix", "created": moment, "next_try": moment, "attempts": 0}
    with world.store.write() as connection:
        connection.execute(
            insert(tables.prefixes),
            {
                "prefix": "fd12:3456:789a:8000::/56", "first": "fd123456789a80000000000000000000", "size": 56,
                "holder": "ann", "created": moment, "updated": moment, "nameservers": ["ns.garden.alt."], "ds": [],
            },
        )  # fmt: skip
        connection.execute(insert(tables.outbox), line)
    world.settle()
    assert (zone, "NS", 3600, ("ns.garden.alt.",)) in world.held(REVERSE)
    with world.store.write() as connection:
        connection.execute(update(tables.prefixes).values(released=moment))
        connection.execute(insert(tables.outbox), line)
    world.settle()
    assert not [one for one in world.held(REVERSE) if one[0] == zone]


def test_what_powerdns_refuses_is_said_and_the_others_go_on(world: World) -> None:
    world.api.refuse = {"bad.alt.": "RRset bad.alt. IN DS: nonsense"}
    for name in ("good", "bad", "fine"):
        domains.register(world.desk, ANN, name)
    world.settle(20)
    assert world.delegated("good.alt.") == served("good.alt.")
    assert world.delegated("fine.alt.") == served("fine.alt.")
    [(name, attempts, error)] = world.lines()
    assert (name, attempts > 1) == ("bad.alt.", True)
    assert "nonsense" in error
    world.api.refuse = {}
    world.settle(60)
    assert world.delegated("bad.alt.") == served("bad.alt.")
    assert world.lines() == []


def test_a_primary_that_is_away_is_tried_again_and_the_order_stays(world: World) -> None:
    world.api.away = True
    for name in ("one", "two", "three"):
        domains.register(world.desk, ANN, f"name-{name}")
    for _ in range(300):
        world.time.second += 1
        with pytest.raises(PowerdnsError, match="does not answer"):
            world.work.round()
        world.work.forget()
    assert [name for name, _, _ in world.lines()] == ["name-one.alt.", "name-two.alt.", "name-three.alt."]
    world.api.away = False
    world.settle()
    assert world.lines() == []
    made = [path for method, path, body in world.api.requests if (method, path) == ("POST", "/zones")]
    assert len(made) == 3


def test_the_inventorys_zone_is_not_touched(world: World) -> None:
    world.plan("garden.alt.")
    before = world.state()
    domains.register(world.desk, ANN, "garden")
    world.settle(5)
    assert world.state() == before
    assert "zone of the inventory's" in world.lines()[0][2]
    domains.release(world.desk, ANN, "garden.alt.")
    world.settle(40)
    assert (world.state(), world.lines()) == (before, [])


def test_only_so_many_go_at_once(world: World) -> None:
    names = [f"gone-{number:02}" for number in range(30)]
    for name in names:
        domains.register(world.desk, ANN, name)
    world.settle()
    for name in names:
        domains.release(world.desk, ANN, f"{name}.alt.")
    world.settle(5)
    left = [name for name in world.api.zones if name.startswith("gone-")]
    assert len(left) == 10, "20 at once is the policy"
    assert all("20 a minute" in error for _, _, error in world.lines())
    world.settle(120)
    assert not [name for name in world.api.zones if name.startswith("gone-")], "what somebody did goes on in turns"
    assert world.lines() == []


def story(world: World) -> list[Callable[[], object]]:
    """Return acts, each of which leaves something to do."""
    desk = world.desk
    return [
        lambda: domains.register(desk, ANN, "garden", rrsets=[V6]),
        lambda: domains.register(desk, ANN, "shop", rrsets=[V6]),
        lambda: domains.allow_transfer(desk, ANN, "garden.alt."),
        lambda: records.put(desk, ANN, "garden.alt.", "www", "AAAA", 60, ["fd00::2"]),
        lambda: delegate(world, "shop.alt."),
        lambda: domains.allow_transfer(desk, ANN, "garden.alt."),
        lambda: domains.register(desk, ANN, "later"),
        lambda: records.host(desk, ANN, "shop.alt."),
        lambda: domains.release(desk, ANN, "garden.alt."),
        lambda: delegate(world, "later.alt.", "ns.elsewhere.alt."),
    ]


def without_secrets(state: dict[str, object]) -> str:
    """Return a state without the holders' keys, which are random."""
    return str({**state, "tsig": len(state["tsig"])})  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_request(tmp_path: Path, after: bool) -> None:
    """Whatever request is the last one of a writer, the next writer brings everything to the same end."""

    base = tmp_path / "base.sqlite"
    World(f"sqlite:///{base}").store.close()

    def told(kill: int | None, number: int) -> tuple[World, int]:
        place = tmp_path / f"{number}.sqlite"
        shutil.copy(base, place)
        world = World(f"sqlite:///{place}", fresh=False)
        world.api.left, world.api.after, spent = kill, after, 0
        for act in story(world):
            act()
            for _ in range(2):
                try:
                    world.settle(8)
                except KilledError:
                    spent += 1
                    world.api.left = None
                    world.restart()
        world.store.close()
        return world, len(world.api.requests)

    undisturbed, requests = told(None, 0)
    assert requests > 30
    wanted = without_secrets(undisturbed.state())
    for kill in range(0, requests, 2 if after else 1):
        world, _ = told(kill, kill + 1)
        assert without_secrets(world.state()) == wanted, f"killed at request {kill}"
        assert world.lines() == [], f"killed at request {kill}"
