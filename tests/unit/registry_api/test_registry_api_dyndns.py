"""Dynamic DNS as routers speak it."""

from __future__ import annotations

import base64

import pytest

from altnet.registry.domain.model import Scope


@pytest.fixture
def home(registry):
    """ann has home.garden.alt, and a token for its AAAA alone."""
    assert registry.ask("ann", "POST", "/domains", json={"name": "garden.alt"}).status_code == 201
    scope = Scope(("read", "write"), ("home.garden.alt.", "*.home.garden.alt."), ("AAAA",))
    registry.secrets["router"] = registry.token("ann", scope, "router")
    return registry


def update(registry, query, user="ann", secret=None, client="fd12:3456:789a::99"):
    word = base64.b64encode(f"{user}:{secret or registry.secrets['router']}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "altnet-client": client}
    return registry.client.get(f"/nic/update?{query}", headers=headers)


def records(registry, owner="home", kind="AAAA"):
    return registry.ask("ann", "GET", f"/domains/garden.alt/rrsets/{owner}/{kind}").json().get("records")


def test_an_address_is_set_and_not_set_again(home):
    assert update(home, "hostname=home.garden.alt&myipv6=fd12:3456:789a::7").text == "good fd12:3456:789a::7\n"
    assert records(home) == ["fd12:3456:789a::7"]
    assert update(home, "hostname=home.garden.alt&myip=fd12:3456:789a::7").text == "nochg fd12:3456:789a::7\n"
    before = home.ask("ann", "GET", "/domains/garden.alt").json()["version"]
    update(home, "hostname=HOME.garden.alt.&myip=fd12:3456:789a::7")
    assert home.ask("ann", "GET", "/domains/garden.alt").json()["version"] == before


def test_who_says_no_address_has_the_one_that_asks(home):
    assert update(home, "hostname=home.garden.alt").text == "good fd12:3456:789a::99\n"
    assert records(home) == ["fd12:3456:789a::99"]


def test_a_ttl_that_somebody_chose_stays(home):
    path = "/domains/garden.alt/rrsets/home/AAAA"
    home.ask("ann", "PUT", path, json={"ttl": 30, "records": ["fd12:3456:789a::1"]})
    update(home, "hostname=home.garden.alt&myip=fd12:3456:789a::2")
    assert home.ask("ann", "GET", path).json()["ttl"] == 30


def test_both_families_where_the_token_may(home):
    home.secrets["both"] = home.token("ann", Scope(("read", "write"), ("home.garden.alt.",), ("AAAA", "A")))
    query = "hostname=home.garden.alt&myip=192.0.2.7&myipv6=fd12:3456:789a::7"
    assert update(home, query, secret=home.secrets["both"]).text == "good 192.0.2.7,fd12:3456:789a::7\n"
    assert (records(home), records(home, kind="A")) == (["fd12:3456:789a::7"], ["192.0.2.7"])


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("hostname=other.garden.alt&myip=fd12:3456:789a::7", "nohost"),
        ("hostname=garden.alt&myip=fd12:3456:789a::7", "nohost"),
        ("hostname=home.palace.alt&myip=fd12:3456:789a::7", "nohost"),
        ("hostname=home.garden.alt&myip=192.0.2.7", "nohost"),
        ("hostname=home&myip=fd12:3456:789a::7", "notfqdn"),
        ("hostname=&myip=fd12:3456:789a::7", "notfqdn"),
        ("myip=fd12:3456:789a::7", "notfqdn"),
        ("hostname=a..b&myip=fd12:3456:789a::7", "notfqdn"),
        ("hostname=%00.garden.alt&myip=fd12:3456:789a::7", "notfqdn"),
        ("hostname=home.garden.alt&myip=seven", "dnserr"),
        ("hostname=home.garden.alt&myip=fe80::1", "dnserr"),
        ("hostname=home.garden.alt&myip=::", "dnserr"),
        ("hostname=" + ",".join(["home.garden.alt"] * 21), "numhost"),
    ],
)
def test_words_for_what_cannot_be(home, query, word):
    answer = update(home, query)
    assert (answer.status_code, answer.text) == (200, word + "\n")
    assert records(home) is None


def test_two_names_have_a_word_each(home):
    answer = update(home, "hostname=home.garden.alt,other.garden.alt&myip=fd12:3456:789a::7")
    assert answer.text == "good fd12:3456:789a::7\nnohost\n"


@pytest.mark.parametrize(("user", "secret"), [("ben", None), ("ann", "altnet_wrong"), ("ann", "x\0y"), ("", "")])
def test_bad_tokens(home, user, secret):
    answer = update(home, "hostname=home.garden.alt&myip=fd12:3456:789a::7", user, secret or "nothing")
    assert (answer.status_code, answer.text) == (401, "badauth\n")


def test_somebody_elses_name_with_an_own_good_token(home):
    ben = home.token("ben", Scope(("read", "write")))
    assert update(home, "hostname=ann.garden.alt&myip=fd12:3456:789a::7", "ben", ben).text == "nohost\n"
    assert update(home, "hostname=home.garden.alt&myip=fd12:3456:789a::7", "ann", ben).text == "badauth\n"


def test_a_bearer_and_a_token_that_only_writes(home):
    secret = home.token("ann", Scope(("write",), ("home.garden.alt.",)))
    headers = {"Authorization": f"Bearer {secret}"}
    answer = home.client.get("/nic/update?hostname=home.garden.alt&myip=fd12:3456:789a::7", headers=headers)
    assert answer.text == "good fd12:3456:789a::7\n"
