"""A registry on a file of SQLite, with people who are not LDAP's, and its repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from altnet.registry.acts import accounts
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.errors import Fault
from altnet.registry.domain.model import Actor, Role
from altnet.registry.domain.policy import Policy
from altnet.registry.faces.git.repository import Repository
from altnet.registry.storage.store import Store

POLICY = Policy(prefix="fd12:3456:789a::/48", domains_quota=1000, prefixes_quota=10)


@dataclass
class People:
    """A directory in memory; every password is right."""

    known: dict[str, Person] = field(default_factory=dict)

    def person(self, uid):
        return self.known.get(uid)

    def people(self, part="", most=100):
        return tuple(self.known.values())[:most]

    def authenticate(self, uid, password):
        return uid in self.known

    def create(self, person, password):
        self.known[person.uid] = person

    def set_password(self, uid, password):
        return None

    def lock(self, uid, *, locked):
        return None

    def delete(self, uid):
        self.known.pop(uid, None)


@dataclass
class Servers:
    """Holders' servers: those whose name begins with ``bad`` do not answer."""

    asked: list[str] = field(default_factory=list)

    def faults(self, zone, rrsets):
        self.asked.append(zone)
        bad = any(host.startswith("bad") for one in rrsets if one.type == "NS" for host in one.records)
        return (Fault("nameservers[0]", "silent", "This server does not answer", "start it"),) if bad else ()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    store = Store.open(f"sqlite:///{tmp_path}/registry.sqlite")
    store.migrate()
    people = People()
    for uid in ("ada", "ben"):
        people.create(Person(uid, uid.title(), groups=frozenset({"members"})), "")
    made = Desk(store, POLICY, people, Servers())
    for uid in ("ada", "ben"):
        accounts.me(made, actor(uid))
    return made


def actor(uid: str, *roles: Role) -> Actor:
    return Actor(uid, frozenset({Role.MEMBER, *roles}), "api", "fd12::1")


@pytest.fixture(name="actor")
def actor_fixture():
    return actor


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "git" / "registry.git")
    made.prepare(["/bin/false"])
    return made
