"""The directory's tree in plain terms: entries, and what is declared of people and groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PEOPLE: Final = "people"
GROUPS: Final = "groups"
SERVICES: Final = {
    "replicator": "The other providers; reads everything",
    "portal": "The portal; writes people and groups, but for operators",
    "reader": "Sign-on and apps; reads people and groups, no passwords",
}
"""The service accounts: name and purpose. Their passwords come from the master secret."""
STANDARD_GROUPS: Final = {
    "operators": "Run the network; may change everybody",
    "registrars": "Give out names and devices",
    "members": "Use the network",
}
OPERATORS: Final = "operators"
SERVER_ID_MAX: Final = 4095
"""The largest number that a change can carry."""
LOCKED_FOR_EVER: Final = "000001010000Z"
DN_ATTRIBUTES: Final = frozenset(("member", "owner", "pwdPolicySubentry"))


def normal_dn(dn: str) -> str:
    """Return a DN as two of the same are equal: our names have no escapes and no capitals that matter."""
    return re.sub(r"\s*([,=])\s*", r"\1", dn.strip()).lower()


def suffix(tld: str) -> str:
    """Return the base of the tree of a network whose first top-level domain is ``tld``."""
    return f"dc={tld}"


def person_dn(uid: str, base: str) -> str:
    """Return the DN of a person."""
    return f"uid={uid},ou={PEOPLE},{base}"


def group_dn(name: str, base: str) -> str:
    """Return the DN of a group."""
    return f"cn={name},ou={GROUPS},{base}"


def service_dn(name: str, base: str) -> str:
    """Return the DN of a service account."""
    return f"cn={name},ou=services,{base}"


def nobody(base: str) -> str:
    """Return the member that every group has, so that one without people is a group all the same; nobody has the DN."""
    return service_dn("nobody", base)


@dataclass(frozen=True)
class Account:
    """A person, as declared. What is None was not said, and is left to the person and the portal."""

    uid: str
    name: str
    surname: str
    given_name: str | None = None
    mail: str | None = None
    uid_number: int | None = None
    ssh_keys: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    password_hash: str | None = field(default=None, repr=False)
    locked: bool | None = None
    absent: bool = False


@dataclass(frozen=True)
class Group:
    """A group, as declared. With ``exclusive`` it has the declared members and nobody else."""

    name: str
    description: str | None = None
    members: tuple[str, ...] = ()
    exclusive: bool = False
    absent: bool = False


@dataclass(frozen=True)
class People:
    """Everything declared, standard groups included."""

    accounts: tuple[Account, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Entry:
    """What an entry has to have. Others may add to the attributes in ``shared``; of the rest all values are given."""

    dn: str
    attributes: Mapping[str, tuple[str, ...]]
    shared: frozenset[str] = frozenset()
    absent: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the entry as the module takes it."""
        return {
            "dn": self.dn,
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "shared": sorted(self.shared),
            "absent": self.absent,
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Entry:
        """Return the entry of what :meth:`plain` gives."""
        return cls(
            plain["dn"],
            {name: tuple(values) for name, values in plain["attributes"].items()},
            frozenset(plain["shared"]),
            plain["absent"],
        )
