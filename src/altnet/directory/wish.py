"""From what is declared to the entries that the directory has to have. Runs on the control node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .model import LOCKED_FOR_EVER, Account, Entry, Group, People, group_dn, nobody, person_dn, service_dn
from .tree import Policy, base_entries


def entries(people: People, base: str, policy: Policy) -> list[Entry]:
    """Return every entry, in the order in which they can be made: above before below, people before groups."""
    return [
        *base_entries(base, policy),
        *(_person(account, base) for account in people.accounts),
        *(_group(group, people, base) for group in people.groups),
    ]


def secrets(people: People, base: str, passwords: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Return passwords by DN. ``first`` ones are for accounts that have none yet; the others are held to."""
    found: dict[str, dict[str, Any]] = {
        service_dn(name, base): {"first": False, "values": list(values)} for name, values in passwords.items()
    }
    for account in people.accounts:
        if account.password_hash and not account.absent:
            found[person_dn(account.uid, base)] = {"first": True, "values": [account.password_hash]}
    return found


def _person(account: Account, base: str) -> Entry:
    return Entry(
        person_dn(account.uid, base), dict(_person_attributes(account)), frozenset(("objectClass",)), account.absent
    )


def _person_attributes(account: Account) -> Iterator[tuple[str, tuple[str, ...]]]:
    if account.absent:
        return
    # With the class for keys, so that people may add keys of their own.
    yield "objectClass", ("inetOrgPerson", "ldapPublicKey", *(("posixAccount",) if account.uid_number else ()))
    yield "uid", (account.uid,)
    yield "cn", (account.name,)
    yield "sn", (account.surname,)
    if account.given_name is not None:
        yield "givenName", (account.given_name,)
    if account.mail is not None:
        yield "mail", (account.mail,)
    if account.uid_number is not None:
        number = str(account.uid_number)
        yield "uidNumber", (number,)
        yield "gidNumber", (number,)
        yield "homeDirectory", (f"/home/{account.uid}",)
        yield "loginShell", ("/bin/bash",)
    if account.ssh_keys is not None:
        yield "sshPublicKey", account.ssh_keys
    if account.locked is not None:
        yield "pwdAccountLockedTime", (LOCKED_FOR_EVER,) if account.locked else ()


def _group(group: Group, people: People, base: str) -> Entry:
    dn = group_dn(group.name, base)
    if group.absent:
        return Entry(dn, {}, absent=True)
    by_accounts = [account.uid for account in people.accounts if group.name in account.groups and not account.absent]
    members = dict.fromkeys((*group.members, *by_accounts))
    attributes: dict[str, tuple[str, ...]] = {
        "objectClass": ("groupOfNames",),
        "cn": (group.name,),
        "member": (nobody(base), *(person_dn(uid, base) for uid in sorted(members))),
    }
    if group.description is not None:
        attributes["description"] = (group.description,)
    return Entry(dn, attributes, frozenset(("objectClass",) if group.exclusive else ("objectClass", "member")))
