"""The report's part on people and content."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from altnet.report import Seen, report
from altnet.services_report import people_of, services_part, sites_of

NET = "fd12:3456:789a:"
OLD, NEW = "20261127031000.000001Z#000000#001#000000", "20261127031000.000002Z#000000#001#000000"
#: When everybody has both of them, 2026-11-27 03:11:00.
LATER = 1_795_749_060.0
BOOKS = "docs/runbooks"
BEHIND = f"Remedy: start the service behind the site, or correct the variable: {BOOKS}/a-site-does-not-answer.md."
HOSTS = ("core1", "core2", "laptop1")
PROVIDERS = [
    {"name": name, "id": number, "address": f"{NET}:{number}", "uri": f"ldaps://{name}.net.alt"}
    for number, name in enumerate(HOSTS[:2], 1)
]
SITES = [
    {
        "name": "app.alt",
        "kind": "proxy",
        "directory": "",
        "to": "127.0.0.1:81",
        "where": "content_sites[0]",
        "cache": 60,
    },
    {"name": "www.alt", "kind": "static", "directory": "/srv/www", "to": "", "where": "content_sites[1]", "cache": 60},
]


def piece(name: str) -> dict[str, Any]:
    number = HOSTS.index(name) + 1
    content = {"content": {"sites": SITES, "addresses": [f"{NET}:2", f"{NET}:2:80"]}} if name == "core2" else {}
    return {
        "name": name, "id": number, "relay": False, "drained": False, "prefix": f"{NET}:/48", "asn": number,
        "loopback": f"{NET}:{number}", "subnet": None, "pending": [], "tunnels": [], "bgp": [],
        "directory": {"base": "dc=alt", "provider": name != "laptop1", "providers": PROVIDERS}, **content,
    }  # fmt: skip


SLICES = {name: piece(name) for name in HOSTS}
WELL: dict[str, Seen] = {
    "core1": Seen(people={"changes": {"001": NEW}, "at": LATER, "tls": "", "problem": ""}),
    "core2": Seen(
        people={"changes": {"001": NEW}, "at": LATER, "tls": "", "problem": ""},
        sites={site["name"]: {"status": 200, "wrong": "", "cause": ""} for site in SITES},
    ),
    "laptop1": Seen(),
}


@pytest.fixture
def seen() -> dict[str, Seen]:
    return copy.deepcopy(WELL)


def people(seen: dict[str, Seen], **changes: Any) -> dict[str, Seen]:
    """What is seen where core2's directory is different."""
    found = {**(seen["core2"].people or {}), **changes}
    return {**seen, "core2": Seen(people=found, sites=seen["core2"].sites)}


def test_services_that_are_well(seen: dict[str, Seen]) -> None:
    told = report(SLICES, seen)
    assert told.faults == ()
    assert "\n".join(told.lines).endswith(
        "SERVES  PEOPLE   TLS  SITES\n"
        "core1   has all  yes  -\n"
        "core2   has all  yes  2/2\n"
        "\n"
        "0 of 0 ordered pairs of hosts reach each other.\n"
        "2 providers have the same people and groups, and answer by TLS. "
        "2 of 2 sites answer over HTTPS on their hosts, all of them."
    )


def test_a_network_without_them_prints_nothing_of_them() -> None:
    told = "\n".join(report(SLICES, {name: Seen() for name in SLICES}).lines)
    assert "SERVES" not in told
    assert "sites" not in told


def test_a_provider_that_lacks_a_change(seen: dict[str, Seen]) -> None:
    told = report(SLICES, people(seen, changes={"001": OLD}))
    (fault,) = told.faults
    assert fault.startswith("host core2: directory: lacks changes that core1 has. Remedy: ")
    assert "core2   lacks    yes  2/2" in told.lines
    assert "same people" not in told.lines[-1]


def test_a_provider_without_anything(seen: dict[str, Seen]) -> None:
    assert len(report(SLICES, people(seen, changes={})).faults) == 1


def test_a_change_may_be_on_its_way(seen: dict[str, Seen]) -> None:
    assert report(SLICES, people(seen, changes={"001": OLD}, at=LATER - 58)).faults == ()
    assert report(SLICES, people(seen, changes={"001": OLD}, at=LATER - 54)).faults != ()


@pytest.mark.parametrize(
    ("changes", "fault", "row"),
    [
        (
            {"changes": {}, "problem": "does not answer as it should: Can't contact LDAP server (-1)"},
            "the provider does not answer as it should: Can't contact LDAP server (-1)",
            "core2   ?        yes  2/2",
        ),
        (
            {"tls": "does not answer: Connection refused"},
            "by TLS the provider does not answer: Connection refused",
            "core2   has all  no   2/2",
        ),
    ],
)
def test_a_provider_that_does_not_answer(seen: dict[str, Seen], changes: dict[str, Any], fault: str, row: str) -> None:
    told = report(SLICES, people(seen, **changes))
    mend = "see `systemctl status slapd` there: docs/runbooks/lose-a-directory-provider.md"
    assert told.faults == (f"host core2: directory: {fault}. Remedy: {mend}.",)
    assert row in told.lines


@pytest.mark.parametrize(
    ("name", "answer", "fault"),
    [
        (
            "app.alt",
            {"status": 502, "wrong": "answers with 502", "cause": "127.0.0.1:81 does not answer: Connection refused"},
            f"[0].to: app.alt answers with 502: 127.0.0.1:81 does not answer: Connection refused. {BEHIND}",
        ),
        (
            "app.alt",
            {"status": 500, "wrong": "answers with 500", "cause": ""},
            f"[0].to: app.alt answers with 500, and so does what is behind it. {BEHIND}",
        ),
        (
            "app.alt",
            {"status": 0, "wrong": "does not answer: Connection refused", "cause": ""},
            f"[0]: app.alt does not answer: Connection refused. Remedy: see {BOOKS}/a-site-does-not-answer.md.",
        ),
        (
            "www.alt",
            {"status": 0, "wrong": "has no certificate", "cause": ""},
            f"[1]: www.alt has no certificate. Remedy: see {BOOKS}/a-certificate-is-not-issued.md.",
        ),
        (
            "www.alt",
            {"status": 404, "wrong": "", "cause": "content_sites[1].root: /srv/www is not there. Remedy: make it"},
            "[1].root: /srv/www is not there. Remedy: make it (www.alt)",
        ),
    ],
)
def test_every_fault_of_a_site(seen: dict[str, Seen], name: str, answer: dict[str, Any], fault: str) -> None:
    sites = {**(seen["core2"].sites or {}), name: answer}
    told = report(SLICES, {**seen, "core2": Seen(people=seen["core2"].people, sites=sites)})
    assert told.faults == (f"host core2: content_sites{fault}",)
    assert "core2   has all  yes  1/2" in told.lines
    assert told.lines[-1].endswith("1 of 2 sites answer over HTTPS on their hosts.")


def test_a_host_that_was_not_asked_says_nothing(seen: dict[str, Seen]) -> None:
    del seen["core1"]
    names = ["core2", "laptop1"]
    part = services_part(
        SLICES, names, {name: seen[name].people for name in names}, {name: seen[name].sites for name in names}
    )
    assert [row[0] for row in part.rows] == ["SERVES", "core2"]
    assert part.people == part.sites == []


def test_who_is_asked_for_what() -> None:
    assert people_of(SLICES["core1"]) == {
        "base": "dc=alt", "name": "core1.net.alt", "address": f"{NET}:1", "roots": "/etc/altnet/pki/roots.pem",
    }  # fmt: skip
    assert people_of(SLICES["laptop1"]) is None
    wanted = sites_of(SLICES["core2"], "/etc/roots")
    assert wanted is not None
    assert (wanted["server"], wanted["roots"]) == (f"{NET}:2", "/etc/roots")
    assert [sorted(site) for site in wanted["sites"]] == [["directory", "kind", "name", "to", "where"]] * 2
    assert sites_of(SLICES["core1"]) is None
    assert sites_of({"content": {"sites": [], "addresses": []}}) is None
