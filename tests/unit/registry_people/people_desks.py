"""A registry in a folder of its own, with a directory that can be told to be silent, slow or gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from altnet.registry.acts import invitations
from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.errors import Fault, RegistryError, refuse
from altnet.registry.domain.model import Account, Actor, Role, RRset, Scope
from altnet.registry.domain.policy import Policy
from altnet.registry.storage.snapshots import everything
from altnet.registry.storage.store import Store
from altnet.registry.storage.tables import metadata

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PASSWORD = "seven purple otters swim"
NETWORK = "fd12:3456:789a::/48"
FIRST = Person("root-ada", "Ada", groups=frozenset(("members", "operators")))


@dataclass
class People:
    """A directory in memory. ``silent`` says how many of the next questions nobody answers (-1: all)."""

    entries: dict[str, Person] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    silent: int = 0
    asked: list[str] = field(default_factory=list)
    refusal: RegistryError | None = None
    before_create: Callable[[], None] | None = None
    after_create: Callable[[], None] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def _ask(self, what: str) -> None:
        with self._lock:
            self.asked.append(what)
            if self.silent:
                self.silent -= 1 if self.silent > 0 else 0
                raise refuse("unavailable", "The directory does not answer")

    def person(self, uid: str) -> Person | None:
        self._ask("person")
        return self.entries.get(uid)

    def people(self, part: str = "", most: int = 100) -> tuple[Person, ...]:
        self._ask("people")
        return tuple(one for one in self.entries.values() if part in one.uid)[:most]

    def members(self, group: str) -> frozenset[str]:
        self._ask("members")
        return frozenset(uid for uid, one in self.entries.items() if group in one.groups)

    def authenticate(self, uid: str, password: str) -> bool:
        self._ask("authenticate")
        return not self.entries[uid].locked and self.passwords.get(uid) == password

    def create(self, person: Person, password: str) -> None:
        if self.before_create:
            self.before_create()
        self._ask("create")
        if self.refusal is not None:
            raise self.refusal
        with self._lock:
            if person.uid in self.entries and self.passwords.get(person.uid) != password:
                raise refuse("conflict", "Somebody has this name already", at="uid", code="taken")
            self.entries[person.uid], self.passwords[person.uid] = person, password
        if self.after_create:
            self.after_create()

    def set_password(self, uid: str, password: str) -> None:
        self._ask("set_password")
        self.passwords[uid] = password

    def lock(self, uid: str, *, locked: bool) -> None:
        self._ask("lock")
        with self._lock:
            if uid in self.entries:
                self.entries[uid] = replace(self.entries[uid], locked=locked)

    def delete(self, uid: str) -> None:
        self._ask("delete")
        self.entries.pop(uid, None)

    def has(self, uid: str, *groups: str) -> None:
        """Give somebody an entry, or other groups."""
        self.entries[uid] = Person(uid, uid.capitalize(), groups=frozenset(groups or ("members",)))


@dataclass
class Servers:
    """Holders' servers that answer as they are told."""

    wrong: tuple[Fault, ...] = ()
    asked: list[str] = field(default_factory=list)

    def faults(self, zone: str, rrsets: tuple[RRset, ...]) -> tuple[Fault, ...]:
        self.asked.append(zone)
        return self.wrong


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def later(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@dataclass
class Registry:
    """A desk, and those around it."""

    desk: Desk
    people: People
    servers: Servers
    clock: Clock

    def policy(self, **values: object) -> None:
        self.desk = replace(self.desk, policy=replace(self.desk.policy, **values))  # type: ignore[arg-type]

    def invited(self, by: str = FIRST.uid, **options: object) -> str:
        """Return the secret of a new invitation."""
        return invitations.create(self.desk, self.actor(by), **options)[1]  # type: ignore[arg-type]

    def joined(self, uid: str, by: str = FIRST.uid) -> Account:
        return join(self.desk, self.invited(by), uid)

    def actor(self, uid: str) -> Actor:
        """Return somebody with the roles that their groups give."""
        groups = self.people.entries[uid].groups
        named = {"members": Role.MEMBER, "registrars": Role.REGISTRAR, "operators": Role.OPERATOR}
        return Actor(uid, frozenset(named[group] for group in groups if group in named), "portal", "fd00::1")


def registry(store: Store) -> Registry:
    """Return a registry whose first person is an operator."""
    people, servers, clock = People({FIRST.uid: FIRST}), Servers(), Clock()
    policy = Policy(prefix=NETWORK, taken=("alt.", "portal.alt."))
    return Registry(Desk(store, policy, people, servers, clock), people, servers, clock)


def exported(desk: Desk) -> None:
    """Hold the files that the acts kept, the last of each, against those of everything as it is now."""
    exports = metadata.tables["exports"]
    with desk.store.read() as connection:
        kept: dict[tuple[str, str], str] = {}
        for row in connection.execute(select(exports).order_by(exports.c.number)):
            kept[row.repository, row.path] = row.text
        now = {(repository, path): text for repository, path, text in everything(connection)}
    assert {key: text for key, text in kept.items() if text is not None} == now


def join(desk: Desk, secret: str, uid: str) -> Account:
    return invitations.join(desk, secret, uid=uid, name=uid.capitalize(), password=PASSWORD)


def member(uid: str, scope: Scope | None = None, token: str | None = None) -> Actor:
    return Actor(uid, frozenset((Role.MEMBER,)), "portal", "fd00::1", scope, token)


def kind(error: RegistryError) -> tuple[str, set[tuple[str, str]]]:
    """Return an error's kind, and its faults' fields and codes."""
    return error.kind, {(fault.field, fault.code) for fault in error.faults}
