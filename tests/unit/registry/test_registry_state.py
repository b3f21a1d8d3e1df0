"""What operators see of the name servers, and what the writer reads for them."""

from __future__ import annotations

import pytest
from registry_desks import NOON, member, operator, registrar
from sqlalchemy import insert

from altnet.registry.acts import domains, state
from altnet.registry.acts.desk import Desk
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.observed import DriftReport, OutboxLine, ServerState
from altnet.registry.storage import projection, tables


def test_before_anything_was_seen(here: Desk) -> None:
    root = operator()
    assert (state.outbox(here, root), state.drift(here, root), state.servers(here, root)) == ([], None, [])


@pytest.mark.parametrize("who", [member("ada"), registrar()])
def test_operators_alone(here: Desk, who: object) -> None:
    for act in (state.outbox, state.drift, state.servers):
        with pytest.raises(RegistryError) as caught:
            act(here, who)  # type: ignore[operator,arg-type]
        assert caught.value.kind == "forbidden"


def test_what_was_seen_last(here: Desk) -> None:
    domains.register(here, member("ada"), "garden")
    assert state.outbox(here, operator()) == [OutboxLine(1, "garden.alt.", "domain", NOON, 0, NOON, "")]
    said = {"zones": 3, "differences": ["x"], "repaired": 1, "guarded": [], "seconds": 0.5}
    for _ in range(2):
        state.observe(here, "drift", said)
    assert state.drift(here, operator()) == DriftReport(NOON, 3, ("x",), 1, (), 0.5)
    state.observe(here, "servers", [{"address": "fd00::1", "role": "primary", "answers": True}])
    assert state.servers(here, operator()) == [ServerState("fd00::1", "primary", NOON, answers=True)]


@pytest.mark.parametrize(
    ("prefix", "zone"),
    [
        ("fd12:3456:789a::/48", "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."),
        ("fd12:3456:789a:8100::/56", "1.8.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."),
    ],
)
def test_reverse_zones(here: Desk, prefix: str, zone: str) -> None:
    row = {
        "prefix": prefix, "first": "0" * 32, "size": 56, "holder": "ada", "created": NOON, "updated": NOON,
        "nameservers": ["ns.x.alt."], "ds": [], "version": 1,
    }  # fmt: skip
    silent, given_back = {"nameservers": []}, {"released": NOON}
    others = ({"prefix": "fd00::/48", "first": "1"} | silent, {"prefix": "fd01::/48", "first": "2"} | given_back)
    with here.store.write() as connection:
        connection.execute(insert(tables.prefixes), row)
        for other in others:
            connection.execute(insert(tables.prefixes), row | other)
    with here.store.read() as connection:
        assert projection.reverses(connection) == {zone: projection.Reverse(zone, prefix, ("ns.x.alt.",), ())}
        assert len(projection.reverses(connection, delegated_only=False)) == 2
