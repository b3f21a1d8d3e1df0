"""What check sees of two providers: how far each is, and whether it answers by TLS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from directory_servers import BASE, MISSING, Provider, account, network
from tests.daemons import until

from altnet.directory.server import Server
from altnet.host.people import Standing, look
from altnet.services_report import FOLLOW_MAX, services_part
from altnet.wireguard.runner import HostRunner

pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Provider]]:
    providers = network(tmp_path)
    try:
        for one in providers:
            one.start()
        yield providers
    finally:
        for one in providers:
            one.kill()


def seen(one: Provider, name: str = "localhost") -> Standing:
    roots = str(one.directory / "roots.pem")
    return look(
        Server(HostRunner(), uri=one.local),
        base=BASE,
        name=name,
        address="127.0.0.1",
        roots=roots,
        wait=0,
        port=one.port,
    )


def faults(*looks: Standing, later: float = 2 * FOLLOW_MAX) -> list[str]:
    """What check says, had it asked so many seconds later."""
    people: dict[str, Any] = {
        f"p{number}": {**asdict(one), "at": one.at + later} for number, one in enumerate(looks, 1)
    }
    return services_part({}, list(people), people, {}).people


def test_providers_that_are_the_same(pair: list[Provider]) -> None:
    one, other = pair
    one.modify(account("ada"))
    until(lambda: one.csn() == other.csn(), 20)
    looks = [seen(provider) for provider in pair]
    assert [(look.tls, look.problem) for look in looks] == [("", "")] * 2
    assert looks[0].changes == looks[1].changes
    assert set(looks[0].changes) == {"000", "001"}
    assert faults(*looks) == []


def test_one_that_lacks_a_change_and_one_that_is_dead(pair: list[Provider]) -> None:
    one, other = pair
    before = seen(other)
    other.kill()
    one.modify(account("ada"))
    (fault,) = faults(seen(one), before)
    assert fault.startswith("host p2: directory: lacks changes that p1 has. Remedy: ")
    assert faults(seen(one), before, later=0) == [], "it may be on its way"
    dead = seen(other)
    assert dead.problem.startswith("does not answer as it should")
    assert dead.tls.startswith("does not answer: ")
    assert len(faults(seen(one), dead)) == 2


def test_a_certificate_for_another_name(pair: list[Provider]) -> None:
    standing = seen(pair[0], "other.net.alt")
    assert standing.tls.startswith("has no good certificate: ")
    assert not standing.problem
