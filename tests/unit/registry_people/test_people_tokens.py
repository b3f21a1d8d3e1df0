"""Tokens: made, narrowed, known again, and ended with those that they made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from people_desks import FIRST, Registry, exported, kind, member
from sqlalchemy import select

from altnet.registry.acts import accounts, history, tokens
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import Actor, Role, Scope
from altnet.registry.storage import tables

GARDEN = Scope(("read", "write"), ("garden.alt", "*.garden.alt"), ("AAAA", "txt"), ("fd12::/16",))


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


def used(there: Registry, secret: str, client: str = "fd12::1") -> Actor:
    return tokens.authenticate(there.desk, secret, client, "api")


class TestKnownAgain:
    def test_whose_it_is_and_what_it_may(self, joined: Registry) -> None:
        one, secret = tokens.make(joined.desk, member("ben"), " router ", GARDEN)
        assert one.label == "router"
        assert one.scope == Scope(("read", "write"), ("garden.alt.", "*.garden.alt."), ("AAAA", "TXT"), ("fd12::/16",))
        actor = used(joined, secret)
        expected = Actor("ben", frozenset((Role.MEMBER,)), "api", "fd12::1", one.scope, one.id)
        assert actor == expected
        assert tokens.listed(joined.desk, member("ben")).items[0].used == joined.clock()

    def test_only_its_digest_is_kept_and_nothing_in_the_log(self, joined: Registry) -> None:
        _, secret = tokens.make(joined.desk, member("ben"), "router", GARDEN)
        with joined.desk.store.read() as connection:
            for table in tables.metadata.sorted_tables:
                assert secret not in repr(connection.execute(select(table)).all())

    @pytest.mark.parametrize("secret", ["", "altnet_", "altnet_" + "0" * 49, "x" * 9999, "\0", "\ud800", "Bearer a"])
    def test_what_is_none(self, local: Registry, secret: str) -> None:
        assert refused(lambda: used(local, secret)) == ("unauthenticated", {("", "token")})

    def test_all_that_is_over_is_over_in_the_same_words(self, joined: Registry) -> None:
        desk = joined.desk
        revoked, expired, locked, gone = (
            tokens.make(desk, member(uid), "one", Scope(), lifetime=timedelta(hours=1) if uid == "ben" else None)[1]
            for uid in ("ben", "ben", "cleo", "rex")
        )
        tokens.revoke(desk, member("ben"), next(one.id for one in tokens.listed(desk, member("ben")).items))
        accounts.lock(desk, joined.actor("rex"), "cleo", "spam")
        del joined.people.entries["rex"]
        joined.clock.later(hours=1)
        said = set()
        for secret in (revoked, expired, locked, gone, "altnet_nonsense"):
            with pytest.raises(RegistryError) as caught:
                used(joined, secret)
            said.add((str(caught.value), caught.value.kind, str(caught.value.headers)))
        assert len(said) == 1

    def test_until_its_last_second(self, joined: Registry) -> None:
        one, secret = tokens.make(joined.desk, member("ben"), "one", Scope(), lifetime=timedelta(seconds=60))
        assert one.expires == joined.clock() + timedelta(seconds=60)
        joined.clock.later(seconds=59)
        used(joined, secret)
        joined.clock.later(seconds=1)
        assert refused(lambda: used(joined, secret))[0] == "unauthenticated"

    @pytest.mark.parametrize(
        ("client", "fine"),
        [
            ("fd12:ffff::1", True), ("fd13::1", False), ("10.0.0.1", False), ("", False), ("unix", False),
            ("::ffff:10.0.0.1", False), ("fd12::1%eth0", True), ("fd12::1\0", False),
        ],
    )  # fmt: skip
    def test_sources(self, local: Registry, client: str, fine: bool) -> None:
        _, secret = tokens.make(local.desk, member("ben"), "one", GARDEN)
        if fine:
            assert used(local, secret, client).uid == "ben"
        else:
            assert refused(lambda: used(local, secret, client)) == ("forbidden", {("", "source")})

    def test_a_mapped_address_is_the_one_in_it(self, local: Registry) -> None:
        _, secret = tokens.make(local.desk, member("ben"), "one", Scope(sources=("10.0.0.0/8",)))
        assert used(local, secret, "::ffff:10.1.2.3").uid == "ben"

    def test_roles_are_those_of_now_but_for_a_moment(self, local: Registry) -> None:
        _, secret = tokens.make(local.desk, local.actor("rex"), "one", Scope(("full",)))
        assert used(local, secret).may(Role.REGISTRAR)
        local.people.has("rex", "members")
        local.people.asked.clear()
        assert used(local, secret).may(Role.REGISTRAR)
        assert local.people.asked == []
        local.clock.later(seconds=10)
        assert not used(local, secret).may(Role.REGISTRAR)

    def test_somebody_without_a_group_has_no_rights(self, local: Registry) -> None:
        _, secret = tokens.make(local.desk, member("ben"), "one", Scope())
        local.people.has("ben", "gardeners")
        assert refused(lambda: used(local, secret))[0] == "unauthenticated"

    def test_who_is_locked_here_has_no_rights_whatever_the_directory_says(self, joined: Registry) -> None:
        assert tokens.roles_of(joined.desk, "ben") == {Role.MEMBER}
        accounts.lock(joined.desk, joined.actor("rex"), "ben", "spam")
        joined.people.has("ben")  # it has not heard of it
        joined.clock.later(seconds=10)
        assert tokens.roles_of(joined.desk, "ben") == frozenset()
        assert tokens.roles_of(joined.desk, "nobody") == frozenset()

    def test_a_use_is_noted_once_in_ten_minutes(self, joined: Registry) -> None:
        one, secret = tokens.make(joined.desk, member("ben"), "one", Scope())
        first = joined.clock()
        used(joined, secret)
        joined.clock.later(minutes=9)
        used(joined, secret)
        assert tokens.get(joined.desk, member("ben"), one.id).used == first
        joined.clock.later(minutes=1)
        used(joined, secret)
        assert tokens.get(joined.desk, member("ben"), one.id).used == joined.clock()

    def test_another_directory_is_another_memory(self, local: Registry) -> None:
        _, secret = tokens.make(local.desk, local.actor("rex"), "one", Scope(("full",)))
        used(local, secret)
        other = type(local.people)()
        other.has("rex", "members")
        local.desk = replace(local.desk, directory=other)
        assert not used(local, secret).may(Role.REGISTRAR)


class TestNarrowing:
    @pytest.mark.parametrize(
        ("scope", "fine"),
        [
            (Scope(("read",), ("x.garden.alt",), ("AAAA",), ("fd12:1::/32",)), True),
            (Scope(("read", "write"), ("garden.alt",), ("TXT",), ("fd12::/16",)), True),
            (Scope(("read", "write")), False),
            (Scope(("full",)), False),
            (Scope(("read",), ("alt",), ("AAAA",), ("fd12::/16",)), False),
            (Scope(("read",), ("*.alt",), ("AAAA",), ("fd12::/16",)), False),
            (Scope(("read",), ("garden.alt",), (), ("fd12::/16",)), False),
            (Scope(("read",), ("garden.alt",), ("MX",), ("fd12::/16",)), False),
            (Scope(("read",), ("garden.alt",), ("AAAA",), ()), False),
            (Scope(("read",), ("garden.alt",), ("AAAA",), ("::/0",)), False),
        ],
    )
    def test_by_a_token(self, local: Registry, scope: Scope, fine: bool) -> None:
        _, secret = tokens.make(local.desk, member("ben"), "wide", GARDEN)
        actor = used(local, secret)
        if fine:
            assert tokens.make(local.desk, actor, "narrow", scope)[0].account == "ben"
        else:
            assert refused(lambda: tokens.make(local.desk, actor, "narrow", scope)) == (
                "forbidden",
                {("scope", "scope")},
            )

    def test_not_even_by_one_that_may_do_everything(self, local: Registry) -> None:
        actor = used(local, tokens.make(local.desk, member("ben"), "all", Scope(("full",)))[1])
        assert refused(lambda: tokens.make(local.desk, actor, "all", Scope(("full",))))[0] == "forbidden"
        tokens.make(local.desk, actor, "narrow", Scope())

    def test_ends_no_later_than_its_maker(self, local: Registry) -> None:
        one, secret = tokens.make(local.desk, member("ben"), "wide", Scope(), lifetime=timedelta(hours=1))
        actor = used(local, secret)
        for lifetime in (None, timedelta(days=9)):
            assert tokens.make(local.desk, actor, "narrow", Scope(), lifetime=lifetime)[0].expires == one.expires
        shorter = tokens.make(local.desk, actor, "narrow", Scope(), lifetime=timedelta(minutes=1))[0]
        assert shorter.expires == local.clock() + timedelta(minutes=1)

    def test_what_a_stolen_one_made_ends_with_it(self, joined: Registry) -> None:
        desk = joined.desk
        stolen, secret = tokens.make(desk, member("ben"), "stolen", Scope())
        _, other = tokens.make(desk, member("ben"), "other", Scope())
        _, child = tokens.make(desk, used(joined, secret), "child", Scope())
        _, grandchild = tokens.make(desk, used(joined, child), "grandchild", Scope())
        before = used(joined, secret)
        tokens.revoke(desk, member("ben"), stolen.id)
        for gone in (secret, child, grandchild):
            assert refused(lambda gone=gone: used(joined, gone))[0] == "unauthenticated"  # type: ignore[misc]
        assert used(joined, other).uid == "ben"
        # A request that had begun with it makes none any more.
        assert refused(lambda: tokens.make(desk, before, "late", Scope()))[0] == "unauthenticated"
        assert history.verify(desk) == []
        exported(desk)


class TestWhose:
    def test_others_are_not_there(self, joined: Registry) -> None:
        desk = joined.desk
        one, _ = tokens.make(desk, member("ben"), "one", Scope())
        for act in (
            lambda: tokens.get(desk, member("cleo"), one.id),
            lambda: tokens.revoke(desk, member("cleo"), one.id),
            lambda: tokens.listed(desk, member("cleo"), account="ben"),
        ):
            assert refused(act)[0] == "missing"
        assert tokens.listed(desk, joined.actor("rex"), account="ben").items == (one,)
        assert tokens.revoke(desk, joined.actor("rex"), one.id).revoked is not None

    def test_a_token_ends_itself_and_no_other(self, joined: Registry) -> None:
        desk = joined.desk
        mine, secret = tokens.make(desk, member("ben"), "mine", Scope(("read",)))
        other, _ = tokens.make(desk, member("ben"), "other", Scope())
        actor = used(joined, secret)
        assert refused(lambda: tokens.revoke(desk, actor, other.id))[0] == "forbidden"
        assert tokens.revoke(desk, actor, mine.id).revoked == joined.clock()

    def test_so_many_and_no_more(self, local: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tokens, "_MOST", 3)
        made = [tokens.make(local.desk, member("ben"), "one", Scope())[0] for _ in range(3)]
        assert refused(lambda: tokens.make(local.desk, member("ben"), "one", Scope()))[0] == "quota"
        tokens.revoke(local.desk, member("ben"), made[0].id)
        tokens.make(local.desk, member("ben"), "one", Scope())

    @pytest.mark.parametrize(
        ("label", "lifetime", "field"),
        [
            ("", None, "label"),
            ("x" * 101, None, "label"),
            ("a\nb", None, "label"),
            ("a\ud800", None, "label"),
            ("one", timedelta(0), "lifetime"),
            ("one", timedelta(days=-1), "lifetime"),
            ("one", timedelta.max, "lifetime"),
        ],
    )
    def test_out_of_bounds(self, local: Registry, label: str, lifetime: timedelta | None, field: str) -> None:
        kind_, faults = refused(lambda: tokens.make(local.desk, member("ben"), label, Scope(), lifetime=lifetime))
        assert kind_ == "invalid"
        assert {at for at, _ in faults} == {field}
