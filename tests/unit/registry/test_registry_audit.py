"""The log: a changed byte, a gap, a cut and a rewritten tail are found, every time."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from registry_desks import NOON, Clock, member, operator, registrar
from sqlalchemy import delete, select, update

from altnet.registry.acts import domains, history, records
from altnet.registry.acts.desk import Desk
from altnet.registry.audit import chain, heads
from altnet.registry.audit.verify import Line, problems
from altnet.registry.domain.model import Entry, Head
from altnet.registry.storage.tables import audit, audit_about, audit_heads

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key()
WORDS = ("domain.register", "rrset.put", "domain.hold", "account.lock")
Log = tuple[list[Line], list[Head], Head]
"""The lines, the heads beside them, and the one that somebody else kept."""


def chained(lines: list[Line], before: str = chain.START) -> list[Line]:
    """Return lines as somebody writes them who knows how: with right hashes."""
    made = []
    for line in lines:
        detail = json.loads(line.detail)
        fields = {name: getattr(line, name) for name in Line.__slots__} | {"detail": detail, "hash": ""}
        before = chain.digest(before, Entry(**fields))
        made.append(replace(line, hash=before))
    return made


def log(chance: random.Random) -> Log:
    lines = [
        Line(
            number, NOON + timedelta(seconds=number), chance.choice(("ada", "ben", "system")), "portal", "fd00::1",
            chance.choice(WORDS), "domain", f"n{chance.randrange(99)}.alt.",
            chain.canonical({"ttl": chance.randrange(9999), "name": "gärten", "about": ["cleo"]}), "",
        )
        for number in range(1, chance.randrange(8, 24))
    ]  # fmt: skip
    lines = chained(lines)
    at = sorted(chance.sample(range(2, len(lines)), 2))
    signed = [heads.sign(KEY, number, lines[number - 1].hash, NOON + timedelta(hours=number)) for number in at]
    return lines, signed, heads.sign(KEY, len(lines), lines[-1].hash, NOON + timedelta(days=9))


def change_a_byte(chance: random.Random, made: Log) -> Log:
    """Change one byte of one column of one entry."""
    lines, signed, witness = made
    index = chance.randrange(len(lines))
    name = chance.choice(Line.__slots__)
    value = getattr(lines[index], name)
    if name == "number":
        changed = value ^ (1 << chance.randrange(8))
    elif name == "time":
        changed = value + timedelta(seconds=chance.choice((1, -1, 256, 65536)))
    else:
        place = chance.randrange(len(value))
        other = chance.choice([letter for letter in string.printable if letter != value[place]])
        changed = value[:place] + other + value[place + 1 :]
    lines = [*lines[:index], replace(lines[index], **{name: changed}), *lines[index + 1 :]]
    return lines, signed, witness


def take_one_out(chance: random.Random, made: Log) -> Log:
    """Leave one entry out, and count and chain the rest anew, as somebody would who knows how."""
    lines, signed, witness = made
    index = chance.randrange(len(lines) - 1)
    rest = [replace(line, number=number) for number, line in enumerate(lines[:index] + lines[index + 1 :], 1)]
    return (chained(rest) if chance.random() < 0.5 else rest), signed, witness


def cut_the_tail(chance: random.Random, made: Log) -> Log:
    """Cut the log, with the heads that were beside what is cut."""
    lines, signed, witness = made
    end = chance.randrange(len(lines))
    return lines[:end], [head for head in signed if head.number <= end or chance.random() < 0.3], witness


def rewrite_the_tail(chance: random.Random, made: Log) -> Log:
    """Change an entry, and chain everything after it anew: each hash is right by itself."""
    lines, signed, witness = made
    index = chance.randrange(len(lines))
    changed = replace(lines[index], actor=lines[index].actor + "x")
    before = lines[index - 1].hash if index else chain.START
    return lines[:index] + chained([changed, *lines[index + 1 :]], before), signed, witness


def swap_two(chance: random.Random, made: Log) -> Log:
    lines, signed, witness = made
    first, second = sorted(chance.sample(range(len(lines)), 2))
    swapped = list(lines)
    swapped[first], swapped[second] = lines[second], lines[first]
    return swapped, signed, witness


def forge_a_head(chance: random.Random, made: Log) -> Log:
    """Rewrite the log and sign it, by another key."""
    lines, signed, witness = rewrite_the_tail(chance, made)
    other = Ed25519PrivateKey.from_private_bytes(bytes([chance.randrange(256)] * 32))
    return lines, [heads.sign(other, head.number, lines[head.number - 1].hash, head.time) for head in signed], witness


TAMPERINGS: list[Callable[[random.Random, Log], Log]] = [
    change_a_byte, take_one_out, cut_the_tail, rewrite_the_tail, swap_two, forge_a_head,
]  # fmt: skip


def test_every_one_of_a_thousand_tamperings_is_found() -> None:
    unfound = []
    for seed in range(1000):
        chance = random.Random(seed)
        lines, signed, witness = made = log(chance)
        assert problems(lines, signed, key=PUBLIC, witnesses=[witness]) == []
        how = TAMPERINGS[seed % len(TAMPERINGS)]
        changed, kept, witness = how(chance, made)
        if not problems(changed, kept, key=PUBLIC, witnesses=[witness]):
            unfound.append((seed, how.__name__))
    assert unfound == []


def test_a_tail_rewritten_up_to_a_signed_head_needs_no_witness() -> None:
    for seed in range(100):
        chance = random.Random(seed)
        lines, signed, _ = log(chance)
        index = chance.randrange(signed[-1].number)
        tail = (
            chained([replace(lines[index], object="evil.alt."), *lines[index + 1 :]], lines[index - 1].hash)
            if (index)
            else chained([replace(lines[0], object="evil.alt."), *lines[1:]])
        )
        assert problems(lines[:index] + tail, signed, key=PUBLIC)
        assert problems(lines[: signed[-1].number - 1], signed, key=PUBLIC)


@pytest.mark.parametrize("detail", ["[]", "1", "{", '{"a": 1}', '{"a":1,"a":1}', '{"a":NaN}', "[" * 100_000, "\ud800"])
def test_a_detail_that_is_not_canonical(detail: str) -> None:
    lines = chained([Line(1, NOON, "a", "api", "", "a.b", "domain", "x.", "{}", "")])
    assert problems([replace(lines[0], detail=detail)])


def test_an_empty_log_is_fine_unless_somebody_has_seen_more() -> None:
    assert problems([]) == []
    assert problems([], witnesses=[heads.sign(KEY, 3, "ab" * 32, NOON)]) == [
        "it ends at 0, and the witness of 2026-11-27T12:00:00Z says that there was an entry 3"
    ]


@given(st.integers(0, 2**40), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_head_in_one_line(number: int, digest: str) -> None:
    head = heads.sign(KEY, number, digest, NOON)
    assert heads.verify(PUBLIC, head)
    assert heads.parse(heads.text(head)) == head
    assert len(heads.text(head)) < 255
    for other in (replace(head, number=number + 1), replace(head, hash="0" * 63 + "g"), replace(head, signature="x")):
        assert not heads.verify(PUBLIC, other)


@pytest.mark.parametrize("line", ["", "n=1", "n=x t=2026-01-01T00:00:00Z h=a s=b", "n=1 t=x h=a s=b"])
def test_a_line_that_is_no_head(line: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        heads.parse(line)


def test_signing_and_holding_the_log_against_it(here: Desk, clock: Clock) -> None:
    assert history.verify(here) == []
    assert history.sign(here, KEY).number == 0
    domains.register(here, member("ada"), "garden")
    first = history.sign(here, KEY)
    clock.later(hours=1)
    assert history.sign(here, KEY) == first == history.head(here)
    records.put(here, member("ada"), "garden", "www", "A", 300, ["192.0.2.1"])
    second = history.sign(here, KEY)
    assert (first.number, second.number) == (1, 2)
    assert history.verify(here, key=PUBLIC, witnesses=[first, second]) == []
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key()
    assert len(history.verify(here, key=other)) == 2

    for attack in (
        update(audit).where(audit.c.number == 2).values(client="fd00::9"),
        update(audit_about).where(audit_about.c.number == 2).values(uid="ben"),
        delete(audit_about).where(audit_about.c.number == 2),
    ):
        with here.store.write() as connection:
            kept = connection.execute(select(audit, audit_about.c.uid).join(audit_about)).all()
            connection.execute(attack)
        assert history.verify(here, key=PUBLIC), attack
        with here.store.write() as connection:
            row = kept[-1]
            connection.execute(update(audit).where(audit.c.number == 2).values(client=row.client))
            connection.execute(delete(audit_about).where(audit_about.c.number == 2))
            connection.execute(audit_about.insert(), {"uid": "ada", "number": 2})
        assert history.verify(here, key=PUBLIC) == []

    with here.store.write() as connection:
        connection.execute(delete(audit_about).where(audit_about.c.number == 2))
        connection.execute(delete(audit).where(audit.c.number == 2))
        connection.execute(delete(audit_heads).where(audit_heads.c.number == 2))
    assert history.verify(here, key=PUBLIC) == []  # nothing here knows of it any more
    assert history.verify(here, key=PUBLIC, witnesses=[second])


def test_who_sees_what(here: Desk) -> None:
    domains.register(here, member("ada"), "garden")
    domains.register(here, member("ben"), "shop")
    domains.hold(here, registrar(), "garden", "a complaint")
    whole = history.listed(here, operator()).items
    assert [(entry.action, entry.actor, entry.client) for entry in whole] == [
        ("domain.hold", "rex", "fd00::2"), ("domain.register", "ben", "fd00::1"), ("domain.register", "ada", "fd00::1"),
    ]  # fmt: skip
    hers = history.listed(here, member("ada")).items
    assert [(entry.action, entry.client) for entry in hers] == [("domain.hold", ""), ("domain.register", "fd00::1")]
    assert history.listed(here, member("ada"), account="ben").items == ()
    assert [entry.client for entry in history.listed(here, registrar()).items] == ["fd00::2", "", ""]
    assert len(history.listed(here, operator(), object="shop.alt.").items) == 1
    assert len(history.listed(here, operator(), action="domain.").items) == 3
    assert len(history.listed(here, operator(), action="domain.hold").items) == 1
    assert len(history.listed(here, operator(), account="ada").items) == 2
    assert history.listed(here, operator(), since=NOON + timedelta(seconds=1)).items == ()
    assert len(history.listed(here, operator(), until=NOON + timedelta(seconds=1)).items) == 3
