"""What preflight says of people and groups that are declared wrongly, before any host is touched."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import World

from altnet.controller.preflight import problems

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGluZGVlZCB0aGlzIGlzIG5vdCBhIGtleSBhdCBhbGw= safe"
ADA = {"uid": "ada", "name": "Ada Lovelace", "groups": ["operators"]}


@pytest.fixture
def served(world: World) -> World:
    world.children |= {"authoritative": ["fra"], "resolvers": ["fra", "nyc"], "directory": ["fra", "nyc"]}
    return world


def found(world: World) -> list[str]:
    return problems(world.task_vars(), world.ledger)


def test_nothing(served: World) -> None:
    served.network["directory_accounts"] = [ADA]
    assert found(served) == []


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        (
            "directory_accounts",
            [{**ADA, "groups": ["oprators"]}],
            "directory_accounts[0].groups[0]: oprators is no group of the network. Remedy: did you mean operators.",
        ),
        (
            "directory_accounts",
            [ADA, {"uid": "bob", "name": "Bob", "mail": "x"}],
            "directory_accounts[1].mail: 'x' is no mail address. Remedy: write it as name@example.alt.",
        ),
        (
            "directory_groups",
            [{"name": "operators", "state": "absent"}],
            (
                "directory_groups[0].state: is absent, and the network needs operators. Remedy: leave it present, "
                "without members."
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_once(served: World, variable: str, value: Any, line: str) -> None:
    served.network[variable] = value
    assert found(served) == [f"the network: {line}"]


@pytest.mark.parametrize("value", ["correct horse battery", 4711, ["correct horse battery"]])
def test_a_password_in_clear_is_not_shown(served: World, value: Any) -> None:
    served.network["directory_accounts"] = [{**ADA, "password_hash": value}]
    (line,) = found(served)
    assert "directory_accounts[0].password_hash: is " in line
    assert "horse" not in line
    assert "4711" not in line


def test_one_network_has_one_directory(served: World) -> None:
    served.hosts["nyc"]["directory_accounts"] = [ADA]
    served.hosts["fra"]["directory_accounts"] = []
    (line,) = found(served)
    assert line.startswith("host nyc: directory_accounts: is not the same as on host fra, and a network has one direc")


def test_people_whom_nobody_holds(world: World) -> None:
    world.network["directory_accounts"] = [ADA]
    (line,) = found(world)
    assert line.startswith("the network: directory_accounts: is set, and no host holds people. Remedy: put a host into")


def test_a_provider_needs_names(world: World) -> None:
    world.children["directory"] = ["fra"]
    (line,) = found(world)
    assert line.startswith("the network: group directory: has hosts, and nobody answers for names")


def test_operators_logins(served: World) -> None:
    served.children["logins"] = ["core", "nyc"]
    served.hosts["nyc"]["logins_emergency_keys"] = ["ssh-ed25519 nonsense", KEY]
    empty, wrong = found(served)
    assert empty == (
        "host core: logins_emergency_keys: is empty, and nobody could log in while the directory is dead. Remedy: "
        "give a public key of OpenSSH, of a pair that is kept offline."
    )
    assert wrong == (
        "host nyc: logins_emergency_keys[0]: is no public key of OpenSSH. Remedy: "
        "give one line of a public key file, its type first, without options."
    )
    served.network["logins_emergency_keys"] = [KEY]
    del served.hosts["nyc"]["logins_emergency_keys"]
    assert found(served) == []


def test_operators_logins_without_a_directory(world: World) -> None:
    world.children["logins"] = ["core"]
    world.network["logins_emergency_keys"] = [KEY]
    assert found(world) == [
        "the network: group logins: has hosts, and no host holds people. Remedy: put a host into the group directory."
    ]
