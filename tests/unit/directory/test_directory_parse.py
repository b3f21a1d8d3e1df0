"""What is declared of people and groups: the good, and every kind of bad with its words."""

from __future__ import annotations

from typing import Any

import pytest

from altnet.directory.model import Group
from altnet.directory.parse import parse
from altnet.errors import InventoryError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGluZGVlZCB0aGlzIGlzIG5vdCBhIGtleSBhdCBhbGw="
HASH = f"{{ARGON2}}$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'B' * 43}"
CRYPT = f"{{CRYPT}}$6$rounds=5000$salt${'x' * 86}"


def problems(accounts: Any = (), groups: Any = ()) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        parse(list(accounts) if isinstance(accounts, tuple) else accounts, list(groups))
    return [str(problem) for problem in caught.value.problems]


def ada(**more: Any) -> dict[str, Any]:
    return {"uid": "ada", "name": "Ada Lovelace", **more}


class TestGood:
    def test_nothing_is_the_standard_groups(self) -> None:
        people = parse([], [])
        assert people.accounts == ()
        assert [(group.name, group.exclusive) for group in people.groups] == [
            ("operators", True), ("registrars", False), ("members", False),
        ]  # fmt: skip

    def test_an_account(self) -> None:
        (account,) = parse([ada(mail="ada@example.alt", ssh_keys=[KEY], groups=["members"])], []).accounts
        assert (account.surname, account.given_name, account.locked) == ("Lovelace", None, None)
        assert account.ssh_keys == (KEY,)

    @pytest.mark.parametrize("value", [HASH, CRYPT])
    def test_a_hash_is_kept_and_not_shown(self, value: str) -> None:
        (account,) = parse([ada(password_hash=value)], []).accounts
        assert account.password_hash == value
        assert value not in repr(account)

    def test_a_group(self) -> None:
        people = parse([], [{"name": "gardeners", "members": ["ada"], "exclusive": True}])
        assert people.groups[-1] == Group("gardeners", members=("ada",), exclusive=True)

    def test_who_is_gone_needs_no_name(self) -> None:
        assert parse([{"uid": "ada", "state": "absent"}], []).accounts[0].absent

    @pytest.mark.parametrize("uid", ["a", "ada", "ada.l", "ada_l-2"])
    def test_a_uid(self, uid: str) -> None:
        assert parse([ada(uid=uid)], []).accounts[0].uid == uid


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (ada(uid="Ada"), "[0].uid: is 'Ada'. Remedy: use at most 32 lower-case letters"),
        (ada(uid="-x"), "[0].uid: is '-x'. Remedy"),
        (ada(uid="a,ou=x"), "[0].uid: is 'a,ou=x'. Remedy"),
        (ada(uid=7), "[0].uid: is a number (7), not a text. Remedy"),
        (ada(uid="root"), "[0].uid: root is root's on every host. Remedy: use another uid"),
        ({"uid": "ada"}, "[0].name: is empty, not a text. Remedy: give a text"),
        (ada(name=" Ada"), "[0].name: is ' Ada'. Remedy: use at most 128 printable characters"),
        (ada(name="Ada\nuserPassword: x"), "[0].name: is 'Ada\\nuserPassword: x'. Remedy"),
        (ada(mail="ada"), "[0].mail: 'ada' is no mail address. Remedy: write it as name@example.alt"),
        (ada(mail="a b@example.alt"), "[0].mail: 'a b@example.alt' is no mail address"),
        (ada(uid_number=1000), "[0].uid_number: is 1000. Remedy: use a number from 10000 to 59999"),
        (ada(uid_number="10001"), "[0].uid_number: is text ('10001'), not a whole number"),
        (ada(ssh_keys=["ssh-ed25519 AAAA"]), "[0].ssh_keys[0]: is no public key of OpenSSH. Remedy: give one line"),
        (ada(ssh_keys=[f"command=x {KEY}"]), "[0].ssh_keys[0]: is no public key of OpenSSH"),
        (ada(ssh_keys=[KEY.replace("ed25519", "rsa")]), "[0].ssh_keys[0]: is no public key of OpenSSH"),
        (
            ada(groups=["gardners"]),
            "[0].groups[0]: gardners is no group of the network. Remedy: did you mean gardeners",
        ),
        (ada(groups="members"), "[0].groups: is text ('members'), not a list"),
        (ada(locked="yes"), "[0].locked: is text ('yes'), not true or false without quotes"),
        (ada(state="gone"), "[0].state: is 'gone'. Remedy: use present or absent"),
        (ada(passwrd="x"), "[0].passwrd: is no setting of ours. Remedy: did you mean password_hash"),
        ("ada", "[0]: is text ('ada'), not a mapping"),
    ],
)
def test_an_account_that_is_wrong(account: Any, words: str) -> None:
    (found,) = problems((account,), ({"name": "gardeners"},))
    assert found.startswith(f"the network: directory_accounts{words}"), found


@pytest.mark.parametrize(
    "value", ["correct horse battery", "{SSHA}xyz", "{CRYPT}x", "{CLEARTEXT}secret-word", 12345, f"{HASH}\n"]
)
def test_a_password_that_is_no_hash_is_refused_and_not_shown(value: Any) -> None:
    (found,) = problems((ada(password_hash=value),))
    assert "[0].password_hash: is not a password's hash that slapd checks here. Remedy: leave it out" in found
    assert str(value).strip() not in found


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"uid": "ada"}, "[1].uid: ada is there already, at directory_accounts[0]"),
        ({"mail": "ADA@example.alt"}, "[1].mail: ada@example.alt is ada's too. Remedy: give one of them another"),
        ({"uid_number": 10_001}, "[1].uid_number: 10001 is ada's too"),
    ],
)
def test_two_accounts_with_one_thing(second: dict[str, Any], words: str) -> None:
    first = ada(mail="ada@example.alt", uid_number=10_001)
    (found,) = problems((first, {"uid": "bob", "name": "Bob", **second}))
    assert words in found


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"name": "The Group"}], "[0].name: is 'The Group'. Remedy: use at most 32 lower-case letters"),
        ([{"name": "x"}, {"name": "x"}], "[1].name: x is there already, at directory_groups[0]"),
        ([{"name": "operators", "state": "absent"}], "[0].state: is absent, and the network needs operators"),
        ([{"name": "operators", "exclusive": False}], "[0].exclusive: is false, and nobody but the inventory says"),
        ([{"name": "x", "members": ["No One"]}], "[0].members[0]: 'No One' is no uid. Remedy"),
        ([{"name": "x", "members": ["gone"]}], "[0].members[0]: gone is declared absent. Remedy: take it out"),
        ([{"name": "x", "memberz": []}], "[0].memberz: is no setting of ours. Remedy: did you mean members"),
    ],
)
def test_a_group_that_is_wrong(groups: list[dict[str, Any]], words: str) -> None:
    (found,) = problems(({"uid": "gone", "state": "absent"},), groups)
    assert f"directory_groups{words}" in found


def test_every_problem_is_found_in_one_reading() -> None:
    assert len(problems((ada(mail="x", uid_number=1), {"uid": "B"}), ({"name": "X"},))) == 5
