"""People in a real directory: what the registry reads and writes there, and what the directory does not let it do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, Connection
from people_slapd import BASE, PASSWORD, Provider, directory
from tests.daemons import until

from altnet.directory.model import group_dn, person_dn
from altnet.registry.acts.desk import Person
from altnet.registry.domain.errors import RegistryError
from altnet.registry.faces.directory import LdapDirectory

pytestmark = pytest.mark.xdist_group("directory-real")
MEMBERS = frozenset(("members",))
ADA = person_dn("root-ada", BASE)


@pytest.fixture
def people(two: tuple[Provider, Provider]) -> LdapDirectory:
    return directory(*two)


@pytest.fixture
def one(two: tuple[Provider, Provider]) -> Provider:
    return two[0]


@contextmanager
def refused(kind: str, field: str | None = None) -> Iterator[None]:
    with pytest.raises(RegistryError) as caught:
        yield
    assert caught.value.kind == kind, caught.value
    if field is not None:
        assert [fault.field for fault in caught.value.faults] == [field]


class TestReading:
    def test_somebody_with_their_groups(self, people: LdapDirectory) -> None:
        expected = Person("root-ada", "root-ada", "root-ada@example.alt", frozenset(("members", "operators")))
        assert people.person("root-ada") == expected

    @pytest.mark.parametrize("uid", ["nobody", "", "*", "a)(uid=*", "ada,ou=people", "\0", "\ud800", "x" * 5000, "ä"])
    def test_nobody(self, people: LdapDirectory, uid: str) -> None:
        assert people.person(uid) is None
        assert not people.authenticate(uid, PASSWORD)
        people.lock(uid, locked=True)
        people.delete(uid)

    @pytest.mark.parametrize(
        ("part", "uids"),
        [
            ("", {"root-ada", "rex", "ben"}), ("re", {"rex"}), ("REX", {"rex"}), ("*", set()), (")(uid=*", set()),
            ("\0", set()), ("\ud800", set()), ("\\", set()),
        ],
    )  # fmt: skip
    def test_those_who_are_looked_for(self, people: LdapDirectory, part: str, uids: set[str]) -> None:
        found = {one.uid for one in people.people(part)}
        assert found >= uids if not part else found == uids

    def test_at_most_so_many(self, people: LdapDirectory) -> None:
        assert len(people.people("", most=2)) == 2

    def test_a_group(self, people: LdapDirectory) -> None:
        assert people.members("operators") == {"root-ada"}
        assert {"root-ada", "rex", "ben"} <= people.members("members")
        assert people.members("nonsense") == frozenset()


class TestPasswords:
    def test_right_and_wrong(self, people: LdapDirectory) -> None:
        assert people.authenticate("ben", PASSWORD)
        for wrong in ("", "wrong", "x" * 9999, "\0", "\ud800"):
            assert not people.authenticate("ben", wrong)

    def test_who_guesses_is_locked_out_and_a_new_password_lets_them_in(
        self, people: LdapDirectory, one: Provider
    ) -> None:
        people.create(Person("guessed", "G", groups=MEMBERS), PASSWORD)
        assert people.authenticate("guessed", PASSWORD)
        for _ in range(5):
            assert not people.authenticate("guessed", "wrong")
        assert not people.authenticate("guessed", PASSWORD)
        # That is for a quarter of an hour, and no registrar's lock.
        found = people.person("guessed")
        assert found is not None
        assert not found.locked
        people.set_password("guessed", PASSWORD + "!")
        assert people.authenticate("guessed", PASSWORD + "!")
        assert one.read(person_dn("guessed", BASE), "userPassword")["userPassword"][0].startswith("{ARGON2}$argon2id$")

    def test_a_short_one_is_refused_at_its_field(self, people: LdapDirectory) -> None:
        with refused("invalid", "password"):
            people.set_password("ben", "short")
        with refused("invalid", "password"):
            people.create(Person("short", "S", groups=MEMBERS), "short")
        assert people.person("short") is None
        assert "short" not in people.members("members")

    @pytest.mark.parametrize(
        "password",
        [
            "half a character \ud800",
            "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
            "{cleartext}as it is",
            "a\ttabulator!",
            "\u00ad{cleartext}as it is",
            "\u00ad" * 20,
        ],
    )
    def test_one_that_cannot_be_kept(self, people: LdapDirectory, password: str) -> None:
        with refused("invalid"):
            people.create(Person("odd", "O", groups=MEMBERS), password)
        assert people.person("odd") is None
        assert "odd" not in people.members("members")

    @pytest.mark.parametrize(
        "password",
        ["pass phrase \ufb01ne \u00adsoft", "no\u00a0break space", "e\u0301 decomposed", "\U0001f98a fox fox fox"],
    )
    def test_what_one_typed_is_what_one_signs_in_with(self, people: LdapDirectory, password: str) -> None:
        people.create(Person("typist", "T", groups=MEMBERS), password)
        assert people.authenticate("typist", password)
        people.set_password("typist", password + "!")
        assert people.authenticate("typist", password + "!")
        people.delete("typist")

    def test_nobody_in_particular(self, people: LdapDirectory) -> None:
        with refused("missing"):
            people.set_password("nobody-here", PASSWORD)


class TestLocking:
    def test_there_and_back(self, people: LdapDirectory) -> None:
        people.create(Person("locked", "L", groups=MEMBERS), PASSWORD)
        for _ in range(2):  # twice is as good as once
            people.lock("locked", locked=True)
        found = people.person("locked")
        assert found is not None
        assert found.locked
        assert not people.authenticate("locked", PASSWORD)
        # A new password would let them in: ppolicy takes the lock away with it.
        with refused("state"):
            people.set_password("locked", PASSWORD + "!")
        assert not people.authenticate("locked", PASSWORD + "!")
        for _ in range(2):
            people.lock("locked", locked=False)
        assert people.authenticate("locked", PASSWORD)

    def test_who_is_not_there_yet(self, people: LdapDirectory) -> None:
        people.lock("not-yet", locked=True)


class TestMaking:
    def test_an_entry_with_its_memberships(self, people: LdapDirectory, one: Provider) -> None:
        people.create(Person("cleo", "Cleo C.", "cleo@example.alt", MEMBERS), PASSWORD)
        assert people.person("cleo") == Person("cleo", "Cleo C.", "cleo@example.alt", MEMBERS)
        assert one.read(person_dn("cleo", BASE))["sn"] == ["C."]
        # Once more, as after an answer that was lost.
        people.create(Person("cleo", "Cleo C.", "cleo@example.alt", MEMBERS), PASSWORD)

    def test_a_uid_that_somebody_has(self, people: LdapDirectory, one: Provider) -> None:
        one.declared("declared")
        with refused("conflict", "uid"):
            people.create(Person("declared", "D", groups=MEMBERS), PASSWORD + "!")
        assert "declared" not in one.members("members")
        assert people.authenticate("declared", PASSWORD)

    def test_an_address_that_somebody_has(self, people: LdapDirectory) -> None:
        with refused("invalid", "mail"):
            people.create(Person("dan", "Dan", "BEN@example.alt", MEMBERS), PASSWORD)
        assert people.person("dan") is None
        assert "dan" not in people.members("members")

    def test_a_group_that_is_not_there(self, people: LdapDirectory) -> None:
        with refused("missing"):
            people.create(Person("dan", "Dan", groups=frozenset(("members", "nonsense"))), PASSWORD)
        assert people.person("dan") is None
        assert "dan" not in people.members("members")

    def test_gone_with_what_it_was_in(self, people: LdapDirectory, one: Provider) -> None:
        people.create(Person("brief", "B", groups=MEMBERS), PASSWORD)
        people.delete("brief")
        people.delete("brief")
        assert people.person("brief") is None
        until(lambda: "brief" not in one.members("members"), 5)
        # A membership without an entry, as SIGKILL leaves it.
        dn = person_dn("half", BASE)
        one.modify(f"dn: {group_dn('members', BASE)}\nchangetype: modify\nadd: member\nmember: {dn}\n")
        people.delete("half")
        assert "half" not in one.members("members")


class TestOperators:
    """Whoever breaks into the portal becomes no operator."""

    def test_by_what_the_registry_does(self, people: LdapDirectory) -> None:
        acts: tuple[Callable[[], None], ...] = (
            lambda: people.set_password("root-ada", "a password of mine"),
            lambda: people.lock("root-ada", locked=True),
            lambda: people.delete("root-ada"),
            lambda: people.create(Person("mallory", "M", groups=frozenset(("members", "operators"))), PASSWORD),
        )
        for act in acts:
            with refused("forbidden"):
                act()
        assert people.authenticate("root-ada", PASSWORD)
        assert people.person("mallory") is None
        assert "mallory" not in people.members("members")

    @pytest.mark.parametrize(
        ("dn", "changes"),
        [
            (ADA, {"userPassword": [(MODIFY_REPLACE, ["a password of mine"])]}),
            (ADA, {"userPassword": [(MODIFY_ADD, ["a password of mine"])]}),
            (ADA, {"mail": [(MODIFY_REPLACE, ["mallory@example.alt"])]}),
            (ADA, {"sshPublicKey": [(MODIFY_ADD, ["ssh-ed25519 AAAA mallory"])]}),
            (ADA, {"objectClass": [(MODIFY_ADD, ["ldapPublicKey"])]}),
            (ADA, {"pwdAccountLockedTime": [(MODIFY_REPLACE, ["000001010000Z"])]}),
            (ADA, {"pwdPolicySubentry": [(MODIFY_REPLACE, [f"cn=services,ou=policies,{BASE}"])]}),
            (group_dn("operators", BASE), {"member": [(MODIFY_ADD, [person_dn("ben", BASE)])]}),
            (group_dn("operators", BASE), {"member": [(MODIFY_DELETE, [ADA])]}),
            (group_dn("operators", BASE), {"description": [(MODIFY_REPLACE, ["mine"])]}),
        ],
    )
    def test_by_anything_else(self, people: LdapDirectory, dn: str, changes: dict[str, object]) -> None:
        def ask(connection: Connection) -> int:
            connection.modify(dn, changes)
            return int(connection.result["result"])

        assert people._asked(ask) == 50
        assert people.authenticate("root-ada", PASSWORD)

    def test_nor_by_another_name(self, people: LdapDirectory, one: Provider) -> None:
        """To rename an operator, and take the name; or to be there before an operator has an entry."""

        def rename(connection: Connection) -> int:
            connection.modify_dn(ADA, "uid=somebody")
            return int(connection.result["result"])

        assert people._asked(rename) == 50
        dn = person_dn("root-new", BASE)
        one.modify(f"dn: {group_dn('operators', BASE)}\nchangetype: modify\nadd: member\nmember: {dn}\n")
        with refused("forbidden"):
            people.create(Person("root-new", "N", groups=MEMBERS), PASSWORD)
        assert people.person("root-new") is None

        def taken(connection: Connection) -> int:
            connection.modify_dn(person_dn("ben", BASE), "uid=root-new")
            return int(connection.result["result"])

        assert people._asked(taken) == 50
        assert people.person("ben") is not None

    def test_others_it_may_change(self, people: LdapDirectory) -> None:
        people.set_password("rex", PASSWORD + "!")
        assert people.authenticate("rex", PASSWORD + "!")
        people.set_password("rex", PASSWORD)

    def test_an_operator_changes_their_own(self, people: LdapDirectory, one: Provider) -> None:
        as_ada = LdapDirectory(replace(people.settings, bind_dn=ADA), PASSWORD)
        as_ada.set_password("root-ada", PASSWORD + "!")
        LdapDirectory(replace(people.settings, bind_dn=ADA), PASSWORD + "!").set_password("root-ada", PASSWORD)


class TestWhoAsks:
    def test_a_wrong_password_of_the_portal(self, two: tuple[Provider, Provider]) -> None:
        with refused("unavailable"):
            directory(*two, password="wrong").person("ben")

    def test_a_server_of_another_root(self, two: tuple[Provider, Provider], people: LdapDirectory) -> None:
        stranger = LdapDirectory(replace(people.settings, roots="/etc/ssl/certs/ca-certificates.crt"), people.password)
        with refused("unavailable"):
            stranger.person("ben")

    def test_no_server_at_all(self, people: LdapDirectory) -> None:
        nowhere = LdapDirectory(replace(people.settings, uris=("ldaps://localhost:1",)), people.password)
        for act in (lambda: nowhere.person("ben"), lambda: nowhere.authenticate("ben", PASSWORD), nowhere.people):
            with refused("unavailable"):
                act()

    def test_connections_are_used_again(self, people: LdapDirectory) -> None:
        for _ in range(20):
            people.person("ben")
        assert len(people._idle) == 1
        first = people._idle[0]
        people.person("ben")
        assert people._idle == [first]

    def test_one_that_was_closed_meanwhile(self, people: LdapDirectory) -> None:
        people.person("ben")
        people._idle[0].socket.close()
        assert people.person("ben") is not None
