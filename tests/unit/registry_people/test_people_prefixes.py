"""Prefixes, AS numbers, routes and reverse zones of members who route."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from people_desks import FIRST, Registry, exported, kind, member
from sqlalchemy import func, insert, select

from altnet.registry.acts import accounts, history, prefixes
from altnet.registry.domain.errors import Fault, RegistryError
from altnet.registry.domain.model import Scope
from altnet.registry.domain.prefixes import first_digits
from altnet.registry.storage import tables

BASE = 4_200_065_536
DS = "12345 13 2 " + "ab" * 32
SERVERS = ["ns1.example.neo.", "NS2.example.neo"]


def filled(there: Registry) -> Registry:
    accounts.me(there.desk, there.actor(FIRST.uid))
    for uid in ("ben", "cleo"):
        there.joined(uid)
    there.people.has("rex", "members", "registrars")
    return there


@pytest.fixture
def joined(there: Registry) -> Registry:
    return filled(there)


@pytest.fixture
def local(here: Registry) -> Registry:
    """Where the database does not matter."""
    return filled(here)


def refused(act: Callable[[], object]) -> tuple[str, set[tuple[str, str]]]:
    with pytest.raises(RegistryError) as caught:
        act()
    return kind(caught.value)


def outbox(there: Registry) -> list[tuple[str, str]]:
    with there.desk.store.read() as connection:
        query = select(tables.outbox.c.zone, tables.outbox.c.kind).order_by(tables.outbox.c.id)
        return [(row.zone, row.kind) for row in connection.execute(query)]


class TestGiven:
    def test_a_56_and_a_48_and_no_third(self, joined: Registry) -> None:
        desk, ben = joined.desk, member("ben")
        first = prefixes.register_prefix(desk, ben, 56)
        second = prefixes.register_prefix(desk, ben, 48)
        assert first.prefix == "fd12:3456:789a:4100::/56"
        assert second.prefix.endswith("::/48")
        assert refused(lambda: prefixes.register_prefix(desk, ben, 48))[0] == "quota"
        assert prefixes.get_prefix(desk, ben, first.prefix) == first
        assert {one.prefix for one in prefixes.listed_prefixes(desk, ben).items} == {first.prefix, second.prefix}
        assert prefixes.register_prefix(desk, member("cleo"), 56).prefix == "fd12:3456:789a:4200::/56"

    def test_what_was_given_back_nobody_gets_again(self, joined: Registry) -> None:
        desk, ben = joined.desk, member("ben")
        one = prefixes.register_prefix(desk, ben, 56)
        prefixes.release_prefix(desk, ben, one.prefix)
        assert refused(lambda: prefixes.get_prefix(desk, ben, one.prefix))[0] == "missing"
        assert refused(lambda: prefixes.release_prefix(desk, ben, one.prefix))[0] == "missing"
        assert refused(lambda: prefixes.register_prefix(desk, member("cleo"), 56, prefix=one.prefix))[0] == "conflict"
        assert prefixes.register_prefix(desk, member("cleo"), 56).prefix != one.prefix
        number = prefixes.register_asn(desk, ben).number
        prefixes.release_asn(desk, ben, number)
        assert prefixes.register_asn(desk, member("cleo")).number == number + 1

    def test_numbers_go_up_and_are_never_given_twice_at_once(self, joined: Registry) -> None:
        found, start = [], threading.Barrier(8)
        accounts.set_quota(joined.desk, joined.actor("rex"), "ben", prefixes=100)

        def run() -> None:
            start.wait()
            one = prefixes.register_prefix(joined.desk, member("ben"), 56, origin=0)
            found.append((one.prefix, one.asns))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({prefix for prefix, _ in found}) == len({asns for _, asns in found}) == 8
        assert sorted(asns for _, asns in found) == [(BASE + number,) for number in range(8)]
        assert history.verify(joined.desk) == []
        exported(joined.desk)

    @pytest.mark.parametrize("size", [0, 47, 64, 128, -1])
    def test_sizes(self, local: Registry, size: int) -> None:
        assert refused(lambda: prefixes.register_prefix(local.desk, member("ben"), size)) == (
            "invalid",
            {("size", "out-of-range")},
        )

    def test_used_up(self, local: Registry) -> None:
        rows = [f"fd12:3456:789a:{0x4100 + 0x100 * number:x}::/56" for number in range(190)]
        common = {"size": 56, "holder": "cleo", "created": local.clock(), "updated": local.clock()}
        with local.desk.store.write() as connection:
            connection.execute(
                insert(tables.prefixes), [{**common, "prefix": one, "first": first_digits(one)} for one in rows]
            )
        assert prefixes.register_prefix(local.desk, member("ben"), 56).prefix == "fd12:3456:789a:ff00::/56"
        assert refused(lambda: prefixes.register_prefix(local.desk, member("ben"), 56)) == (
            "conflict",
            {("size", "used-up")},
        )
        prefixes.register_prefix(local.desk, member("ben"), 48)

    def test_a_token_for_names_or_reading_routes_nothing(self, local: Registry) -> None:
        for scope in (Scope(("read",)), Scope(names=("garden.alt.",)), Scope(types=("AAAA",))):
            actor = member("ben", scope, "t")
            assert refused(lambda actor=actor: prefixes.register_prefix(local.desk, actor, 48))[0] == "forbidden"  # type: ignore[misc]
        prefixes.register_prefix(local.desk, member("ben", Scope(), "t"), 48)

    def test_a_locked_account_gets_nothing(self, local: Registry) -> None:
        accounts.lock(local.desk, local.actor("rex"), "ben", "spam")
        assert refused(lambda: prefixes.register_prefix(local.desk, member("ben"), 48))[0] == "forbidden"
        assert refused(lambda: prefixes.register_asn(local.desk, member("ben")))[0] == "forbidden"


class TestOneTransaction:
    def test_prefix_number_route_and_reverse_zone(self, joined: Registry) -> None:
        one = prefixes.register_prefix(
            joined.desk, member("ben"), 48, prefix="fd00:1::/48", origin=0, nameservers=SERVERS, ds=[DS]
        )
        assert one.asns == (BASE,)
        assert one.nameservers == ("ns1.example.neo.", "ns2.example.neo.")
        assert [line.lower() for line in one.ds] == [DS]
        assert prefixes.get_prefix(joined.desk, member("ben"), one.prefix) == one
        zone = "0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa."
        assert joined.servers.asked == [zone]
        assert (zone, "prefix") in outbox(joined)
        assert history.verify(joined.desk) == []
        exported(joined.desk)

    def test_all_or_nothing(self, joined: Registry) -> None:
        """The prefix could be had, its origin could not."""
        asn = prefixes.register_asn(joined.desk, member("cleo")).number
        acts: tuple[Callable[[], object], ...] = (
            lambda: prefixes.register_prefix(joined.desk, member("ben"), 48, origin=asn),
            lambda: prefixes.register_prefix(joined.desk, member("ben"), 48, origin=BASE + 99),
            lambda: prefixes.register_prefix(joined.desk, member("ben"), 48, origin=-1),
            lambda: prefixes.register_prefix(joined.desk, member("ben"), 48, origin=2**70),
        )
        for act in acts:
            assert refused(act) == ("missing", {("asn", "missing")})
        joined.servers.wrong = (Fault("nameservers[0]", "silent", "It does not answer"),)
        acts = (
            lambda: prefixes.register_prefix(
                joined.desk, member("ben"), 48, prefix="fd00:1::/48", origin=0, nameservers=SERVERS
            ),
            lambda: prefixes.register_prefix(joined.desk, member("ben"), 48, nameservers=SERVERS),
        )
        for act in acts:
            assert refused(act)[0] == "invalid"
        with joined.desk.store.read() as connection:
            for table in (tables.prefixes, tables.routes, tables.outbox):
                assert connection.scalar(select(func.count()).select_from(table)) == 0
            assert connection.scalar(select(func.count()).select_from(tables.asns)) == 1
        assert history.verify(joined.desk) == []
        exported(joined.desk)


class TestReverse:
    def test_there_changed_and_taken_back(self, joined: Registry) -> None:
        desk, ben = joined.desk, member("ben")
        one = prefixes.register_prefix(desk, ben, 56)
        zone = "1.4.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."
        changed = prefixes.set_reverse(desk, ben, one.prefix, SERVERS, [DS], if_match=one.version)
        assert changed.nameservers == ("ns1.example.neo.", "ns2.example.neo.")
        assert refused(lambda: prefixes.set_reverse(desk, ben, one.prefix, [], [], if_match=one.version))[0] == "stale"
        gone = prefixes.set_reverse(desk, ben, one.prefix, [], [], if_match=changed.version)
        assert (gone.nameservers, gone.ds) == ((), ())
        assert outbox(joined) == [(zone, "prefix")] * 2
        assert joined.servers.asked == [zone]

    @pytest.mark.parametrize(
        ("nameservers", "ds", "field"),
        [
            (["ns"], [], "nameservers[0]"),
            (["ns.alt."], [], "nameservers[0]"),  # the network's own
            (["ns1.neo.example.", "not a name"], [], "nameservers[1]"),
            (["ns1.neo.example."] * 9, [], "nameservers"),
            ([], [DS], "nameservers"),
            (["ns1.neo.example."], ["nonsense"], "ds[0]"),
            (["\0.neo"], [], "nameservers[0]"),
            (["ns.1.4.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."], [], "nameservers[0]"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, local: Registry, nameservers: list[str], ds: list[str], field: str
    ) -> None:
        one = prefixes.register_prefix(local.desk, member("ben"), 56)
        kind_, faults = refused(lambda: prefixes.set_reverse(local.desk, member("ben"), one.prefix, nameservers, ds))
        assert kind_ == "invalid"
        assert field in {at for at, _ in faults}
        assert outbox(local) == []

    def test_servers_that_do_not_answer(self, local: Registry) -> None:
        one = prefixes.register_prefix(local.desk, member("ben"), 56)
        local.servers.wrong = (Fault("nameservers[0]", "silent", "It does not answer"),)
        assert refused(lambda: prefixes.set_reverse(local.desk, member("ben"), one.prefix, SERVERS, [])) == (
            "invalid",
            {("nameservers[0]", "silent")},
        )
        assert prefixes.get_prefix(local.desk, member("ben"), one.prefix) == one

    def test_giving_back_takes_the_delegation_away(self, joined: Registry) -> None:
        desk, ben = joined.desk, member("ben")
        one = prefixes.register_prefix(desk, ben, 48, prefix="fd00:1::/48", origin=0, nameservers=SERVERS)
        prefixes.release_prefix(desk, ben, one.prefix)
        assert [kind_ for _, kind_ in outbox(joined)] == ["prefix"] * 2
        with desk.store.read() as connection:
            assert connection.scalar(select(func.count()).select_from(tables.routes)) == 0
        prefixes.release_asn(desk, ben, BASE)
        exported(desk)


class TestRoutes:
    def test_added_once_and_dropped(self, joined: Registry) -> None:
        desk, ben = joined.desk, member("ben")
        one, asn = prefixes.register_prefix(desk, ben, 56), prefixes.register_asn(desk, ben).number
        assert prefixes.add_route(desk, ben, one.prefix, asn).asns == (asn,)
        assert refused(lambda: prefixes.add_route(desk, ben, one.prefix, asn))[0] == "conflict"
        assert refused(lambda: prefixes.release_asn(desk, ben, asn))[0] == "state"
        assert refused(lambda: prefixes.drop_route(desk, ben, one.prefix, asn + 1))[0] == "missing"
        assert prefixes.drop_route(desk, ben, one.prefix, asn).asns == ()
        prefixes.release_asn(desk, ben, asn)
        assert refused(lambda: prefixes.add_route(desk, ben, one.prefix, asn))[0] == "missing"

    def test_others(self, joined: Registry) -> None:
        desk, ben, cleo = joined.desk, member("ben"), member("cleo")
        one, asn = prefixes.register_prefix(desk, ben, 56), prefixes.register_asn(desk, cleo).number
        acts: tuple[Callable[[], object], ...] = (
            lambda: prefixes.add_route(desk, ben, one.prefix, asn),
            lambda: prefixes.add_route(desk, cleo, one.prefix, asn),
            lambda: prefixes.get_prefix(desk, cleo, one.prefix),
            lambda: prefixes.release_prefix(desk, cleo, one.prefix),
            lambda: prefixes.set_reverse(desk, cleo, one.prefix, [], []),
            lambda: prefixes.get_asn(desk, ben, asn),
            lambda: prefixes.release_asn(desk, ben, asn),
        )
        for act in acts:
            assert refused(act)[0] == "missing"
        assert prefixes.listed_prefixes(desk, cleo, holder="ben").items == ()
        assert prefixes.listed_asns(desk, ben, holder="cleo").items == ()
        rex = joined.actor("rex")
        assert prefixes.add_route(desk, rex, one.prefix, asn).asns == (asn,)
        assert len(prefixes.listed_prefixes(desk, rex).items) == len(prefixes.listed_asns(desk, rex).items) == 1

    @pytest.mark.parametrize("prefix", ["", "nonsense", "fd12:3456:789a:4100::", "\0", "\ud800", "x" * 999, "::/0"])
    def test_what_is_none(self, joined: Registry, prefix: str) -> None:
        assert refused(lambda: prefixes.get_prefix(joined.desk, member("ben"), prefix))[0] in {"missing", "invalid"}

    @pytest.mark.parametrize("number", [0, -1, 1, 2**32, 2**63, 2**70])
    def test_what_is_no_number(self, local: Registry, number: int) -> None:
        assert refused(lambda: prefixes.get_asn(local.desk, member("ben"), number))[0] == "missing"

    def test_stale(self, local: Registry) -> None:
        desk, ben = local.desk, member("ben")
        one, asn = prefixes.register_prefix(desk, ben, 56), prefixes.register_asn(desk, ben).number
        prefixes.add_route(desk, ben, one.prefix, asn, if_match=1)
        acts: tuple[Callable[[], object], ...] = (
            lambda: prefixes.add_route(desk, ben, one.prefix, asn, if_match=1),
            lambda: prefixes.drop_route(desk, ben, one.prefix, asn, if_match=1),
            lambda: prefixes.release_prefix(desk, ben, one.prefix, if_match=1),
            lambda: prefixes.release_asn(desk, ben, asn, if_match=7),
        )
        for act in acts:
            assert refused(act)[0] == "stale"
