"""Accounts: who sees and changes whom, quotas, locking, and cutting a branch of the tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_desks import FIRST, NOON, Registry, exported, join, kind, member
from sqlalchemy import delete, insert, select

from altnet.registry.acts import accounts, domains, history, invitations, prefixes, tokens
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import Account, AccountState, Actor, DomainState, Scope
from altnet.registry.storage import tables


def staff(there: Registry) -> Registry:
    accounts.me(there.desk, there.actor(FIRST.uid))
    for uid, by in (
        ("rex", FIRST.uid), ("ros", FIRST.uid), ("ben", FIRST.uid), ("cleo", "ben"), ("dan", "ben"), ("eve", "cleo"),
    ):  # fmt: skip
        there.joined(uid, by)
    for uid in ("rex", "ros"):
        there.people.has(uid, "members", "registrars")
    return there


@pytest.fixture
def staffed(there: Registry) -> Registry:
    """ada (operator) invited rex, ros (registrars) and ben; ben invited cleo and dan; cleo invited eve."""
    return staff(there)


@pytest.fixture
def local(here: Registry) -> Registry:
    """The same, where the database does not matter."""
    return staff(here)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(RegistryError) as caught:
        act()
    return caught.value.kind


class TestWhoSeesWhom:
    def test_oneself_those_below_and_nobody_else(self, staffed: Registry) -> None:
        desk = staffed.desk
        for uid in ("ben", "cleo", "dan", "eve"):
            assert accounts.get(desk, member("ben"), uid).uid == uid
        for who, uid in (("cleo", "ben"), ("cleo", "dan"), ("ben", "rex"), ("ben", FIRST.uid), ("ben", "nobody")):
            assert refused(lambda who=who, uid=uid: accounts.get(desk, member(who), uid)) == "missing"  # type: ignore[misc]
        assert accounts.get(desk, staffed.actor("rex"), "eve").invited_by == "cleo"

    def test_lists(self, staffed: Registry) -> None:
        desk = staffed.desk

        def uids(actor: Actor, **how: object) -> list[str]:
            return [one.uid for one in accounts.listed(desk, actor, **how).items]  # type: ignore[arg-type]

        assert uids(member("ben")) == ["ben", "cleo", "dan"]
        assert uids(staffed.actor("rex")) == ["ben", "cleo", "dan", "eve", "rex", FIRST.uid, "ros"]
        assert uids(staffed.actor("rex"), part="R") == ["rex", FIRST.uid, "ros"]
        assert uids(staffed.actor("rex"), part="%") == []
        assert uids(staffed.actor("rex"), part="_") == []
        assert uids(staffed.actor("rex"), state=AccountState.LOCKED) == []

    @pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "' OR 1=1 --", "x" * 10_000])
    def test_anything_may_be_asked_for(self, staffed: Registry, text: str) -> None:
        for actor in (member("ben"), staffed.actor("rex")):
            assert refused(lambda actor=actor: accounts.get(staffed.desk, actor, text)) in {"missing", "invalid"}  # type: ignore[misc]
            try:
                assert accounts.listed(staffed.desk, actor, part=text).items == ()
            except RegistryError as error:
                assert error.kind == "invalid"  # noqa: PT017
        rex = staffed.actor("rex")
        acts: tuple[Callable[[], object], ...] = (
            lambda: accounts.tree(staffed.desk, rex, text),
            lambda: accounts.lock(staffed.desk, rex, text, "spam"),
            lambda: accounts.set_quota(staffed.desk, rex, text, domains=1),
            lambda: accounts.cut(staffed.desk, rex, text, "spam"),
            lambda: invitations.get(staffed.desk, rex, text),
            lambda: tokens.revoke(staffed.desk, rex, text),
            lambda: prefixes.get_prefix(staffed.desk, rex, text),
        )
        for act in acts:
            assert refused(act) in {"missing", "invalid"}

    def test_tree(self, staffed: Registry) -> None:
        def tree(actor: Actor, root: str | None = None) -> list[tuple[int, str]]:
            return [(level, one.uid) for level, one in accounts.tree(staffed.desk, actor, root)]

        below = [(0, "ben"), (1, "cleo"), (2, "eve"), (1, "dan")]
        assert tree(member("ben")) == tree(staffed.actor("rex"), "ben") == below
        assert tree(member("ben"), "cleo") == [(0, "cleo"), (1, "eve")]
        assert tree(staffed.actor("rex"))[0] == (0, FIRST.uid)
        assert len(tree(staffed.actor("rex"))) == 7
        assert refused(lambda: tree(member("cleo"), "ben")) == "missing"
        assert refused(lambda: tree(staffed.actor("rex"), "nobody")) == "missing"

    def test_a_narrow_token_of_a_registrar_sees_what_a_member_sees(self, local: Registry) -> None:
        rex = local.actor("rex")
        narrow = Actor(rex.uid, rex.roles, "api", "", Scope(("read", "write")), "t")
        assert refused(lambda: accounts.get(local.desk, narrow, "eve")) == "missing"
        assert refused(lambda: accounts.lock(local.desk, narrow, "eve", "spam")) == "forbidden"

    def test_somebody_of_the_inventory_gets_a_row_once(self, there: Registry) -> None:
        there.people.has("ivy")
        first = accounts.me(there.desk, member("ivy"))
        assert first == accounts.me(there.desk, member("ivy")) == Account("ivy", AccountState.ACTIVE, NOON)
        assert [one.action for one in history.listed(there.desk, there.actor(FIRST.uid)).items] == ["account.appear"]


class TestQuotas:
    def test_a_registrar_sets_them_and_the_version_counts(self, staffed: Registry) -> None:
        desk, rex = staffed.desk, staffed.actor("rex")
        version = accounts.get(desk, rex, "ben").version
        changed = accounts.set_quota(desk, rex, "ben", domains=3, if_match=version)
        assert (changed.domains_quota, changed.prefixes_quota, changed.version) == (3, None, version + 1)
        assert refused(lambda: accounts.set_quota(desk, rex, "ben", domains=4, if_match=version)) == "stale"
        assert accounts.set_quota(desk, rex, "ben", prefixes=0).domains_quota == 3
        assert accounts.set_quota(desk, rex, "ben", domains=None).domains_quota is None

    @pytest.mark.parametrize("value", [-1, 10**9])
    def test_out_of_bounds(self, local: Registry, value: int) -> None:
        with pytest.raises(RegistryError) as caught:
            accounts.set_quota(local.desk, local.actor("rex"), "ben", invitations=value)
        assert kind(caught.value) == ("invalid", {("invitations", "out-of-range")})

    def test_a_member_sets_none(self, local: Registry) -> None:
        assert refused(lambda: accounts.set_quota(local.desk, member("ben"), "ben", domains=99)) == "forbidden"


class TestLocking:
    def test_there_and_back(self, staffed: Registry) -> None:
        desk, rex = staffed.desk, staffed.actor("rex")
        _, secret = tokens.make(desk, member("ben"), "mine", Scope())
        assert accounts.lock(desk, rex, "ben", "spam").state is AccountState.LOCKED
        assert staffed.people.entries["ben"].locked
        assert refused(lambda: tokens.authenticate(desk, secret, "", "api")) == "unauthenticated"
        assert refused(lambda: invitations.create(desk, member("ben"))) == "forbidden"
        assert refused(lambda: accounts.lock(desk, rex, "ben", "spam")) == "state"
        assert accounts.unlock(desk, rex, "ben").state is AccountState.ACTIVE
        assert not staffed.people.entries["ben"].locked
        assert tokens.authenticate(desk, secret, "", "api").uid == "ben"
        assert refused(lambda: accounts.unlock(desk, rex, "ben")) == "state"

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb", "\0"])
    def test_a_reason_is_needed(self, local: Registry, reason: str) -> None:
        assert refused(lambda: accounts.lock(local.desk, local.actor("rex"), "ben", reason)) == "invalid"

    @pytest.mark.parametrize(
        ("who", "whom"),
        [("rex", FIRST.uid), ("rex", "ros"), ("rex", "rex"), (FIRST.uid, FIRST.uid), ("ben", "cleo"), ("ben", "rex")],
    )
    def test_who_is_not_to_be_locked_by_whom(self, local: Registry, who: str, whom: str) -> None:
        actor = local.actor(who)
        for act in (
            lambda: accounts.lock(local.desk, actor, whom, "spam"),
            lambda: accounts.cut(local.desk, actor, whom, "spam"),
        ):
            assert refused(act) == "forbidden"
        assert not local.people.entries[whom].locked
        assert accounts.get(local.desk, local.actor("rex"), whom).state is AccountState.ACTIVE

    def test_an_operator_locks_a_registrar_and_no_operator(self, local: Registry) -> None:
        ada = local.actor(FIRST.uid)
        assert accounts.lock(local.desk, ada, "ros", "left").state is AccountState.LOCKED
        local.people.has("oz", "operators")
        accounts.me(local.desk, local.actor("oz"))
        assert refused(lambda: accounts.lock(local.desk, ada, "oz", "left")) == "forbidden"

    def test_what_the_directory_did_not_hear_it_hears_later(self, staffed: Registry) -> None:
        desk, rex = staffed.desk, staffed.actor("rex")
        staffed.clock.later(minutes=5)
        for act, locked in ((lambda: accounts.lock(desk, rex, "ben", "spam"), True), (
            lambda: accounts.unlock(desk, rex, "ben"), False
        )):  # fmt: skip
            real, staffed.people.lock = staffed.people.lock, staffed.people.person  # type: ignore[assignment, method-assign]

            def away(uid: str, *, locked: bool) -> None:
                raise RegistryError("unavailable", ())

            staffed.people.lock = away  # type: ignore[method-assign]
            act()
            assert accounts.finish_joining(desk) == 0
            assert staffed.people.entries["ben"].locked != locked
            staffed.people.lock = real  # type: ignore[method-assign]
            assert accounts.finish_joining(desk) == 1
            assert staffed.people.entries["ben"].locked == locked
            staffed.people.asked.clear()
            assert accounts.finish_joining(desk) == 0
            assert staffed.people.asked == []  # whoever was told is not asked about every minute


class TestClosing:
    def test_with_nothing_left(self, staffed: Registry) -> None:
        desk, ben = staffed.desk, member("ben")
        secret = staffed.invited("ben")
        assert accounts.close(desk, ben, "ben").state is AccountState.CLOSED
        assert staffed.people.entries["ben"].locked
        assert refused(lambda: accounts.close(desk, staffed.actor("rex"), "ben")) == "state"
        assert refused(lambda: accounts.unlock(desk, staffed.actor("rex"), "ben")) == "state"
        assert refused(lambda: join(desk, secret, "frank")) == "expired"
        assert refused(lambda: join(desk, staffed.invited(), "ben")) == "conflict"  # nobody else gets the name

    def test_not_with_something(self, staffed: Registry) -> None:
        desk, ben = staffed.desk, member("ben")
        takes: tuple[tuple[Callable[[], object], Callable[[], object]], ...] = (
            (lambda: domains.register(desk, ben, "garden.alt"), lambda: domains.release(desk, ben, "garden.alt")),
            (
                lambda: prefixes.register_prefix(desk, ben, 48, prefix="fd00:1::/48"),
                lambda: prefixes.release_prefix(desk, ben, "fd00:1::/48"),
            ),
            (lambda: prefixes.register_asn(desk, ben), lambda: prefixes.release_asn(desk, ben, 4_200_065_536)),
        )
        for take, give in takes:
            take()
            assert refused(lambda: accounts.close(desk, ben, "ben")) == "state"
            give()
        accounts.close(desk, ben, "ben")
        exported(desk)

    def test_others(self, local: Registry) -> None:
        desk = local.desk
        assert refused(lambda: accounts.close(desk, member("ben"), "cleo")) == "forbidden"
        assert refused(lambda: accounts.close(desk, local.actor("rex"), "ros")) == "forbidden"
        assert refused(lambda: accounts.close(desk, local.actor("rex"), FIRST.uid)) == "forbidden"
        assert refused(lambda: accounts.close(desk, local.actor(FIRST.uid), FIRST.uid)) == "forbidden"
        assert accounts.close(desk, local.actor("rex"), "eve").state is AccountState.CLOSED
        assert accounts.close(desk, local.actor("ros"), "ros").state is AccountState.CLOSED


class TestCutting:
    def test_a_branch_and_no_other(self, staffed: Registry) -> None:
        desk, rex = staffed.desk, staffed.actor("rex")
        links = {uid: staffed.invited(uid) for uid in ("ben", "cleo", "rex")}
        secrets = {uid: tokens.make(desk, member(uid), "mine", Scope())[1] for uid in ("eve", "rex")}
        domains.register(desk, member("eve"), "eve.alt")
        domains.register(desk, rex, "garden.alt")
        hit = accounts.cut(desk, rex, "ben", "spam")
        assert {one.uid for one in hit} == {"ben", "cleo", "dan", "eve"}
        for uid in ("ben", "cleo", "dan", "eve"):
            assert accounts.get(desk, rex, uid).state is AccountState.LOCKED
            assert staffed.people.entries[uid].locked
        assert refused(lambda: join(desk, links["cleo"], "frank")) == "expired"
        assert refused(lambda: tokens.authenticate(desk, secrets["eve"], "", "api")) == "unauthenticated"
        held = domains.get(desk, rex, "eve.alt").domain
        assert (held.state, held.reason) == (DomainState.HELD, "spam")
        # Nothing else.
        assert tokens.authenticate(desk, secrets["rex"], "", "api").uid == "rex"
        assert domains.get(desk, rex, "garden.alt").domain.state is DomainState.REGISTERED
        join(desk, links["rex"], "frank")
        # What was revoked stays so.
        for uid in ("ben", "eve"):
            accounts.unlock(desk, rex, uid)
        assert refused(lambda: join(desk, links["ben"], "gil")) == "expired"
        assert refused(lambda: tokens.authenticate(desk, secrets["eve"], "", "api")) == "unauthenticated"
        assert history.verify(desk) == []
        about_eve = {one.action for one in history.listed(desk, member("eve")).items}
        assert {"account.cut", "domain.hold"} <= about_eve
        exported(desk)
        with desk.store.read() as connection:
            zones = set(connection.execute(select(tables.outbox.c.zone)).scalars())
        assert "eve.alt." in zones

    def test_names_may_be_kept_and_requests_leave_the_queue(self, staffed: Registry) -> None:
        staffed.policy(review=True)
        desk, rex = staffed.desk, staffed.actor("rex")
        for uid in ("cleo", "dan"):
            domains.register(desk, member(uid), f"{uid}.alt")
        domains.approve(desk, rex, "cleo.alt")
        accounts.cut(desk, rex, "cleo", "spam", names="keep")
        assert domains.get(desk, rex, "cleo.alt").domain.state is DomainState.REGISTERED
        assert refused(lambda: accounts.cut(desk, rex, "dan", "spam", names="burn")) == "invalid"
        accounts.cut(desk, rex, "dan", "spam")
        assert refused(lambda: domains.get(desk, rex, "dan.alt")) == "missing"
        assert refused(lambda: domains.approve(desk, rex, "dan.alt")) == "missing"

    def test_an_operator_below_protects_the_branch(self, local: Registry) -> None:
        local.people.has("eve", "members", "operators")
        assert refused(lambda: accounts.cut(local.desk, local.actor("rex"), "ben", "spam")) == "forbidden"
        assert not local.people.entries["ben"].locked

    def test_twice(self, staffed: Registry) -> None:
        accounts.cut(staffed.desk, staffed.actor("rex"), "ben", "spam")
        assert accounts.cut(staffed.desk, staffed.actor("rex"), "ben", "spam") == []

    def test_whoever_was_just_joining_is_shut_out_too(self, staffed: Registry) -> None:
        desk = staffed.desk
        secret = staffed.invited("cleo")
        staffed.people.before_create = lambda: accounts.cut(desk, staffed.actor("rex"), "ben", "spam")
        assert refused(lambda: join(desk, secret, "frank")) == "expired"
        assert accounts.get(desk, staffed.actor("rex"), "frank").state is AccountState.LOCKED
        assert staffed.people.entries["frank"].locked

    def test_who_joins_between_the_look_and_the_cut_is_not_forgotten(self, staffed: Registry) -> None:
        desk, rex = staffed.desk, staffed.actor("rex")
        secret, real, once = staffed.invited("eve"), staffed.people.person, [True]

        def meanwhile(uid: str) -> object:
            if once:
                once.clear()
                join(desk, secret, "frank")
            return real(uid)

        staffed.people.person = meanwhile  # type: ignore[assignment, method-assign]
        assert refused(lambda: accounts.cut(desk, rex, "ben", "spam")) == "stale"
        assert {one.uid for one in accounts.cut(desk, rex, "ben", "spam")} == {"ben", "cleo", "dan", "eve", "frank"}

    def test_ten_thousand_a_thousand_deep(self, here: Registry) -> None:
        fill(
            here,
            (
                (f"u{n}", f"u{n - 1}" if n % 10 == 0 and n < 1000 else f"u{max(n % 1000, 1) - 1}")
                for n in range(1, 10_000)
            ),
        )
        here.people.has("rex", "members", "registrars")
        rex = here.actor("rex")
        for uid in ("u1", "u9999"):
            here.people.has(uid)
        begun = time.process_time()
        tree = accounts.tree(here.desk, rex, "u0")
        assert len(tree) == 10_000
        assert max(level for level, _ in tree) >= 998
        assert accounts.get(here.desk, member("u0"), "u9999").uid == "u9999"
        hit = accounts.cut(here.desk, rex, "u0", "spam")
        assert len(hit) == 10_000
        assert here.people.entries["u9999"].locked
        assert time.process_time() - begun < 30
        assert len(here.people.asked) < 10_010  # nobody is asked for one by one before

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(0, 40))
    def test_a_cut_takes_those_below_and_no_other(self, here: Registry, parents: list[int], at: int) -> None:
        """Against a plain walk upwards."""
        parent = {number + 1: min(chosen, number) for number, chosen in enumerate(parents)}
        fill(here, ((f"u{child}", f"u{above}") for child, above in parent.items()))
        here.people.has("rex", "members", "registrars")
        cut = min(at, len(parents))

        def below(number: int) -> bool:
            while number != cut and number in parent:
                number = parent[number]
            return number == cut

        hit = accounts.cut(here.desk, here.actor("rex"), f"u{cut}", "spam")
        assert {one.uid for one in hit} == {f"u{number}" for number in range(len(parents) + 1) if below(number)}


def fill(there: Registry, pairs: Iterable[tuple[str, str]]) -> None:
    """Put accounts into the table, u0 first."""
    rows = [
        {"uid": uid, "state": "active", "created": NOON, "invited_by": by, "version": 1}
        for uid, by in (("u0", None), *pairs)
    ]
    with there.desk.store.write() as connection:
        connection.execute(delete(tables.accounts))
        connection.execute(insert(tables.accounts), rows)
