"""Joining with a real directory whose providers die, and with a registry that is killed in between."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from people_slapd import BASE, MASTER, MISSING, PASSWORD, REASON, Provider, directory, providers
from sqlalchemy import select
from tests.daemons import until

from altnet.directory import services
from altnet.directory.model import person_dn
from altnet.registry.__main__ import main
from altnet.registry.acts import accounts, history, invitations
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import AccountState, Actor, Role, RRset
from altnet.registry.domain.policy import Policy
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store

pytestmark = pytest.mark.xdist_group("directory-real")
ADA = Actor("root-ada", frozenset(Role), "portal")
REX = Actor("rex", frozenset((Role.MEMBER, Role.REGISTRAR)), "portal")


@dataclass
class Clock:
    moved: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.moved


class Nobody:
    def faults(self, zone: str, rrsets: tuple[RRset, ...]) -> tuple[()]:
        return ()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Provider, Provider]]:
    """Two providers of this test's own, which may die."""
    if MISSING:
        pytest.skip(REASON)
    one, other = providers(tmp_path)
    try:
        one.start()
        other.start()
        one.declared("root-ada", "members", "operators")
        one.declared("rex", "members", "registrars")
        until(lambda: other.members("registrars") == {"rex"}, 20)
        yield one, other
    finally:
        one.kill()
        other.kill()


@pytest.fixture
def desk(pair: tuple[Provider, Provider], tmp_path: Path) -> Iterator[Desk]:
    store = Store.open(f"sqlite:///{tmp_path / 'registry.db'}")
    store.migrate()
    made = Desk(store, Policy(prefix="fd12:3456:789a::/48"), directory(*pair, timeout=1), Nobody(), Clock())
    for actor in (ADA, REX):
        accounts.me(made, actor)
    yield made
    store.close()


def later(desk: Desk) -> None:
    assert isinstance(desk.clock, Clock)
    desk.clock.moved += timedelta(minutes=2)


def link(desk: Desk, **options: int) -> str:
    return invitations.create(desk, ADA, **options)[1]


def join(desk: Desk, secret: str, uid: str) -> object:
    return invitations.join(desk, secret, uid=uid, name="N. N.", password=PASSWORD)


def states(desk: Desk) -> dict[str, AccountState]:
    with desk.store.read() as connection:
        rows = connection.execute(select(tables.accounts.c.uid, tables.accounts.c.state))
        return {row.uid: AccountState(row.state) for row in rows}


def test_a_provider_dies_and_the_other_answers(pair: tuple[Provider, Provider], desk: Desk) -> None:
    one, other = pair
    join(desk, link(desk), "ben")
    assert one.read(person_dn("ben", BASE))["cn"] == ["N. N."]
    one.kill()
    begun = time.monotonic()
    join(desk, link(desk), "cleo")
    assert desk.directory.authenticate("cleo", PASSWORD)
    assert desk.directory.person("cleo") == Person("cleo", "N. N.", groups=frozenset(("members",)))
    assert time.monotonic() - begun < 10
    assert {"ben", "cleo"} <= other.members("members")
    one.start()
    until(lambda: "cleo" in one.members("members") and one.read(person_dn("cleo", BASE)), 30)
    other.kill()
    accounts.lock(desk, REX, "cleo", "spam")
    assert not desk.directory.authenticate("cleo", PASSWORD)


def test_both_are_dead_and_come_back(pair: tuple[Provider, Provider], desk: Desk) -> None:
    one, other = pair
    first, second, third = link(desk), link(desk), link(desk)
    join(desk, first, "ben")

    class Dying:
        """Both die when something is asked of them, after everything that is asked before it."""

        def __init__(self, when: str) -> None:
            self.when = when

        def __getattr__(self, name: str) -> object:
            if name == self.when:
                one.kill()
                other.kill()
            return getattr(desk.directory, name)

    # Locked here; the directory hears of it later.
    assert accounts.lock(replace(desk, directory=Dying("lock")), REX, "ben", "spam").state is AccountState.LOCKED  # type: ignore[arg-type]
    one.start()
    other.start()
    assert desk.directory.authenticate("ben", PASSWORD)
    with pytest.raises(RegistryError) as caught:
        join(replace(desk, directory=Dying("create")), second, "cleo")  # type: ignore[arg-type]
    assert caught.value.kind == "unavailable"
    assert states(desk)["cleo"] is AccountState.JOINING
    later(desk)
    with pytest.raises(RegistryError):
        accounts.finish_joining(desk)
    with pytest.raises(RegistryError) as caught:
        join(desk, third, "dan")
    assert caught.value.kind == "unavailable"
    one.start()
    other.start()
    assert accounts.finish_joining(desk) == 2
    assert "cleo" not in states(desk)
    assert not desk.directory.authenticate("ben", PASSWORD)
    join(desk, second, "cleo")
    assert states(desk)["cleo"] is AccountState.ACTIVE
    assert history.verify(desk) == []


def test_what_a_dying_provider_took_is_known_again(pair: tuple[Provider, Provider], desk: Desk) -> None:
    """It took the entry, gave it to the other one, and died before it said so."""
    one, other = pair

    class Deaf:
        def __getattr__(self, name: str) -> object:
            if name != "create":
                return getattr(desk.directory, name)

            def create(person: Person, password: str) -> None:
                directory(one).create(person, password)
                until(lambda: other.read(person_dn(person.uid, BASE)), 10)
                one.kill()
                desk.directory.create(person, password)

            return create

    join(replace(desk, directory=Deaf()), link(desk), "ben")  # type: ignore[arg-type]
    assert states(desk)["ben"] is AccountState.ACTIVE
    assert desk.directory.authenticate("ben", PASSWORD)


def test_a_branch_with_an_operator_is_protected_by_the_directory_too(desk: Desk) -> None:
    join(desk, link(desk), "ben")
    with pytest.raises(RegistryError) as caught:
        accounts.lock(desk, REX, "root-ada", "mutiny")
    assert caught.value.kind == "forbidden"
    assert {one.uid for one in accounts.cut(desk, REX, "ben", "spam")} == {"ben"}
    found = desk.directory.person("ben")
    assert found is not None
    assert found.locked


def test_an_operator_invites_on_the_host_itself(
    pair: tuple[Provider, Provider], desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the settings file to a link, and by it to an account."""
    (tmp_path / "password").write_text(services.password(MASTER, "portal", 0) + "\n")
    settings = {
        "database": desk.store.engine.url.render_as_string(),
        "site": "portal.alt",
        "policy": {"tlds": ["alt"], "prefix": "fd12:3456:789a::/48"},
        "directory": {
            "uris": [f"ldaps://localhost:{one.port}" for one in pair],
            "base": BASE,
            "bind_dn": f"cn=portal,ou=services,{BASE}",
            "roots": f"{pair[0].place}/roots.pem",
            "password_file": str(tmp_path / "password"),
        },
    }
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings))
    assert main(["invite", str(path), "root-ada", "2", "the first ones"]) == 0
    printed = capsys.readouterr().out.split()
    assert len(printed) == 1
    assert printed[0].startswith("https://portal.alt/join/")
    secret = printed[0].rpartition("/")[2]
    for uid in ("ben", "cleo"):
        join(desk, secret, uid)
    for words in (["nobody"], ["root-ada", "many"], ["root-ada", "\u00b2"], ["root-ada", "0"], ["root-ada", "9" * 20]):
        assert main(["invite", str(path), *words]) == 1
        assert "Traceback" not in capsys.readouterr().err


def test_killed_thirty_times_in_mid_joining(pair: tuple[Provider, Provider], desk: Desk, tmp_path: Path) -> None:
    """By SIGKILL, at a moment of chance: in the end nobody is half there, in neither place, nor in half of a group."""
    one, _ = pair
    url, people = desk.store.engine.url.render_as_string(), desk.directory
    secrets = [link(desk, uses_max=20) for _ in range(30)]
    desk.store.close()
    halves = 0
    for number, secret in enumerate(secrets):
        child = os.fork()
        if child == 0:
            try:
                own = replace(desk, store=Store.open(url), directory=directory(*pair))
                for count in range(20):
                    join(own, secret, f"u{number}-{count}")
            finally:
                os._exit(1)
        time.sleep(random.uniform(0.05, 0.3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        halves += AccountState.JOINING in states(desk).values()
    later(desk)
    accounts.finish_joining(replace(desk, directory=people))
    known = states(desk)
    assert set(known.values()) == {AccountState.ACTIVE}
    assert set(known) == one.uids() == one.members("members")
    with desk.store.read() as connection:
        used = sum(connection.execute(select(tables.invitations.c.uses)).scalars())
    assert used == len(known) - 2
    for uid in sorted(known)[::7]:
        assert desk.directory.authenticate(uid, PASSWORD)
    assert history.verify(desk) == []
    assert halves > 0, "no kill came between the row and the entry: this showed nothing"
