"""Invitations: made, looked at, revoked, joined by, and what a hostile newcomer or member tries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from people_desks import FIRST, PASSWORD, Registry, join, kind, member
from sqlalchemy import select

from altnet.registry.acts import accounts, history, invitations
from altnet.registry.domain.errors import RegistryError, refuse
from altnet.registry.domain.model import AccountState, Invitation, Scope
from altnet.registry.storage import tables


def uses(there: Registry) -> list[int]:
    with there.desk.store.read() as connection:
        return list(connection.execute(select(tables.invitations.c.uses)).scalars())


class TestJoining:
    def test_a_newcomer_has_an_account_an_entry_and_an_inviter(self, there: Registry) -> None:
        one, secret = invitations.create(there.desk, there.actor(FIRST.uid), note=" for Ben ")
        assert invitations.look(there.desk, secret) == one
        account = invitations.join(
            there.desk, secret, uid=" Ben ", name="Ben B.", password=PASSWORD, mail="ben@example.alt", client="fd00::9"
        )
        assert (account.uid, account.state, account.invited_by) == ("ben", AccountState.ACTIVE, FIRST.uid)
        entry = there.people.entries["ben"]
        assert (entry.name, entry.mail, entry.groups) == ("Ben B.", "ben@example.alt", {"members"})
        assert there.people.passwords["ben"] == PASSWORD
        assert uses(there) == [1]
        assert accounts.me(there.desk, member("ben")) == account
        assert history.verify(there.desk) == []

    def test_no_secret_is_in_the_database(self, there: Registry) -> None:
        secret = there.invited()
        join(there.desk, secret, "ben")
        with there.desk.store.read() as connection:
            for table in tables.metadata.sorted_tables:
                for row in connection.execute(select(table)):
                    assert secret not in repr(row)
                    assert PASSWORD not in repr(row)

    def test_once_is_once(self, there: Registry) -> None:
        secret = there.invited()
        join(there.desk, secret, "ben")
        for act in (lambda: invitations.look(there.desk, secret), lambda: join(there.desk, secret, "cleo")):
            with pytest.raises(RegistryError) as caught:
                act()
            assert kind(caught.value) == ("expired", {("secret", "expired")})
        assert "cleo" not in there.people.entries

    def test_a_counted_one_is_for_so_many(self, there: Registry) -> None:
        secret = there.invited(uses_max=3)
        for uid in ("ben", "cleo", "dan"):
            join(there.desk, secret, uid)
        with pytest.raises(RegistryError):
            join(there.desk, secret, "eve")
        assert uses(there) == [3]

    def test_what_ended_it_is_not_told(self, there: Registry) -> None:
        """Used up, expired, revoked, its inviter locked: the same words, so that nobody learns who did what."""
        used, old, revoked, of_a_locked_one = (there.invited(uses_max=1, note=note) for note in "abcd")
        there.people.has("rex", "members", "registrars")
        join(there.desk, used, "ben")
        of_ben = there.invited("ben")
        accounts.lock(there.desk, there.actor("rex"), "ben", "spam")
        listed = invitations.listed(there.desk, there.actor(FIRST.uid)).items
        ids = {one.note: one.id for one in listed}
        invitations.revoke(there.desk, there.actor(FIRST.uid), ids["c"])
        said = set()
        for secret in (used, revoked, of_ben):
            with pytest.raises(RegistryError) as caught:
                join(there.desk, secret, "eve")
            said.add((caught.value.kind, str(caught.value)))
        there.clock.later(days=15)
        for secret in (old, of_a_locked_one):
            with pytest.raises(RegistryError) as caught:
                join(there.desk, secret, "eve")
            said.add((caught.value.kind, str(caught.value)))
        assert len(said) == 1

    @pytest.mark.parametrize("secret", ["", "x", "x" * 43, "../../etc", "\0", "\ud800", "ä" * 9999])
    def test_a_link_that_never_was(self, there: Registry, secret: str) -> None:
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert caught.value.kind == "missing"

    def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_used(self, there: Registry) -> None:
        secret = there.invited()
        with pytest.raises(RegistryError) as caught:
            invitations.join(there.desk, secret, uid="x", name="a\nb", password="short", mail="nonsense")
        assert kind(caught.value) == (
            "invalid",
            {("uid", "uid"), ("name", "characters"), ("password", "too-short"), ("mail", "mail")},
        )
        assert uses(there) == [0]

    def test_who_has_no_link_learns_nothing_of_uids(self, there: Registry) -> None:
        with pytest.raises(RegistryError) as caught:
            join(there.desk, "guess", FIRST.uid)
        assert caught.value.kind == "missing"

    @pytest.mark.parametrize("uid", [FIRST.uid, "ben"])
    def test_a_uid_that_somebody_has(self, there: Registry, uid: str) -> None:
        there.joined("ben")
        there.people.entries.pop("ben")  # gone from the directory, and its account is here
        secret = there.invited()
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, uid)
        assert kind(caught.value) == ("conflict", {("uid", "taken")})
        join(there.desk, secret, "cleo")

    def test_somebody_elses_entry_is_left_as_it_is(self, there: Registry) -> None:
        """One that appeared after the first look."""
        secret = there.invited()

        def meanwhile() -> None:
            there.people.has("ben", "operators")
            there.people.passwords["ben"] = "another password"

        there.people.before_create = meanwhile
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert kind(caught.value) == ("conflict", {("uid", "taken")})
        assert there.people.passwords["ben"] == "another password"
        assert there.people.entries["ben"].groups == {"operators"}
        assert uses(there) == [0]
        there.people.before_create = None
        join(there.desk, secret, "cleo")

    def test_what_the_directory_refuses_is_undone(self, there: Registry) -> None:
        secret = there.invited()
        there.people.refusal = refuse("invalid", "The directory refuses this", at="mail")
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert [fault.field for fault in caught.value.faults] == ["mail"]
        there.people.refusal = None
        assert join(there.desk, secret, "ben").state is AccountState.ACTIVE
        assert uses(there) == [1]
        assert history.verify(there.desk) == []

    def test_with_the_directory_away_nothing_begins(self, there: Registry) -> None:
        secret = there.invited()
        there.people.silent = -1
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert caught.value.kind == "unavailable"
        assert uses(there) == [0]


class TestManyAtOnce:
    def race(self, count: int, act: Callable[[int], object]) -> tuple[int, list[str]]:
        """Return how many did it, and the kinds of refusal of the others."""
        start, done, refused = threading.Barrier(count), [], []

        def run(number: int) -> None:
            start.wait()
            try:
                done.append(act(number))
            except RegistryError as error:
                refused.append(error.kind)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(done), refused

    def test_one_link_many_people_one_joins(self, there: Registry) -> None:
        secret = there.invited()
        done, refused = self.race(24, lambda number: join(there.desk, secret, f"user{number}"))
        assert done == 1
        assert refused == ["expired"] * 23
        assert uses(there) == [1]
        assert len([uid for uid in there.people.entries if uid.startswith("user")]) == 1
        assert history.verify(there.desk) == []

    def test_one_uid_many_links_one_joins(self, there: Registry) -> None:
        secrets = [there.invited() for _ in range(12)]
        done, refused = self.race(12, lambda number: join(there.desk, secrets[number], "ben"))
        assert done == 1
        assert refused == ["conflict"] * 11
        assert sum(uses(there)) == 1

    def test_a_quota_holds_at_once(self, there: Registry) -> None:
        there.joined("ben")
        ben = member("ben")
        done, refused = self.race(16, lambda _: invitations.create(there.desk, ben))
        assert done == 5
        assert refused == ["quota"] * 11


class TestInviting:
    @pytest.mark.parametrize(
        ("options", "field"),
        [
            ({"uses_max": 0}, "uses_max"),
            ({"uses_max": 21}, "uses_max"),
            ({"lifetime": timedelta(0)}, "lifetime"),
            ({"lifetime": timedelta(days=-1)}, "lifetime"),
            ({"lifetime": timedelta(days=367)}, "lifetime"),
            ({"lifetime": timedelta.max}, "lifetime"),
            ({"note": "x" * 201}, "note"),
            ({"note": "a\nb"}, "note"),
            ({"note": "a\0b"}, "note"),
            ({"note": "a\ud800"}, "note"),
        ],
    )
    def test_out_of_bounds(self, here: Registry, options: dict[str, object], field: str) -> None:
        with pytest.raises(RegistryError) as caught:
            here.invited(**options)
        assert [fault.field for fault in caught.value.faults] == [field]

    def test_a_quota_counts_open_ones(self, there: Registry) -> None:
        there.joined("ben")
        ben = member("ben")
        made = [invitations.create(there.desk, ben) for _ in range(5)]
        with pytest.raises(RegistryError, match="5 is your quota"):
            invitations.create(there.desk, ben)
        invitations.revoke(there.desk, ben, made[0][0].id)
        join(there.desk, made[1][1], "cleo")
        for _ in range(2):
            invitations.create(there.desk, ben)
        with pytest.raises(RegistryError):
            invitations.create(there.desk, ben)
        there.people.has("rex", "members", "registrars")
        accounts.set_quota(there.desk, there.actor("rex"), "ben", invitations=6)
        invitations.create(there.desk, ben)
        there.clock.later(days=14)
        assert invitations.listed(there.desk, ben, open_only=True).items == ()
        invitations.create(there.desk, ben)

    def test_a_quota_of_none_is_nothing(self, here: Registry) -> None:
        here.joined("ben")
        here.people.has("rex", "members", "registrars")
        accounts.set_quota(here.desk, here.actor("rex"), "ben", invitations=0)
        with pytest.raises(RegistryError):
            invitations.create(here.desk, member("ben"))

    def test_depth(self, here: Registry) -> None:
        here.policy(invitation_depth=2)
        here.joined("ben")
        here.joined("cleo", "ben")
        with pytest.raises(RegistryError) as caught:
            here.invited("cleo")
        assert kind(caught.value) == ("forbidden", {("", "depth")})
        here.policy(invitation_depth=0)
        here.invited("cleo")

    def test_others_invitations_are_not_there(self, there: Registry) -> None:
        one, _ = invitations.create(there.desk, there.actor(FIRST.uid))
        there.joined("ben")
        acts: tuple[Callable[[], object], ...] = (
            lambda: invitations.get(there.desk, member("ben"), one.id),
            lambda: invitations.revoke(there.desk, member("ben"), one.id),
            lambda: invitations.get(there.desk, member("ben"), "f" * 16),
            lambda: invitations.get(there.desk, member("ben"), "' OR 1=1 --"),
        )
        for act in acts:
            with pytest.raises(RegistryError) as caught:
                act()
            assert caught.value.kind == "missing"
        assert invitations.listed(there.desk, member("ben")).items == ()
        assert invitations.listed(there.desk, member("ben"), inviter=FIRST.uid).items == ()
        there.people.has("rex", "registrars")
        assert invitations.get(there.desk, there.actor("rex"), one.id) == one
        assert invitations.revoke(there.desk, there.actor("rex"), one.id).revoked is not None

    def test_revoking_twice_is_revoking_once(self, there: Registry) -> None:
        one, _ = invitations.create(there.desk, there.actor(FIRST.uid))
        first = invitations.revoke(there.desk, there.actor(FIRST.uid), one.id)
        there.clock.later(hours=1)
        assert invitations.revoke(there.desk, there.actor(FIRST.uid), one.id) == first

    def test_a_token_invites_nobody_unless_it_may_do_everything(self, here: Registry) -> None:
        here.joined("ben")
        with pytest.raises(RegistryError) as caught:
            invitations.create(here.desk, member("ben", Scope(), "t"))
        assert caught.value.kind == "forbidden"
        invitations.create(here.desk, member("ben", Scope(("full",)), "t"))

    def test_pages_show_each_once(self, there: Registry) -> None:
        made = set()
        for _ in range(23):
            made.add(invitations.create(there.desk, there.actor(FIRST.uid))[0].id)
            there.clock.later(seconds=len(made) % 2)  # several in one second
        found: list[Invitation] = []
        cursor: str | None = None
        while True:
            page = invitations.listed(there.desk, there.actor(FIRST.uid), cursor=cursor, limit=5)
            found += page.items
            if (cursor := page.next) is None:
                break
        assert len(found) == 23
        assert {one.id for one in found} == made
        assert [one.created for one in found] == sorted((one.created for one in found), reverse=True)

    @pytest.mark.parametrize("cursor", ["", "x", "!!", "W10", "WyJhIl0", "e30", "\ud800", "WzEsMl0", "A" * 5000])
    def test_a_cursor_that_is_none(self, here: Registry, cursor: str) -> None:
        with pytest.raises(RegistryError) as caught:
            invitations.listed(here.desk, here.actor(FIRST.uid), cursor=cursor)
        assert kind(caught.value) == ("invalid", {("cursor", "cursor")})
