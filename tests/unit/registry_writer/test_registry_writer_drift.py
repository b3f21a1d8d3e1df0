"""What the primary holds against what the rows say: drift of every kind is found and mended, and nothing is wiped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from registry_fakes import ANN, OPERATOR, SECRET, V6, World, served
from sqlalchemy import delete, insert, select, update

from altnet.powerdns.client import RefusedError
from altnet.powerdns.errors import PowerdnsError
from altnet.registry.acts import domains
from altnet.registry.acts import records as actions
from altnet.registry.audit import heads
from altnet.registry.domain.errors import RegistryError
from altnet.registry.storage import tables
from altnet.registry.writer import compare, guard
from altnet.registry.writer.rebuild import Rebuild


@pytest.fixture
def filled(world: World) -> World:
    for name in ("garden", "shop", "cafe"):
        domains.register(world.desk, ANN, name, rrsets=[V6])
    domains.allow_transfer(world.desk, ANN, "cafe.alt.")
    world.settle()
    world.compare()
    world.api.sent()
    return world


def records(name: str, kind: str, *texts: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "ttl": 60, "records": [{"content": text, "disabled": False} for text in texts]}


def changed(world: World, zone: str, *sets: dict[str, Any]) -> None:
    """Change a zone as somebody with PowerDNS's key would: its serial moves."""
    one = world.api.zones[zone]
    spots = {(item["name"], item["type"]) for item in sets}
    one["rrsets"] = [item for item in one["rrsets"] if (item["name"], item["type"]) not in spots]
    one["rrsets"] += [item for item in sets if item["records"]]
    one["serial"] = world.time.tick


def other_key(world: World) -> None:
    world.api.keys["cafe.alt."][0]["privatekey"] = "PrivateKey: another"
    world.api.zones["cafe.alt."]["serial"] += 1


DRIFT: dict[str, Callable[[World], object]] = {
    "a zone is gone": lambda w: w.api.zones.pop("garden.alt."),
    "a record is another": lambda w: changed(w, "garden.alt.", records("garden.alt.", "AAAA", "fd00::666")),
    "a record is gone": lambda w: changed(w, "garden.alt.", records("garden.alt.", "AAAA")),
    "a record is more": lambda w: changed(w, "garden.alt.", records("evil.garden.alt.", "AAAA", "fd00::666")),
    "its NS are others": lambda w: changed(w, "shop.alt.", records("shop.alt.", "NS", "ns.evil.alt.")),
    "its DS is another": lambda w: changed(w, "alt.", records("shop.alt.", "DS", "1 13 2 " + "ab" * 32)),
    "its DS is gone": lambda w: changed(w, "alt.", records("shop.alt.", "DS")),
    "its delegation is gone": lambda w: changed(w, "alt.", records("shop.alt.", "DS"), records("shop.alt.", "NS")),
    "glue nobody gave": lambda w: changed(w, "alt.", records("ns.shop.alt.", "AAAA", "fd00::666")),
    "its mark is gone": lambda w: w.api.zones["cafe.alt."].update(account=""),
    "it is in no catalog": lambda w: w.api.zones["cafe.alt."].update(catalog=""),
    "it is no primary's": lambda w: w.api.zones["cafe.alt."].update(kind="Native"),
    "it is signed by another key": other_key,
    "its key for transfers is gone": lambda w: w.api.tsig.clear(),
    "a key for transfers is nobody's": lambda w: w.api.tsig.update({"axfr-0123456789abcdef": {"key": "x"}}),
    "a mark is too many": lambda w: w.api.metadata.update({("alt.", "X-ALTNET-REGISTERED"): ["gone.alt."]}),
    "a zone is nobody's": lambda w: w.api.call(
        "POST", "/zones", {"name": "stray.alt.", "kind": "Master", "account": "altnet-registry", "rrsets": []}
    ),
    "a delegation is nobody's": lambda w: changed(
        w, "alt.", records("stray.alt.", "NS", "ns.alt."), records("stray.alt.", "DS", w.maker.ds("stray.alt."))
    ),
}


def test_what_has_to_wait_for_its_second_is_mended_in_the_next(filled: World) -> None:
    """A zone that was changed a moment ago has this second's serial: it is not left until the next comparison."""
    before = filled.state()
    filled.time.second += 60
    changed(filled, "garden.alt.", records("garden.alt.", "AAAA", "fd00::666"))
    filled.loop.mend(filled.loop.look())
    filled.loop.step()
    assert filled.state() != before
    for _ in range(3):
        filled.time.second += 1.1
        filled.loop.step()
    assert filled.state() == before


def test_a_name_that_is_mended_and_written_at_once_is_taken_once(filled: World) -> None:
    changed(filled, "garden.alt.", records("garden.alt.", "AAAA", "fd00::666"))
    filled.time.second += 60
    filled.loop.mend(filled.loop.look())
    actions.put(filled.desk, ANN, "garden.alt.", "www", "AAAA", 60, ["fd00::5"])
    taken: list[str] = []
    take = filled.work.take
    filled.work.take = lambda jobs: (taken.extend(job.name for job in jobs), take(jobs))[1]  # type: ignore[method-assign]
    filled.time.second += 1.1
    filled.loop.step()
    assert taken == ["garden.alt."]
    filled.settle()
    assert ("www.garden.alt.", "AAAA", 60, ("fd00::5",)) in filled.held("garden.alt.")
    assert "fd00::666" not in str(filled.held("garden.alt."))


@pytest.mark.parametrize("kind", DRIFT)
def test_drift_is_found_and_mended(filled: World, kind: str) -> None:
    before = filled.state()
    filled.time.second += 5
    DRIFT[kind](filled)
    report = filled.compare()
    assert report["differences"], "it is told"
    assert report["guarded"] == []
    assert filled.state() == before
    assert filled.compare()["differences"] == []


def test_where_nothing_differs_no_zone_is_read_and_nothing_sent(filled: World) -> None:
    filled.api.reads.clear()
    filled.loop.comparison._turn = 30  # no zone's turn
    assert filled.compare()["differences"] == []
    read = [path for path in filled.api.reads if path.startswith("/zones/") and "alt" in path]
    assert not [path for path in read if path.startswith(("/zones/garden", "/zones/shop", "/zones/cafe"))]
    assert filled.api.sent() == []


def test_every_zone_is_read_within_an_hour(filled: World) -> None:
    """A key moves no serial: only who reads the zone sees it."""
    filled.api.keys["cafe.alt."][0]["privatekey"] = "PrivateKey: another"
    for _ in range(compare.EVERY + 1):
        filled.loop.mend(filled.loop.look())
    filled.compare()
    assert len(filled.api.keys["cafe.alt."]) == 1
    assert "another" not in filled.api.keys["cafe.alt."][0]["privatekey"]


def test_what_is_the_plans_stays(filled: World) -> None:
    filled.plan("new.alt.")
    changed(filled, "alt.", records("new.alt.", "NS", "ns.alt."), records("new.alt.", "DS", "1 13 2 " + "ab" * 32))
    filled.api.tsig["transfer"] = {"name": "transfer", "key": "x"}
    before = filled.state()
    assert filled.compare()["differences"] == []
    assert filled.state() == before


def test_a_delegation_that_only_the_log_knows(filled: World) -> None:
    """Of a name that a holder's own servers served, and whose row is gone."""
    domains.register(filled.desk, ANN, "former")
    domains.release(filled.desk, ANN, "former.alt.")
    filled.settle()
    changed(filled, "alt.", records("former.alt.", "NS", "ns.elsewhere.alt."))
    assert filled.compare()["differences"]
    assert not filled.delegated("former.alt.")


def test_what_is_in_the_outbox_is_no_drift(filled: World) -> None:
    domains.register(filled.desk, ANN, "later")
    domains.release(filled.desk, ANN, "shop.alt.")
    found = filled.loop.look()
    assert found.sentences == []


class TestGuard:
    def fill(self, world: World, number: int) -> list[str]:
        names = [f"many-{index:02}" for index in range(number)]
        for name in names:
            domains.register(world.desk, ANN, name)
        world.settle()
        world.compare()
        return [f"{name}.alt." for name in names]

    def lose(self, world: World, *names: str) -> None:
        with world.store.write() as connection:
            connection.execute(delete(tables.domains).where(tables.domains.c.name.in_(names)))

    def test_an_old_database_takes_nothing_away(self, filled: World) -> None:
        names = self.fill(filled, 25)
        before = filled.state()
        self.lose(filled, *names)
        report = filled.compare()
        assert report["guarded"] == names
        assert "consent" in report["differences"][0]
        assert filled.state() == before
        assert filled.seen("writer")["guarded"] == 25, "a metric"

    def test_an_operator_consents_by_name(self, filled: World) -> None:
        names = self.fill(filled, 25)
        self.lose(filled, *names)
        guard.consent(filled.desk, OPERATOR, names[:24], "they are gone for good")
        filled.compare()
        assert {name for name in filled.api.zones if name.startswith("many")} <= {names[24]}

    def test_consent_is_an_operators_and_ends(self, filled: World) -> None:
        with pytest.raises(RegistryError, match="operator"):
            guard.consent(filled.desk, ANN, ["*"], "because")
        with pytest.raises(RegistryError):
            guard.consent(filled.desk, OPERATOR, [], "because")
        names = self.fill(filled, 25)
        self.lose(filled, *names)
        guard.consent(filled.desk, OPERATOR, ["*"], "because")
        filled.time.second += 3601
        assert filled.compare()["guarded"] == names
        with filled.store.read() as connection:
            actions = connection.execute(select(tables.audit.c.action)).scalars().all()
        assert "registry.consent" in actions

    def test_a_database_without_domains_takes_not_even_one(self, filled: World) -> None:
        before = filled.state()
        self.lose(filled, "garden.alt.", "shop.alt.", "cafe.alt.")
        report = filled.compare()
        assert report["guarded"] == ["cafe.alt.", "garden.alt.", "shop.alt."]
        assert set(filled.state()["zones"]) == set(before["zones"])

    def test_an_empty_database_takes_nothing_whatever_is_consented_to(self, filled: World, tmp_path: Path) -> None:
        empty = World(f"sqlite:///{tmp_path}/empty.sqlite")
        empty.api, empty.work.primary.api = filled.api, filled.api
        empty.time.second = filled.time.second + 10
        filled.api.time = empty.time
        with empty.store.write() as connection:
            until = empty.time.date().replace(year=2030).isoformat()
            connection.execute(
                insert(tables.observations),
                {"key": "consent", "json": {"zones": ["*"], "until": until}, "time": empty.time.date()},
            )
        before = set(filled.state()["zones"])
        report = empty.compare()
        assert len(report["guarded"]) == 3
        assert "empty" in report["differences"][0]
        assert set(filled.state()["zones"]) == before
        empty.store.close()


def test_a_lost_primary_is_filled_again(filled: World) -> None:
    """By the writer itself, or at once by the verb; with the same keys, so that every DS is right."""
    before = filled.state()
    for name in ("garden.alt.", "shop.alt.", "cafe.alt."):
        del filled.api.zones[name], filled.api.keys[name]
    filled.plan("alt.")
    filled.api.tsig.clear()
    filled.time.second += 5
    report = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert (report.made, report.delegated, report.problems) == (3, 3, [])
    assert filled.state() == before
    again = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert (again.made, again.there, again.mended, again.delegated) == (0, 3, 0, 0)
    filled.time.second += 5
    changed(filled, "garden.alt.", records("garden.alt.", "AAAA", "fd00::666"))
    filled.plan("shop.alt.")
    mended = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert mended.mended == 1
    assert mended.problems == ["shop.alt. is a zone of the inventory's, and registered"]
    filled.api.zones.pop("shop.alt.")
    filled.compare()
    del filled.api.zones["garden.alt."]
    filled.plan("alt.")
    filled.compare()
    assert filled.state() == before


@pytest.mark.parametrize("half", [False, True], ids=["nothing kept", "half of it kept"])
def test_zones_at_which_powerdns_fails_are_tried_again(
    filled: World, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    """It answers 500 now and then under load: once is mended, always is told."""
    before = filled.state()
    for name in ("garden.alt.", "shop.alt.", "cafe.alt."):
        del filled.api.zones[name], filled.api.keys[name]
    filled.api.tsig.clear()
    filled.time.second += 5
    post, left = filled.api._post_zones, {"garden.alt.": 1, "cafe.alt.": 9}

    def failing(parts: list[str], body: Any) -> None:
        if half and body["name"] == "garden.alt." and left["garden.alt."]:
            post(parts, body)
        if left.get(body["name"], 0):
            left[body["name"]] -= 1
            raise RefusedError(f"zone {body['name']}", 500, "Internal Server Error")
        post(parts, body)

    monkeypatch.setattr(filled.api, "_post_zones", failing)
    report = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert report.made == 2
    (told,) = report.problems
    assert "cafe.alt." in told
    assert "(500)" in told
    assert left == {"garden.alt.": 0, "cafe.alt.": 7}
    left.clear()
    again = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert (again.made, again.problems) == (1, [])
    assert filled.state() == before


def test_a_primary_without_the_plans_zones_says_what_to_do(filled: World) -> None:
    del filled.api.zones["alt."]
    report = Rebuild(filled.store, filled.maker, filled.work.primary, filled.work.watch, patience=0).run()
    assert "site.yml --tags names" in report.problems[0]
    domains.register(filled.desk, ANN, "later")
    filled.settle(3)
    assert "site.yml --tags names" in filled.lines()[0][2]


def test_old_records_under_the_new_serial_are_fetched_again(filled: World) -> None:
    """Two changes of the TLD in one second, by us and by site.yml, have one serial."""
    domains.register(filled.desk, ANN, "later")
    filled.settle()
    filled.stale = {"fra": ["alt."]}
    serial = filled.api.zones["alt."]["serial"]
    filled.compare()
    assert any(one.name == "later.alt." for one in filled.sampled)
    again = filled.api.zones["alt."]["serial"]
    domains.register(filled.desk, ANN, "late")
    filled.settle()
    filled.stuck, filled.stale, moved = {"nyc"}, {"fra": ["alt."]}, filled.api.zones["alt."]["serial"]
    filled.compare()
    assert filled.api.zones["alt."]["serial"] == moved > again, "one that has not got the serial yet is not stale"
    filled.stuck, filled.stale = set(), {}
    assert filled.api.zones["alt."]["serial"] > serial
    assert filled.delegated("later.alt.") == served("later.alt.")


def test_the_audit_logs_head_is_published(filled: World) -> None:
    key = Ed25519PrivateKey.generate()
    filled.loop.chores.key = key
    filled.compare()
    filled.compare()
    [text] = [one[3][0] for one in filled.held("alt.") if one[:2] == ("_audit.alt.", "TXT")]
    assert heads.verify(key.public_key(), heads.parse(text))
    assert filled.api.metadata["alt.", "X-ALTNET-REGISTERED"] == ["_audit.alt."]
    changed(filled, "alt.", records("_audit.alt.", "TXT", '"forged"'))
    filled.compare()
    assert text in {one[3][0] for one in filled.held("alt.")}


def test_the_state_of_servers(filled: World) -> None:
    filled.silent, filled.stuck = {"fra"}, {"nyc"}
    filled.compare()
    primary, fra, nyc = filled.seen("servers")
    assert (primary["role"], primary["answers"], primary["zones"]) == ("primary", True, 5)
    assert (fra["answers"], fra["error"]) == (False, "does not answer")
    assert (nyc["answers"], nyc["behind"]) == (True, 1)


def test_names_expire(filled: World) -> None:
    with filled.store.write() as connection:
        moment = filled.time.date()
        connection.execute(update(tables.domains).where(tables.domains.c.name == "shop.alt.").values(expires=moment))
    filled.time.second += 86400
    filled.compare()
    assert "shop.alt." in filled.api.zones, "in its grace it is served"
    filled.time.second += 40 * 86400
    filled.compare()
    assert "shop.alt." not in filled.api.zones
    assert filled.said == []


def test_keys_are_derived_from_the_secret_and_nothing_else(filled: World) -> None:
    assert SECRET not in str(filled.state())
    assert filled.maker.ds("garden.alt.") == filled.maker.ds("garden.alt")


def test_what_was_found_a_while_ago_is_looked_at_anew(filled: World) -> None:
    """A name that was released between the look and the mending does not come back."""
    filled.api.zones.pop("garden.alt.")
    found = filled.loop.look()
    domains.release(filled.desk, ANN, "garden.alt.")
    filled.settle()
    filled.loop.mend(found)
    for _ in range(5):
        filled.time.second += 1.1
        filled.loop.step()
    assert "garden.alt." not in filled.api.zones
    assert not filled.delegated("garden.alt.")


def test_with_the_primary_away_names_expire_and_operators_see_it(filled: World) -> None:
    filled.api.away = True
    with pytest.raises(PowerdnsError):
        filled.loop.look()
    assert filled.seen("servers")[0]["answers"] is False
