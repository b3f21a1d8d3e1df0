"""A domain's records, and its delegation."""

from __future__ import annotations

import pytest
from registry_desks import Answers, kind, member, operator
from sqlalchemy import select

from altnet.registry.acts import domains, history, records
from altnet.registry.acts.desk import Desk
from altnet.registry.domain.errors import Fault, RegistryError
from altnet.registry.domain.model import Hosting, RRset, Scope
from altnet.registry.storage import tables

ADA, BEN, ROOT = member("ada"), member("ben"), operator()
WWW = RRset("www.garden.alt.", "A", 60, ("192.0.2.1",))
SETS = [
    {"name": "www", "type": "A", "ttl": 60, "records": ["192.0.2.1"]},
    {"name": "@", "type": "TXT", "ttl": 60, "records": ["hello"]},
]


@pytest.fixture(autouse=True)
def _garden(here: Desk) -> None:
    domains.register(here, ADA, "garden")


def refused(act: object, *given: object, **named: object) -> tuple[str, set[tuple[str, str]]]:
    with pytest.raises(RegistryError) as caught:
        act(*given, **named)  # type: ignore[operator]
    return kind(caught.value)


def written(here: Desk) -> tuple[int, int, int]:
    """Return how many lines the log and the outbox have, and the domain's version."""
    with here.store.read() as connection:
        counts = [len(connection.execute(select(table)).all()) for table in (tables.audit, tables.outbox)]
    return counts[0], counts[1], domains.get(here, ADA, "garden").domain.version


def test_put_and_delete(here: Desk) -> None:
    assert records.put(here, ADA, "garden", "WWW", "a", 60, ["192.0.2.1"]) == WWW
    assert records.listed(here, ADA, "garden") == (WWW,)
    assert written(here) == (2, 2, 2)
    assert records.put(here, ADA, "garden.alt.", "www.garden.alt.", "A", 60, ["192.0.2.1"]) == WWW
    assert written(here) == (2, 2, 2)  # it was so already
    records.put(here, ADA, "garden", "www", "A", 61, ["192.0.2.2"])
    assert history.listed(here, ADA).items[0].detail == {
        "added": [{"name": "www.garden.alt.", "type": "A", "ttl": 61, "records": ["192.0.2.2"]}],
        "removed": [{"name": "www.garden.alt.", "type": "A", "ttl": 60, "records": ["192.0.2.1"]}],
    }
    records.delete(here, ADA, "garden", "www", "a")
    assert records.listed(here, ADA, "garden") == ()
    assert refused(records.delete, here, ADA, "garden", "www", "A") == ("missing", {("", "missing")})
    assert refused(records.delete, here, ADA, "garden", "www.shop.alt.", "A")[0] == "missing"
    assert written(here) == (4, 4, 4)


def test_put_refused_at_its_field(here: Desk) -> None:
    put = records.put
    assert refused(put, here, ADA, "garden", "www.x.com.", "A", 60, ["192.0.2.1"]) == (
        "invalid",
        {("name", "out-of-zone")},
    )
    assert refused(put, here, ADA, "garden", "www", "A", 0, ["x", "192.0.2.1"]) == (
        "invalid", {("ttl", "ttl"), ("records[0]", "rdata")}
    )  # fmt: skip
    assert refused(put, here, ADA, "garden", "www", "A", 60, ["192.0.2.1"], if_match=7) == ("stale", {("", "stale")})
    put(here, ADA, "garden", "www", "A", 60, ["192.0.2.1"])
    assert refused(put, here, ADA, "garden", "www", "CNAME", 60, ["x.alt."]) == ("invalid", {("type", "cname")})
    put(here, ADA, "garden", "sub", "NS", 60, ["ns.x.alt."])
    assert refused(put, here, ADA, "garden", "a.sub", "A", 60, ["192.0.2.1"]) == ("invalid", {("name", "below-cut")})
    put(here, ADA, "garden", "sub", "DS", 60, ["1 13 2 " + "ab" * 32])
    assert refused(records.delete, here, ADA, "garden", "sub", "NS")[1] == {("type", "ds")}
    assert len(records.listed(here, ADA, "garden")) == 3


def test_a_new_cut_above_records(here: Desk) -> None:
    records.put(here, ADA, "garden", "a.sub", "A", 60, ["192.0.2.1"])
    assert refused(records.put, here, ADA, "garden", "sub", "NS", 60, ["ns.x.alt."])[1] == {("name", "below-cut")}


def test_replace(here: Desk) -> None:
    zone = records.replace(here, ADA, "garden", SETS, if_match=1)
    assert (zone.domain.version, [rrset.type for rrset in zone.rrsets]) == (2, ["TXT", "A"])
    assert domains.get(here, ADA, "garden") == zone
    assert records.replace(here, ADA, "garden", list(reversed(SETS))) == zone
    assert written(here) == (2, 2, 2)
    bad = [SETS[0], {"name": "x", "type": "A", "ttl": 60, "records": ["y"]}]
    assert refused(records.replace, here, ADA, "garden", bad) == ("invalid", {("rrsets[1].records[0]", "rdata")})
    assert records.listed(here, ADA, "garden") == zone.rrsets
    assert records.replace(here, ADA, "garden", []).rrsets == ()


def test_limits(here: Desk) -> None:
    sets = [{"name": f"n{n}", "type": "A", "ttl": 60, "records": ["192.0.2.1"]} for n in range(1000)]
    assert len(records.replace(here, ADA, "garden", sets).rrsets) == 1000
    assert refused(records.put, here, ADA, "garden", "one-more", "A", 60, ["192.0.2.1"]) == (
        "invalid", {("rrsets", "too-many")}
    )  # fmt: skip
    logged = history.listed(here, ADA).items[0].detail["added"]
    assert [(one["sets"], one["bytes"]) for one in logged] == [(1000, 24890)]
    big = [{"name": f"n{n}", "type": "TXT", "ttl": 60, "records": ["x" * 3000] * 1} for n in range(400)]
    assert refused(records.replace, here, ADA, "garden", big) == ("invalid", {("rrsets", "too-large")})


@pytest.mark.parametrize(
    ("scope", "put", "replace"),
    [
        (Scope(), True, True),
        (Scope(names=("www.garden.alt.",)), True, False),
        (Scope(names=("www.garden.alt.",), types=("A", "AAAA")), True, False),
        (Scope(names=("*.garden.alt.",)), True, False),
        (Scope(types=("A",)), True, False),
        (Scope(types=("A", "TXT")), True, True),
        (Scope(types=("TXT",)), False, False),
        (Scope(names=("mail.garden.alt.",)), False, False),
        (Scope(names=("garden.alt.",)), False, False),
        (Scope(names=("*.shop.alt.",)), False, False),
        (Scope(verbs=("read",)), False, False),
    ],
)
def test_tokens(here: Desk, scope: Scope, put: bool, replace: bool) -> None:
    actor = member("ada", scope)
    for allowed, act, given in (
        (put, records.put, ("www", "A", 60, ["192.0.2.9"])),
        (put, records.delete, ("www", "A")),
        (replace, records.replace, (SETS,)),
    ):
        if allowed:
            act(here, actor, "garden", *given)  # type: ignore[operator]
        else:
            assert refused(act, here, actor, "garden", *given)[0] in {"forbidden", "missing"}
    if not put:
        assert written(here)[0] == 1


def test_delegating_and_back(here: Desk) -> None:
    records.replace(here, ADA, "garden", SETS)
    zone = records.delegate(here, ADA, "garden", ["ns.garden.alt"], [], {"ns.garden.alt": ["fd00::5"]}, if_match=2)
    assert zone.domain.hosting is Hosting.DELEGATED
    assert [(rrset.name, rrset.type) for rrset in zone.rrsets] == [("garden.alt.", "NS"), ("ns.garden.alt.", "AAAA")]
    detail = history.listed(here, ADA).items[0].detail
    assert [one["type"] for one in detail["before"]] == ["TXT", "A"]
    again = records.delegate(here, ADA, "garden", ["ns.garden.alt"], [], {"ns.garden.alt": ["fd00::5"]})
    assert again == zone
    for act, given in (
        (records.put, ("@", "A", 60, ["192.0.2.1"])),
        (records.replace, ([],)),
        (records.delete, ("@", "A")),
    ):
        assert refused(act, here, ADA, "garden", *given) == ("state", {("", "delegated")})
    zone = records.host(here, ADA, "garden")
    assert (zone.domain.hosting, zone.rrsets) == (Hosting.ZONE, ())
    assert records.host(here, ADA, "garden") == zone


def test_servers_that_do_not_answer(here: Desk) -> None:
    answers = here.delegations
    assert isinstance(answers, Answers)
    answers.wrong = (Fault("nameservers[0]", "silent", "It does not answer"),)
    assert refused(records.delegate, here, ADA, "garden", ["ns.x.alt."], [], {})[1] == {("nameservers[0]", "silent")}
    assert written(here) == (1, 1, 1)
    # What is wrong in itself is refused before anybody is asked, and so are others' domains.
    answers.asked.clear()
    refused(records.delegate, here, ADA, "garden", ["ns.alt."], [], {})
    refused(records.delegate, here, BEN, "garden", ["ns.x.alt."], [], {})
    assert answers.asked == []


def test_delegations_in_a_circle(here: Desk) -> None:
    domains.register(here, BEN, "shop")
    domains.register(here, BEN, "third")
    records.delegate(here, ADA, "garden", ["ns.shop.alt."], [], {})  # the network serves shop.alt
    assert refused(records.delegate, here, BEN, "shop", ["ns.garden.alt."], [], {}) == (
        "invalid", {("nameservers", "loop")}
    )  # fmt: skip
    records.delegate(here, BEN, "third", ["ns.garden.alt."], [], {})
    assert refused(records.delegate, here, BEN, "shop", ["ns.third.alt."], [], {})[1] == {("nameservers", "loop")}
    records.delegate(here, BEN, "shop", ["ns.third.alt.", "ns.elsewhere.alt."], [], {})
