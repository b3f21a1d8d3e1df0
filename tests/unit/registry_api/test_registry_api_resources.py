"""Each resource, as those who may and those who may not."""

from __future__ import annotations

from typing import Any

import pytest

from altnet.registry.faces.api import answers

PROBLEM = "application/problem+json"


def refused(answer: Any, status: int) -> list[dict[str, str]]:
    """Hold a refusal against RFC 9457 and our own form, and return its faults."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body = answers.Problem.model_validate(answer.json())
    assert body.status == status
    assert body.type.startswith("/api/v1/problems/")
    assert body.errors
    return answer.json()["errors"]


def made(registry: Any, who: str, path: str, **fields: Any) -> dict[str, Any]:
    answer = registry.ask(who, "POST", path, json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_domain_from_its_registration_to_its_release(registry):
    answer = registry.ask("ann", "POST", "/domains", json={
        "name": "garden.alt",
        "rrsets": [{"name": "@", "type": "AAAA", "ttl": 300, "records": ["fd12:3456:789a::7"]}],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == "/api/v1/domains/garden.alt."
    zone = answers.Zone.model_validate(answer.json())
    assert (zone.name, zone.state, zone.holder) == ("garden.alt.", "registered", "ann")
    assert [one.name for one in zone.rrsets] == ["garden.alt."]
    there = registry.ask("ann", "GET", "/domains/garden.alt")
    assert there.json() == answer.json()
    assert there.headers["ETag"] == f'"{zone.version}"'
    locked = registry.ask("ann", "POST", "/domains/garden.alt/lock")
    assert locked.json()["state"] == "locked"
    refused(registry.ask("ann", "DELETE", "/domains/garden.alt"), 409)
    assert registry.ask("ann", "POST", "/domains/garden.alt/unlock").json()["state"] == "registered"
    assert registry.ask("ann", "POST", "/domains/garden.alt/renew").status_code in (200, 409)
    assert registry.ask("ann", "DELETE", "/domains/garden.alt").status_code == 200
    refused(registry.ask("ann", "GET", "/domains/garden.alt"), 404)


def test_names_in_letters_of_any_language(registry):
    zone = made(registry, "ann", "/domains", name="gärten.alt")
    assert (zone["name"], zone["unicode"]) == ("xn--grten-gra.alt.", "gärten.alt")
    for name in ("g%C3%A4rten.alt", "xn--grten-gra.alt", "xn--grten-gra.alt."):
        assert registry.ask("ann", "GET", f"/domains/{name}").json()["name"] == zone["name"]


def test_records_one_by_one_and_all_at_once(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    path = "/domains/garden.alt/rrsets/www/AAAA"
    put = registry.ask("ann", "PUT", path, json={"ttl": 300, "records": ["fd12:3456:789a::7"]})
    assert put.json() == {"name": "www.garden.alt.", "type": "AAAA", "ttl": 300, "records": ["fd12:3456:789a::7"]}
    assert registry.ask("ann", "GET", path).json() == put.json()
    faults = refused(registry.ask("ann", "PUT", path, json={"ttl": 300, "records": ["fd12::7", "seven"]}), 422)
    assert faults[0]["field"] == "records[1]"
    assert faults[0]["detail"]
    assert registry.ask("ann", "GET", path).json() == put.json()
    sets = [{"name": "@", "type": "TXT", "records": ['"one"']}, {"name": "*.x", "type": "AAAA", "records": ["fd12::8"]}]
    zone = registry.ask("ann", "PUT", "/domains/garden.alt/rrsets", json={"rrsets": sets})
    assert {one["name"] for one in zone.json()["rrsets"]} == {"garden.alt.", "*.x.garden.alt."}
    wild = "/domains/garden.alt/rrsets/%2A.x/AAAA"
    assert registry.ask("ann", "GET", wild).status_code == 200
    assert registry.ask("ann", "DELETE", wild).status_code == 204
    refused(registry.ask("ann", "GET", wild), 404)
    listed = registry.ask("ann", "GET", "/domains/garden.alt/rrsets").json()
    assert [one["type"] for one in listed["items"]] == ["TXT"]


def test_a_fault_in_one_of_many_records_is_named(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    sets = [{"name": "@", "type": "TXT", "records": ['"fine"']}, {"name": "www", "type": "AAAA", "records": ["no"]}]
    faults = refused(registry.ask("ann", "PUT", "/domains/garden.alt/rrsets", json={"rrsets": sets}), 422)
    assert faults[0]["field"].startswith("rrsets[1]")
    assert registry.ask("ann", "GET", "/domains/garden.alt/rrsets").json() == {"items": []}


def test_a_delegation_and_back(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    zone = registry.ask("ann", "PUT", "/domains/garden.alt/delegation", json={
        "nameservers": ["ns1.garden.alt."],
        "ds": ["12345 13 2 " + "ab" * 32],
        "glue": {"ns1.garden.alt.": ["fd12:3456:789a::99"]},
    })  # fmt: skip
    assert zone.status_code == 200, zone.text
    assert zone.json()["hosting"] == "delegated"
    assert {one["type"] for one in zone.json()["rrsets"]} == {"NS", "DS", "AAAA"}
    assert registry.ask("ann", "DELETE", "/domains/garden.alt/delegation").json()["hosting"] == "zone"


def test_a_key_for_transfers_is_answered_once(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    key = registry.ask("ann", "POST", "/domains/garden.alt/transfer-key")
    answers.TransferKey.model_validate(key.json())
    assert key.headers["Cache-Control"] == "no-store"
    assert key.json()["key"] not in registry.ask("ann", "GET", "/domains/garden.alt").text
    assert registry.ask("ann", "DELETE", "/domains/garden.alt/transfer-key").json()["tsig"] is None


def test_a_domain_passes_to_whoever_accepts_it(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    assert registry.ask("ann", "POST", "/domains/garden.alt/offer", json={"to": "ben"}).json()["transfer_to"] == "ben"
    assert registry.ask("ben", "POST", "/domains/garden.alt/accept").json()["holder"] == "ben"
    refused(registry.ask("ann", "GET", "/domains/garden.alt"), 404)
    registry.ask("ben", "POST", "/domains/garden.alt/offer", json={"to": "ann"})
    assert registry.ask("ben", "POST", "/domains/garden.alt/withdraw").json()["state"] == "registered"


def test_registrars_govern_and_members_do_not(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    why = {"reason": "spam"}
    refused(registry.ask("ben", "POST", "/domains/garden.alt/hold", json=why), 403)
    assert registry.ask("reg", "POST", "/domains/garden.alt/hold", json=why).json()["state"] == "held"
    assert registry.ask("ann", "GET", "/domains/garden.alt").json()["reason"] == "spam"
    assert registry.ask("reg", "POST", "/domains/garden.alt/unhold").json()["state"] == "registered"
    moved = registry.ask("reg", "POST", "/domains/garden.alt/move", json={"to": "ben", **why})
    assert moved.json()["holder"] == "ben"
    assert registry.ask("reg", "POST", "/domains/garden.alt/revoke", json=why).json()["state"] == "revoked"
    assert registry.ask("reg", "POST", "/domains/palace.alt/reserve", json=why).json()["state"] == "reserved"
    refused(registry.ask("ann", "POST", "/domains", json={"name": "palace.alt"}), 409)
    assert registry.ask("reg", "POST", "/domains/palace.alt/unreserve").status_code == 204
    assert registry.ask("ann", "GET", "/domains/palace.alt/check").json()["available"] is True


def test_prefixes_numbers_and_routes(registry):
    prefix = made(registry, "ann", "/prefixes", size=56)["prefix"]
    number = registry.ask("ann", "POST", "/asns").json()["number"]
    path = "/prefixes/" + prefix.replace(":", "%3A").replace("/", "%2F")
    assert answers.Prefix.model_validate(registry.ask("ann", "GET", path).json()).asns == []
    assert made(registry, "ann", "/routes", prefix=prefix, asn=number)["asns"] == [number]
    route = {"prefix": prefix, "asn": number, "holder": "ann"}
    assert registry.ask("ann", "GET", "/routes").json() == {"items": [route], "next": None}
    refused(registry.ask("ben", "GET", path), 404)
    refused(registry.ask("ben", "DELETE", path), 404)
    assert registry.ask("ann", "DELETE", f"/routes/{prefix.replace('/', '%2F')}/{number}").json()["asns"] == []
    reverse = registry.ask("ann", "PUT", path + "/reverse", json={"nameservers": ["ns1.garden.alt."], "ds": []})
    assert reverse.status_code == 200, reverse.text
    assert registry.ask("ann", "DELETE", path).status_code == 204
    assert registry.ask("ann", "DELETE", f"/asns/{number}").status_code == 204
    refused(registry.ask("ann", "GET", f"/asns/{number}"), 404)


def test_invitations_and_joining(registry):
    made_one = made(registry, "ann", "/invitations", note="for Dora")
    answers.NewInvitation.model_validate(made_one)
    assert made_one["link"] == f"https://portal.alt/join/{made_one['secret']}"
    look = registry.ask(None, "GET", f"/join/{made_one['secret']}")
    assert look.json()["inviter"] == "ann"
    person = {"uid": "dora", "name": "Dora", "password": "a sentence that nobody guesses 7"}
    joined = registry.ask(None, "POST", f"/join/{made_one['secret']}", json=person)
    assert joined.status_code == 201, joined.text
    assert joined.json()["invited_by"] == "ann"
    refused(registry.ask(None, "POST", f"/join/{made_one['secret']}", json={**person, "uid": "dan"}), 410)
    refused(registry.ask(None, "GET", "/join/nothing"), 404)
    below = registry.ask("ann", "GET", "/referrals").json()["items"]
    assert "dora" in [one["uid"] for one in below]
    other = made(registry, "ann", "/invitations")
    refused(registry.ask("ben", "GET", f"/invitations/{other['id']}"), 404)
    assert registry.ask("ann", "DELETE", f"/invitations/{other['id']}").json()["revoked"]


def test_accounts_and_their_quotas(registry):
    assert registry.ask("ann", "GET", "/me").json()["roles"] == ["member"]
    refused(registry.ask("ann", "GET", "/accounts/ben"), 404)
    refused(registry.ask("ann", "PATCH", "/accounts/ann", json={"domains": 99}), 403)
    set_to = registry.ask("reg", "PATCH", "/accounts/ann", json={"domains": 0})
    assert set_to.json()["quota"]["domains"] == 0
    assert refused(registry.ask("ann", "POST", "/domains", json={"name": "garden.alt"}), 409)
    back = registry.ask("reg", "PATCH", "/accounts/ann", json={"domains": None})
    assert back.json()["quota"]["domains"] is None
    assert registry.ask("reg", "POST", "/accounts/ben/lock", json={"reason": "spam"}).json()["state"] == "locked"
    refused(registry.ask("ben", "GET", "/me"), 401)
    assert registry.ask("reg", "POST", "/accounts/ben/unlock").json()["state"] == "active"
    cut = registry.ask("reg", "POST", "/accounts/ben/cut", json={"reason": "robots", "names": "keep"})
    assert [one["uid"] for one in cut.json()["items"]] == ["ben"]


def test_tokens_are_made_narrower_and_answered_once(registry):
    scope = {"verbs": ["write"], "names": ["home.garden.alt."], "types": ["AAAA"], "sources": []}
    token = made(registry, "ann", "/tokens", label="router", scope=scope)
    assert answers.NewToken.model_validate(token).secret.startswith("altnet_")
    registry.secrets["router"] = token["secret"]
    refused(registry.ask("router", "POST", "/tokens", json={"label": "wider", "scope": {"verbs": ["full"]}}), 403)
    refused(registry.ask("router", "GET", "/domains"), 403)
    listed = registry.ask("ann", "GET", "/tokens")
    assert token["secret"] not in listed.text
    refused(registry.ask("ben", "DELETE", f"/tokens/{token['id']}"), 404)
    assert registry.ask("ann", "DELETE", f"/tokens/{token['id']}").json()["revoked"]
    refused(registry.ask("router", "GET", "/me"), 401)


def test_what_was_done_is_read_by_whom_it_concerns(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    mine = registry.ask("ann", "GET", "/audit?action=domain.register").json()["items"]
    assert [one["object"] for one in mine] == ["garden.alt."]
    answers.Entry.model_validate(mine[0])
    assert registry.ask("ben", "GET", "/audit?action=domain.register").json()["items"] == []
    everything = registry.ask("ops", "GET", "/audit?limit=200").json()["items"]
    assert {one["actor"] for one in everything} >= {"ann", "ben", "reg", "ops"}
    assert registry.ask("ops", "GET", "/audit/verification").json() == {"good": True, "problems": []}
    refused(registry.ask("ann", "GET", "/audit/verification"), 403)


@pytest.mark.parametrize("path", ["/outbox", "/drift", "/servers"])
def test_the_state_is_for_operators(registry, path):
    assert registry.ask("ops", "GET", path).status_code == 200
    refused(registry.ask("ann", "GET", path), 403)
    refused(registry.ask(None, "GET", path), 401)


def test_lists_go_on_where_they_ended(registry):
    for number in range(7):
        made(registry, "ann", "/domains", name=f"name{number}.alt")
    found, path, pages = [], "/api/v1/domains?limit=3&part=name", 0
    while path:
        answer = registry.client.get(path, headers={"Authorization": f"Bearer {registry.secrets['ann']}"})
        found += [one["unicode"] for one in answer.json()["items"]]
        path, pages = answer.links["next"]["url"] if "next" in answer.links else "", pages + 1
    assert pages == 3
    assert sorted(found) == [f"name{number}.alt" for number in range(7)]
    refused(registry.ask("ann", "GET", "/domains?cursor=nonsense"), 422)
    refused(registry.ask("ann", "GET", "/domains?limit=201"), 422)


def test_another_ones_objects_are_not_there(registry):
    made(registry, "ann", "/domains", name="garden.alt")
    for method, path, body in (
        ("GET", "/domains/garden.alt", None),
        ("DELETE", "/domains/garden.alt", None),
        ("POST", "/domains/garden.alt/lock", None),
        ("GET", "/domains/garden.alt/rrsets", None),
        ("PUT", "/domains/garden.alt/rrsets/www/AAAA", {"records": ["fd12::1"]}),
        ("PUT", "/domains/garden.alt/rrsets", {"rrsets": []}),
        ("POST", "/domains/garden.alt/transfer-key", None),
        ("POST", "/domains/garden.alt/offer", {"to": "reg"}),
    ):
        refused(registry.ask("ben", method, path, json=body), 404)
    assert registry.ask("ben", "GET", "/domains").json()["items"] == []
    assert [one["name"] for one in registry.ask("reg", "GET", "/domains").json()["items"]] == ["garden.alt."]
