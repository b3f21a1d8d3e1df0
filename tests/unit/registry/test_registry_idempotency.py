"""The same request twice is one act, even where the first one's process died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from registry_desks import Clock, kind, member
from sqlalchemy import select, update

from altnet.registry.acts import domains
from altnet.registry.acts.desk import Desk
from altnet.registry.acts.idempotency import KEPT, once
from altnet.registry.domain.errors import RegistryError, refuse
from altnet.registry.storage.tables import idempotency

ADA, BEN = member("ada"), member("ben")


def register(here: Desk, name: str = "garden") -> tuple[int, bytes]:
    return 201, domains.register(here, ADA, name).domain.name.encode()


def refused(*given: object) -> tuple[str, set[tuple[str, str]]]:
    with pytest.raises(RegistryError) as caught:
        once(*given)  # type: ignore[arg-type]
    return kind(caught.value)


def test_twice_is_once(here: Desk, clock: Clock) -> None:
    for replayed in (False, True, True):
        assert once(here, ADA, "k1", "d", lambda: register(here)) == (201, b"garden.alt.", replayed)
    assert refused(here, ADA, "k1", "other", lambda: register(here)) == ("invalid", {("Idempotency-Key", "key-reused")})
    # A key is one account's.
    assert once(here, BEN, "k1", "d", lambda: (200, b"x")) == (200, b"x", False)
    clock.later(seconds=KEPT.total_seconds() + 1)
    assert refused(here, ADA, "k1", "d", lambda: register(here))[0] == "conflict"  # forgotten, and done once more


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "\u00e4", "a\n", "a\0"])
def test_what_is_no_key(here: Desk, key: str) -> None:
    assert refused(here, ADA, key, "d", lambda: register(here)) == ("invalid", {("Idempotency-Key", "key")})


def test_what_was_not_done_may_be_tried_again(here: Desk) -> None:
    def fail() -> tuple[int, bytes]:
        raise refuse("unavailable", "It is away")

    assert refused(here, ADA, "k1", "d", fail)[0] == "unavailable"
    assert once(here, ADA, "k1", "d", lambda: (503, b"")) == (503, b"", False)
    with pytest.raises(ZeroDivisionError):
        once(here, ADA, "k1", "d", lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    assert once(here, ADA, "k1", "d", lambda: register(here))[2] is False


def test_done_and_the_answer_lost(here: Desk) -> None:
    def die() -> tuple[int, bytes]:
        register(here)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(here, ADA, "k1", "d", die)
    assert refused(here, ADA, "k1", "d", lambda: register(here)) == ("conflict", {("", "done")})


def test_died_before_it_was_done(here: Desk, clock: Clock) -> None:
    once(here, ADA, "k1", "d", lambda: register(here, "other"))
    with here.store.write() as connection:  # as it was while the act ran
        connection.execute(update(idempotency).values(status=0))
    assert refused(here, ADA, "k1", "d", lambda: register(here)) == ("conflict", {("", "running")})
    clock.later(seconds=61)
    assert once(here, ADA, "k1", "d", lambda: register(here)) == (201, b"garden.alt.", False)


def test_two_at_once(here: Desk) -> None:
    inside, go = Event(), Event()

    def slowly() -> tuple[int, bytes]:
        inside.set()
        assert go.wait(10)
        return register(here)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(once, here, ADA, "k1", "d", slowly)
        assert inside.wait(10)
        assert refused(here, ADA, "k1", "d", lambda: register(here)) == ("conflict", {("", "running")})
        go.set()
        assert first.result() == (201, b"garden.alt.", False)
    with here.store.read() as connection:
        assert len(connection.execute(select(idempotency)).all()) == 1


def test_an_answer_that_is_too_large_to_keep(here: Desk) -> None:
    assert once(here, ADA, "k1", "d", lambda: (200, b"x" * 1_000_001))[2] is False
    assert once(here, ADA, "k1", "d", lambda: (200, b"y"))[2] is False
