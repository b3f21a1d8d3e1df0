"""Joining that is cut off: by a directory that is away, by a slow one, and by SIGKILL."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from people_desks import FIRST, PASSWORD, People, Registry, exported, join
from sqlalchemy import select

from altnet.registry.acts import accounts, history, invitations
from altnet.registry.acts.desk import Person
from altnet.registry.domain.errors import RegistryError, refuse
from altnet.registry.domain.model import AccountState
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store


def states(there: Registry) -> dict[str, AccountState]:
    with there.desk.store.read() as connection:
        rows = connection.execute(select(tables.accounts.c.uid, tables.accounts.c.state))
        return {row.uid: AccountState(row.state) for row in rows}


def uses(there: Registry) -> int:
    with there.desk.store.read() as connection:
        return sum(connection.execute(select(tables.invitations.c.uses)).scalars())


def away() -> None:
    raise refuse("unavailable", "The directory does not answer")


@pytest.fixture
def asked(there: Registry) -> tuple[Registry, str]:
    accounts.me(there.desk, there.actor(FIRST.uid))
    return there, there.invited(uses_max=3)


class TestTheDirectoryIsAway:
    def test_before_it_has_the_entry(self, asked: tuple[Registry, str]) -> None:
        there, secret = asked
        there.people.before_create = away
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert caught.value.kind == "unavailable"
        assert states(there)["ben"] is AccountState.JOINING
        # Not while somebody may still be at it.
        there.clock.later(seconds=59)
        assert accounts.finish_joining(there.desk) == 0
        there.clock.later(seconds=2)
        assert accounts.finish_joining(there.desk) == 1
        assert "ben" not in states(there)
        assert uses(there) == 0
        there.people.before_create = None
        assert join(there.desk, secret, "ben").state is AccountState.ACTIVE
        assert history.verify(there.desk) == []
        exported(there.desk)

    def test_after_it_has_the_entry(self, asked: tuple[Registry, str]) -> None:
        there, secret = asked
        there.people.after_create = away
        with pytest.raises(RegistryError):
            join(there.desk, secret, "ben")
        there.clock.later(minutes=2)
        assert accounts.finish_joining(there.desk) == 1
        assert states(there)["ben"] is AccountState.ACTIVE
        assert uses(there) == 1
        assert there.people.passwords["ben"] == PASSWORD
        assert accounts.finish_joining(there.desk) == 0
        assert history.verify(there.desk) == []
        exported(there.desk)

    def test_while_it_is_looked_into(self, asked: tuple[Registry, str]) -> None:
        there, secret = asked
        there.people.before_create = away
        with pytest.raises(RegistryError):
            join(there.desk, secret, "ben")
        there.clock.later(minutes=2)
        there.people.silent = -1
        with pytest.raises(RegistryError) as caught:
            accounts.finish_joining(there.desk)
        assert caught.value.kind == "unavailable"
        assert states(there)["ben"] is AccountState.JOINING


class TestOnceMore:
    """The same link and uid, after an answer that did not come."""

    @pytest.mark.parametrize("half", ["before_create", "after_create"])
    def test_goes_on_where_it_was_cut_off(self, here: Registry, half: str) -> None:
        secret = here.invited()
        setattr(here.people, half, away)
        with pytest.raises(RegistryError):
            join(here.desk, secret, "ben")
        setattr(here.people, half, None)
        with pytest.raises(RegistryError) as caught:  # the link is used for somebody
            join(here.desk, secret, "cleo")
        assert caught.value.kind == "expired"
        assert join(here.desk, secret, "ben").state is AccountState.ACTIVE
        assert uses(here) == 1
        with pytest.raises(RegistryError):
            join(here.desk, secret, "ben")
        assert history.verify(here.desk) == []

    def test_with_another_password_what_is_there_stays(self, here: Registry) -> None:
        secret = here.invited()
        here.people.after_create = away
        with pytest.raises(RegistryError):
            join(here.desk, secret, "ben")
        here.people.after_create = None
        with pytest.raises(RegistryError) as caught:
            invitations.join(here.desk, secret, uid="ben", name="Ben", password=PASSWORD + "!")
        assert caught.value.kind == "conflict"
        assert here.people.passwords["ben"] == PASSWORD
        here.clock.later(minutes=2)
        accounts.finish_joining(here.desk)
        assert states(here)["ben"] is AccountState.ACTIVE
        assert uses(here) == 1

    def test_sent_twice_at_once(self, here: Registry) -> None:
        """A second click while the first is on its way."""
        secret, second = here.invited(), []

        def click() -> None:
            here.people.before_create = None
            second.append(join(here.desk, secret, "ben"))

        here.people.before_create = click
        assert join(here.desk, secret, "ben") == second[0]
        assert uses(here) == 1


class TestSlow:
    def test_undone_in_the_meantime(self, asked: tuple[Registry, str]) -> None:
        """The process stood still for minutes between the row and the entry."""
        there, secret = asked

        def minutes() -> None:
            there.clock.later(minutes=3)
            there.people.before_create = None
            assert accounts.finish_joining(there.desk) == 1

        there.people.before_create = minutes
        with pytest.raises(RegistryError) as caught:
            join(there.desk, secret, "ben")
        assert caught.value.kind == "expired"
        assert "ben" not in there.people.entries
        assert "ben" not in states(there)
        assert join(there.desk, secret, "ben").state is AccountState.ACTIVE
        assert uses(there) == 1

    def test_activated_in_the_meantime(self, asked: tuple[Registry, str]) -> None:
        """The entry was made, and the process stood still before it noted that."""
        there, secret = asked

        def minutes() -> None:
            there.clock.later(minutes=3)
            assert accounts.finish_joining(there.desk) == 1

        there.people.after_create = minutes
        assert join(there.desk, secret, "ben").state is AccountState.ACTIVE
        assert not there.people.entries["ben"].locked
        assert uses(there) == 1


class Disk(People):
    """A directory whose entries outlive the process that makes them: a file each, made at once."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.place = place

    def person(self, uid: str) -> Person | None:
        try:
            said = json.loads((self.place / uid).read_text())
        except FileNotFoundError:
            return None
        return Person(uid, said["name"], groups=frozenset(said["groups"]))

    def create(self, person: Person, password: str) -> None:
        half = self.place / f".{person.uid}"
        half.write_text(json.dumps({"name": person.name, "groups": sorted(person.groups)}))
        time.sleep(0.002)
        half.rename(self.place / person.uid)
        time.sleep(0.002)


def test_killed_thirty_times_in_mid_joining(here: Registry, tmp_path: Path) -> None:
    """Each time by SIGKILL, at a moment of chance: in the end nobody is half there, and each use is somebody's."""
    place = tmp_path / "people"
    place.mkdir()
    disk = Disk(place)
    accounts.me(here.desk, here.actor(FIRST.uid))
    secrets = [here.invited(uses_max=20) for _ in range(30)]
    url = here.desk.store.engine.url.render_as_string()
    here.desk.store.close()  # a child has connections of its own
    halves = 0
    for number, secret in enumerate(secrets):
        child = os.fork()
        if child == 0:
            try:
                desk = replace(here.desk, store=Store.open(url), directory=disk)
                for count in range(20):
                    invitations.join(desk, secret, uid=f"u{number}-{count}", name="N", password=PASSWORD)
            finally:
                os._exit(1)
        time.sleep(random.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        halves += AccountState.JOINING in states(here).values()
        here.clock.later(minutes=2)
        desk = replace(here.desk, directory=disk)
        if number % 3 == 0:  # the others are left for later
            accounts.finish_joining(desk)
    here.clock.later(minutes=2)
    accounts.finish_joining(replace(here.desk, directory=disk))
    known = states(here)
    assert set(known.values()) == {AccountState.ACTIVE}
    here_now = {uid for uid in known if uid != FIRST.uid}
    assert here_now == {entry.name for entry in place.iterdir() if not entry.name.startswith(".")}
    assert uses(here) == len(here_now)
    assert history.verify(here.desk) == []
    exported(here.desk)
    assert halves > 0, "no kill came between the row and the entry: this showed nothing"
