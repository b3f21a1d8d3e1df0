"""A registry in a folder of its own, with people who need no directory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.errors import Fault, RegistryError
from altnet.registry.domain.model import Actor, Role, RRset, Scope
from altnet.registry.domain.policy import Policy
from altnet.registry.storage.store import Store

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@dataclass
class People:
    """A directory of those who are named, and of nobody else."""

    uids: set[str] = field(default_factory=lambda: {"ada", "ben", "cleo", "root"})

    def person(self, uid: str) -> Person | None:
        return Person(uid, uid.capitalize()) if uid in self.uids else None


@dataclass
class Answers:
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


def desk(url: str, clock: Clock | None = None, *, migrated: bool = False, **policy: object) -> Desk:
    """Return a desk with a store that is migrated, or was already."""
    store = Store.open(url)
    if not migrated:
        store.migrate()
    chosen = replace(Policy(taken=("alt.", "portal.alt.")), **policy)  # type: ignore[arg-type]
    return Desk(store, chosen, People(), Answers(), clock or Clock())  # type: ignore[arg-type]


def member(uid: str, scope: Scope | None = None) -> Actor:
    return Actor(uid, frozenset((Role.MEMBER,)), "portal", "fd00::1", scope, "t1" if scope else None)


def registrar(uid: str = "rex") -> Actor:
    return Actor(uid, frozenset((Role.MEMBER, Role.REGISTRAR)), "portal", "fd00::2")


def operator(uid: str = "root") -> Actor:
    return Actor(uid, frozenset(Role), "portal", "fd00::3")


def kind(error: RegistryError) -> tuple[str, set[tuple[str, str]]]:
    """Return an error's kind, and its faults' fields and codes."""
    return error.kind, {(fault.field, fault.code) for fault in error.faults}
