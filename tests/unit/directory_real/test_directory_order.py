"""The module's whole work against a real slapd: made, changed, left alone, refused, remembered."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from directory_servers import BASE, MASTER, MISSING, POLICY, Provider, account, group, network, password, person
from tests.daemons import until

from altnet.directory import order, services, wish
from altnet.directory.difference import DirectoryError
from altnet.directory.parse import parse

pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGluZGVlZCB0aGlzIGlzIG5vdCBhIGtleSBhdCBhbGw= ada"
ADA = {"uid": "ada", "name": "Ada Lovelace", "mail": "ada@example.alt", "groups": ["operators"], "ssh_keys": [KEY]}
BOB = {"uid": "bob", "name": "Bob Bobson", "uid_number": 10_001, "groups": ["gardeners", "members"]}
GARDENERS = {"name": "gardeners", "description": "Look after the garden"}


def given(one: Provider, accounts: Any = (ADA, BOB), groups: Any = (GARDENERS,), **more: Any) -> dict[str, Any]:
    people = parse(list(accounts), list(groups))
    epochs = more.pop("epochs", {})
    return {
        "base": BASE,
        "entries": [entry.plain() for entry in wish.entries(people, BASE, POLICY)],
        "secrets": json.dumps(wish.secrets(people, BASE, services.accepted(MASTER, epochs))),
        "uri": one.local,
        "peers": [{"name": f"p{other.number}", "uri": other.uri} for other in one.others],
        "replicator_password": password("replicator"),
        "ca_file": str(one.directory / "roots.pem"),
        "wait": 20,
        "prune": False,
        "prune_at_most": 20,
        "prune_consent": False,
        "start_anew": False,
        "_order": "f1",
        **more,
    }


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Provider]:
    server = Provider(tmp_path / "one", 1)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "order.json"


class TestTheFourSteps:
    def test_of_a_new_directory(self, one: Provider, kept: Path) -> None:
        before = one.everything()
        asked = order.run(given(one), check_mode=True, path=kept).result()
        assert one.everything() == before
        assert not kept.exists()
        assert asked["created"] == [person("ada"), person("bob"), group("gardeners")]
        assert asked["updated"] == [group("operators"), group("members")]
        assert order.run(given(one), check_mode=False, path=kept).result() == asked
        assert not order.run(given(one), check_mode=True, path=kept).result()["changed"]
        assert not order.run(given(one), check_mode=False, path=kept).result()["changed"]
        ada = one.read(person("ada"), "*", "memberOf")
        assert (ada["cn"], ada["sn"], ada["mail"]) == (["Ada Lovelace"], ["Lovelace"], ["ada@example.alt"])
        assert (ada["sshPublicKey"], ada["memberOf"]) == ([KEY], [group("operators")])
        assert "userPassword" not in ada
        assert one.read(person("bob"))["homeDirectory"] == ["/home/bob"]

    def test_of_a_change(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        married = {**ADA, "name": "Ada King", "mail": "king@example.alt", "groups": []}
        report = order.run(given(one, [married, BOB]), check_mode=False, path=kept).result()
        assert report["updated"] == [person("ada"), group("operators")]
        assert "-" not in report["diff"]["after"].partition("cn: ")[0]
        assert "cn: Ada Lovelace" in report["diff"]["before"]
        assert "cn: Ada King" in report["diff"]["after"]
        assert person("ada") not in one.read(group("operators"))["member"]
        assert not order.run(given(one, [married, BOB]), check_mode=True, path=kept).result()["changed"]

    def test_of_who_goes(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        gone = {"uid": "bob", "state": "absent"}
        report = order.run(given(one, [ADA, gone]), check_mode=False, path=kept).result()
        assert report["deleted"] == [person("bob")]
        until(lambda: person("bob") not in one.read(group("members"))["member"], 5)
        assert not order.run(given(one, [ADA, gone]), check_mode=False, path=kept).result()["changed"]


class TestWhatIsLeftAlone:
    def test_what_the_portal_wrote(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        one.modify(account("carol", "carol@example.alt", "userPassword: correct horse battery\n"))
        for name in ("members", "gardeners"):
            one.modify(f"dn: {group(name)}\nchangetype: modify\nadd: member\nmember: {person('carol')}\n")
        one.modify(f"dn: {person('ada')}\nchangetype: modify\nadd: displayName\ndisplayName: The Countess\n")
        one.modify(f"dn: {person('bob')}\nchangetype: modify\nadd: mail\nmail: bob@example.alt\n")
        before = one.everything()
        result = order.run(given(one), check_mode=False, path=kept).result()
        assert (result["changed"], result["left"]) == (False, 1)
        assert one.everything() == before

    def test_a_key_that_somebody_added_by_themselves(self, one: Provider, kept: Path) -> None:
        order.run(given(one, [BOB]), check_mode=False, path=kept)
        dn = person("bob")
        one.modify(f"dn: {dn}\nchangetype: modify\nadd: userPassword\nuserPassword: correct horse battery\n")
        text = f"dn: {dn}\nchangetype: modify\nadd: sshPublicKey\nsshPublicKey: {KEY}\n"
        done = one.as_user(dn, "correct horse battery", "ldapmodify", stdin=text)
        assert done.returncode == 0, done.stderr
        assert not order.run(given(one, [BOB]), check_mode=False, path=kept).result()["changed"]
        assert one.read(dn)["sshPublicKey"] == [KEY]

    def test_but_for_operators(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        one.modify(f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person('bob')}\n")
        assert order.run(given(one), check_mode=False, path=kept).result()["updated"] == [group("operators")]
        assert person("bob") not in one.read(group("operators"))["member"]

    def test_a_lock_that_guessing_brought(self, one: Provider, kept: Path) -> None:
        open_, shut = ({**BOB, "locked": value} for value in (False, True))
        order.run(given(one, [open_]), check_mode=False, path=kept)
        dn = person("bob")
        one.modify(f"dn: {dn}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 20261126000000Z\n")
        assert not order.run(given(one, [open_]), check_mode=False, path=kept).result()["changed"]
        assert order.run(given(one, [shut]), check_mode=False, path=kept).result()["updated"] == [dn]
        assert not order.run(given(one, [shut]), check_mode=False, path=kept).result()["changed"]
        assert order.run(given(one, [open_]), check_mode=False, path=kept).result()["updated"] == [dn]
        assert "pwdAccountLockedTime" not in one.read(dn, "pwdAccountLockedTime")


class TestPasswords:
    def hashed(self, one: Provider) -> str:
        """Have slapd make a hash, and take the password away again."""
        one.modify(account("maker", more="userPassword: correct horse battery\n"))
        value = one.read(person("maker"), "userPassword")["userPassword"][0]
        one.modify(f"dn: {person('maker')}\nchangetype: delete\n")
        return value.rstrip("\0")  # which slapd's module leaves there

    def test_a_first_one_is_given_once(self, one: Provider, kept: Path) -> None:
        ada = {**ADA, "password_hash": self.hashed(one)}
        result = order.run(given(one, [ada]), check_mode=False, path=kept).result()
        assert ada["password_hash"] not in json.dumps(result)
        assert "userPassword: (hidden)" in result["diff"]["after"]
        assert one.as_user(person("ada"), "correct horse battery", "ldapwhoami").returncode == 0
        assert not order.run(given(one, [ada]), check_mode=False, path=kept).result()["changed"]
        done = one.as_user(person("ada"), "correct horse battery", "ldappasswd", "-s", "something else")
        assert done.returncode == 0, done.stderr
        assert not order.run(given(one, [ada]), check_mode=False, path=kept).result()["changed"]
        assert one.as_user(person("ada"), "something else", "ldapwhoami").returncode == 0

    def test_who_has_none_gets_the_first_one_later(self, one: Provider, kept: Path) -> None:
        value = self.hashed(one)
        order.run(given(one, [ADA]), check_mode=False, path=kept)
        assert one.as_user(person("ada"), "correct horse battery", "ldapwhoami").returncode == 49
        ada = {**ADA, "password_hash": value}
        assert order.run(given(one, [ada]), check_mode=False, path=kept).result()["updated"] == [person("ada")]
        assert one.as_user(person("ada"), "correct horse battery", "ldapwhoami").returncode == 0

    def test_a_services_next_one_and_the_one_before(self, one: Provider, kept: Path) -> None:
        portal = f"cn=portal,ou=services,{BASE}"
        for epoch, good, bad in ((1, {0, 1}, {2}), (2, {1, 2}, {0})):
            wanted = given(one, epochs={"portal": epoch})
            result = order.run(wanted, check_mode=False, path=kept).result()
            assert portal in result["updated"]
            assert all(
                value not in json.dumps(result) for value in services.accepted(MASTER, {"portal": epoch})["portal"]
            )
            assert not order.run(wanted, check_mode=False, path=kept).result()["changed"]
            for number in good | bad:
                code = one.as_user(portal, password("portal", number), "ldapwhoami").returncode
                assert code == (0 if number in good else 49)


class TestWhatIsRefused:
    def test_a_member_that_nobody_knows(self, one: Provider, kept: Path) -> None:
        wrong = {"name": "gardeners", "members": ["nobody-here"]}
        with pytest.raises(DirectoryError, match=r"gardeners: uid=nobody-here has no account\. Remedy: declare it"):
            order.run(given(one, [ADA], [wrong]), check_mode=True, path=kept)

    def test_an_address_that_the_portal_gave_to_somebody_else(self, one: Provider, kept: Path) -> None:
        one.modify(account("carol", "ada@example.alt"))
        with pytest.raises(DirectoryError) as caught:
            order.run(given(one), check_mode=False, path=kept)
        assert f"{person('ada')}: slapd refuses the change: " in str(caught.value)
        assert "non-unique attributes" in str(caught.value)
        assert not kept.exists()

    def test_to_prune_most_of_all(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        for number in range(8):
            one.modify(account(f"portal{number}"))
        with pytest.raises(DirectoryError, match=r"would delete 8 of 10 entries of ou=people .*more than 20 %"):
            order.run(given(one, prune=True), check_mode=True, path=kept)
        result = order.run(given(one, prune=True, prune_consent=True), check_mode=False, path=kept).result()
        assert len(result["deleted"]) == 8
        one.modify(account("portal9"))
        result = order.run(given(one, prune=True, prune_at_most=34), check_mode=False, path=kept).result()
        assert result["deleted"] == [person("portal9")]

    def test_a_server_that_is_not_there(self, one: Provider, kept: Path) -> None:
        one.kill()
        with pytest.raises(DirectoryError, match=r"does not answer as it should: .*Can't contact LDAP server"):
            order.run(given(one), check_mode=False, path=kept)


class TestTheStandingOrder:
    def test_stands_until_something_differs(self, one: Provider, kept: Path) -> None:
        ada = {**ADA, "password_hash": TestPasswords().hashed(one)}
        order.run(given(one, [ada, BOB]), check_mode=False, path=kept)
        again = order.run(given(one, [ada, BOB]), check_mode=False, path=kept).result()
        text = kept.read_text()
        for secret in (ada["password_hash"], password("replicator"), *services.accepted(MASTER, {})["portal"]):
            assert secret not in text
        assert kept.stat().st_mode & 0o777 == 0o600
        until(lambda: order.stands(kept) == ("f1", again), 5)
        one.modify(f"dn: {person('ada')}\nchangetype: modify\nreplace: mail\nmail: x@example.alt\n")
        assert order.stands(kept) is None
        order.run(given(one, [ada, BOB]), check_mode=False, path=kept)
        assert order.stands(kept) is not None
        head = f"dn: cn=portal,ou=services,{BASE}\nchangetype: modify\nreplace: userPassword\n"
        one.modify(f"{head}userPassword: {ada['password_hash']}\n")
        assert order.stands(kept) is None

    def test_a_server_that_is_not_there_vouches_for_nothing(self, one: Provider, kept: Path) -> None:
        order.run(given(one), check_mode=False, path=kept)
        one.kill()
        with pytest.raises(DirectoryError):
            order.stands(kept)


class TestTwoProviders:
    @pytest.fixture
    def pair(self, tmp_path: Path) -> Iterator[list[Provider]]:
        providers = network(tmp_path)
        try:
            yield providers
        finally:
            for provider in providers:
                provider.kill()

    def test_the_other_has_it_when_the_module_ends(self, pair: list[Provider], kept: Path) -> None:
        for provider in pair:
            provider.start()
        report = order.run(given(pair[0]), check_mode=False, path=kept)
        assert report.warnings == []
        assert pair[1].read(person("ada"))["cn"] == ["Ada Lovelace"]

    def test_one_that_has_died_is_named(self, pair: list[Provider], kept: Path) -> None:
        for provider in pair:
            provider.start()
        order.run(given(pair[0]), check_mode=False, path=kept)
        pair[1].kill()
        report = order.run(given(pair[0], [{**ADA, "name": "Ada King"}, BOB], wait=1), check_mode=False, path=kept)
        assert report.warnings == ["p2 does not have these changes yet"]
        assert pair[0].read(person("ada"))["cn"] == ["Ada King"]

    def test_a_new_one_is_not_written_to_while_the_other_is_silent(self, pair: list[Provider], kept: Path) -> None:
        pair[0].start()
        with pytest.raises(DirectoryError, match="has no people yet, and p2 may have some, but does not answer"):
            order.run(given(pair[0], wait=1), check_mode=False, path=kept)
        report = order.run(given(pair[0], wait=1, start_anew=True), check_mode=False, path=kept)
        assert report.result()["created"][0] == person("ada")

    @pytest.mark.parametrize("epoch", [1, 2])
    def test_a_new_password_of_the_replicator(self, pair: list[Provider], kept: Path, epoch: int) -> None:
        """Both providers use it before either accepts it, as in a run; with a step of two the old one is refused."""
        one, other = pair
        for provider in pair:
            provider.start()
        order.run(given(one), check_mode=False, path=kept)
        for provider in pair:
            provider.epochs = {"replicator": epoch}
            provider.stop()
            provider.start()
        wanted = given(one, epochs={"replicator": epoch}, replicator_password=password("replicator", epoch))
        report = order.run(wanted, check_mode=False, path=kept)
        assert report.result()["updated"][0] == f"cn=replicator,ou=services,{BASE}"
        assert report.warnings == []
        for writer, reader in (pair, pair[::-1]):
            writer.modify(account(f"w{writer.number}"))
            until(lambda w=writer, r=reader: bool(r.read(person(f"w{w.number}"))), 20, reader.log)
        code = other.as_user(f"cn=replicator,ou=services,{BASE}", password("replicator"), "ldapwhoami").returncode
        assert code == (0 if epoch == 1 else 49)

    def test_one_that_lost_its_disk_catches_up_before_it_is_written_to(self, pair: list[Provider], kept: Path) -> None:
        one, other = pair
        other.start()
        order.run(given(other, start_anew=True, wait=1), check_mode=False, path=kept)
        other.modify(
            f"dn: {person('ada')}\nchangetype: modify\nadd: userPassword\nuserPassword: correct horse battery\n"
        )
        one.start()
        report = order.run(given(one), check_mode=False, path=kept)
        assert report.result()["changed"] is False
        assert one.as_user(person("ada"), "correct horse battery", "ldapwhoami").returncode == 0
        assert one.everything() == other.everything()


def test_five_thousand_people(one: Provider, kept: Path) -> None:
    people = [{"uid": f"u{n}", "name": f"User {n}", "mail": f"u{n}@example.alt"} for n in range(5000)]
    begun = time.monotonic()
    order.run(given(one, people), check_mode=False, path=kept)
    made = time.monotonic() - begun
    begun, cpu = time.monotonic(), time.process_time()
    assert order.stands(kept) is not None
    took, used = time.monotonic() - begun, time.process_time() - cpu
    print(f"5,000 people: made in {made:.1f} s, judged in {took:.2f} s ({used:.2f} s of our CPU)")
