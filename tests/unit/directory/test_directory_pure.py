"""LDIF, first entries, passwords and the difference, without a server."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.directory import ldif, services, tree, wish
from altnet.directory.difference import Passwords, Prune, difference, digest, shown
from altnet.directory.ldif import Change, Modification
from altnet.directory.model import Entry, normal_dn, person_dn
from altnet.directory.parse import parse

BASE, MASTER = "dc=alt", "m" * 48
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


class TestLdif:
    @given(st.dictionaries(st.sampled_from(["cn", "sn", "mail"]), st.lists(TEXT, min_size=1, max_size=3)))
    def test_what_is_written_is_read(self, attributes: dict[str, list[str]]) -> None:
        assert list(ldif.parse(ldif.entry("uid=ada", attributes))) == [("uid=ada", attributes)]

    @given(TEXT)
    def test_a_value_is_one_line(self, value: str) -> None:
        assert "\n" not in ldif.line("cn", value)

    def test_folded_lines_comments_and_base64(self) -> None:
        text = "# said\ndn: uid=a,\n dc=alt\ncn:: w4Q=\nsn:\n\n\ndn: dc=alt\n"
        assert list(ldif.parse(text)) == [("uid=a,dc=alt", {"cn": ["Ä"], "sn": [""]}), ("dc=alt", {})]

    def test_changes(self) -> None:
        steps = (Modification("replace", "mail", ()), Modification("add", "cn", ("x", " y")))
        found = ldif.changes([Change("modify", "uid=a", steps=steps), Change("delete", "uid=b")])
        assert found == (
            "dn: uid=a\nchangetype: modify\nreplace: mail\n-\nadd: cn\ncn: x\ncn:: IHk=\n-\n\n"
            "dn: uid=b\nchangetype: delete\n\n"
        )


class TestServices:
    def test_the_stored_form_is_the_same_in_every_run_and_checks_the_password(self) -> None:
        from passlib.hash import sha512_crypt  # noqa: PLC0415

        first = services.hashed(MASTER, "portal", 0)
        services.hashed.cache_clear()
        assert services.hashed(MASTER, "portal", 0) == first
        assert sha512_crypt.verify(services.password(MASTER, "portal", 0), first.removeprefix("{CRYPT}"))

    def test_each_has_its_own_and_an_epoch_changes_one(self) -> None:
        before, after = services.accepted(MASTER, {}), services.accepted(MASTER, {"portal": 1})
        assert len({value for values in before.values() for value in values}) == 3
        assert after["portal"][0] == before["portal"][0]
        assert len(after["portal"]) == 2
        assert after["reader"] == before["reader"]

    def test_one_that_there_is_not(self) -> None:
        with pytest.raises(ValueError, match="portl is no service account; there are replicator, portal, reader"):
            services.accepted(MASTER, {"portl": 1})


def test_the_first_entries_are_the_same_on_every_provider() -> None:
    hashes = services.accepted(MASTER, {})
    one, other = (tree.first_entries(BASE, tree.Policy(), hashes) for _ in range(2))
    assert one == other
    found = dict(ldif.parse(one))
    assert len({entry["entryUUID"][0] for entry in found.values()}) == len(found)
    assert {entry["entryCSN"][0] for entry in found.values()} == {"20200101000000.000000Z#000000#000#000000"}


def test_first_entries_need_every_services_password() -> None:
    with pytest.raises(ValueError, match="there is no password of replicator, reader: set directory_service_hashes"):
        tree.first_entries(BASE, tree.Policy(), {"portal": ["x"]})


def present(*entries: Entry) -> dict[str, dict[str, list[str]]]:
    return {normal_dn(entry.dn): {name: list(values) for name, values in entry.attributes.items()} for entry in entries}


ADA = Entry(
    "uid=ada,ou=people,dc=alt", {"objectClass": ("inetOrgPerson",), "cn": ("Ada",)}, frozenset(("objectClass",))
)
CREW = Entry(
    "cn=crew,ou=groups,dc=alt",
    {"objectClass": ("groupOfNames",), "cn": ("crew",), "member": (ADA.dn,)},
    frozenset(("objectClass", "member")),
)
NONE = Passwords()


class TestDifference:
    def test_none(self) -> None:
        assert difference(BASE, [ADA, CREW], present(ADA, CREW), NONE, Prune()) == []

    def test_a_dn_is_the_same_however_it_is_written(self) -> None:
        there = present(ADA, CREW)
        there[normal_dn(CREW.dn)]["member"] = ["UID=ada, ou=People,dc=ALT"]
        assert difference(BASE, [ADA, CREW], there, NONE, Prune()) == []

    def test_what_others_added_stays(self) -> None:
        there = present(ADA, CREW)
        there[normal_dn(CREW.dn)]["member"].append("uid=bob,ou=people,dc=alt")
        there[normal_dn(ADA.dn)]["objectClass"].append("ldapPublicKey")
        assert difference(BASE, [ADA, CREW], there, NONE, Prune()) == []

    def test_deletions_come_last(self) -> None:
        gone = Entry("uid=old,ou=people,dc=alt", {}, absent=True)
        found = difference(BASE, [gone, ADA, CREW], present(gone), NONE, Prune())
        assert [(change.verb, change.dn) for change in found] == [
            ("add", ADA.dn), ("add", CREW.dn), ("delete", gone.dn),
        ]  # fmt: skip

    def test_a_remembered_order_needs_no_password(self) -> None:
        dn, value = "cn=portal,ou=services,dc=alt", "{CRYPT}x"
        entry = Entry(dn, {"cn": ("portal",)})
        secret = {dn: {"first": False, "digests": [digest(value)]}}
        held = {normal_dn(dn): frozenset((digest(value),))}
        assert difference(BASE, [entry], present(entry), Passwords(secret, held), Prune()) == []
        assert difference(BASE, [entry], present(entry), Passwords(secret), Prune()) != []

    def test_passwords_are_hidden_wherever_they_stand(self) -> None:
        secret = {ADA.dn: {"first": True, "values": ["{ARGON2}secret"]}}
        for there in ({}, present(ADA)):
            found = difference(BASE, [ADA], there, Passwords(secret), Prune())
            text = json.dumps(shown(found, there))
            assert "secret" not in text
            assert "userPassword: (hidden)" in text
            assert "{ARGON2}secret" in ldif.changes(found)


def test_a_person_as_entry() -> None:
    people = parse([{"uid": "ada", "name": "Ada Lovelace", "uid_number": 10_001, "groups": ["members"]}], [])
    entries = {entry.dn: entry for entry in wish.entries(people, BASE, tree.Policy())}
    person = entries[person_dn("ada", BASE)]
    assert person.attributes["objectClass"] == ("inetOrgPerson", "ldapPublicKey", "posixAccount")
    assert person.attributes["gidNumber"] == ("10001",)
    members = entries["cn=members,ou=groups,dc=alt"].attributes["member"]
    assert members == ("cn=nobody,ou=services,dc=alt", person.dn)
    assert Entry.of(person.plain()) == person
