"""What has to change, given what is wanted and what is there. Nothing here asks anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import AltnetError, Problem
from .ldif import Change, Modification
from .model import DN_ATTRIBUTES, GROUPS, LOCKED_FOR_EVER, PEOPLE, Entry, nobody, normal_dn

Present = Mapping[str, Mapping[str, Sequence[str]]]
"""What is there: attributes by normal DN."""
PASSWORD = "userPassword"  # noqa: S105  # an attribute's name
LOCKED = "pwdAccountLockedTime"


class DirectoryError(AltnetError):
    """The directory cannot be brought into the desired state."""


def refused(variable: str, what: str, remedy: str) -> DirectoryError:
    """Return an error about one thing."""
    return DirectoryError(Problem("", variable, what, remedy))


@dataclass(frozen=True)
class Passwords:
    """What is known of passwords, never one that a person chose.

    ``wanted`` are those to be set, by DN. ``held`` are digests of what the service accounts have, ``having`` the
    people who have any.
    """

    wanted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    held: Mapping[str, frozenset[str]] = field(default_factory=dict)
    having: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Prune:
    """Whether people and groups that are not declared go, and how many in a hundred may without consent."""

    wanted: bool = False
    at_most: int = 20
    consent: bool = False


def digest(value: str) -> str:
    """Return what stands for a stored password where the password itself must not be."""
    return hashlib.sha256(value.encode()).hexdigest()


def digests(secret: Mapping[str, Any]) -> frozenset[str]:
    """Return the digests of a secret's values; an order that is remembered has only these."""
    return frozenset(secret["digests"]) if "digests" in secret else frozenset(map(digest, secret["values"]))


def difference(
    base: str, wanted: Sequence[Entry], present: Present, passwords: Passwords, prune: Prune
) -> list[Change]:
    """Return the changes in the order in which they can be made."""
    _members_exist(base, wanted, present)
    found: list[Change] = []
    deleted: list[str] = []
    for entry in wanted:
        key = normal_dn(entry.dn)
        if entry.absent:
            deleted += [entry.dn] if key in present else []
        elif key not in present:
            found += _additions(entry, passwords)
        else:
            found += _modifications(entry.dn, _steps(entry, present[key]), _missing_passwords(entry.dn, passwords))
    if prune.wanted:
        deleted += _pruned(base, wanted, present, prune)
    return [*found, *(Change("delete", dn) for dn in deleted)]


def others(base: str, wanted: Sequence[Entry], present: Present) -> list[str]:
    """Return the people and groups that are there and not declared, by normal DN."""
    declared = {normal_dn(entry.dn) for entry in wanted}
    units = tuple(normal_dn(f",ou={unit},{base}") for unit in (PEOPLE, GROUPS))
    return sorted(dn for dn in present if dn.endswith(units) and dn not in declared)


def _members_exist(base: str, wanted: Sequence[Entry], present: Present) -> None:
    absent = {normal_dn(entry.dn) for entry in wanted if entry.absent}
    known = {*present, *(normal_dn(entry.dn) for entry in wanted), normal_dn(nobody(base))} - absent
    problems = [
        Problem("", f"directory_groups: {entry.attributes['cn'][0]}", f"{member.partition(',')[0]} has no account",
                "declare it, or take it out of the group")
        for entry in wanted
        for member in entry.attributes.get("member", ())
        if normal_dn(member) not in known
    ]  # fmt: skip
    if problems:
        raise DirectoryError(problems)


def _additions(entry: Entry, passwords: Passwords) -> list[Change]:
    attributes = {name: values for name, values in entry.attributes.items() if values}
    values = tuple(passwords.wanted.get(entry.dn, {}).get("values", ()))
    if values:
        attributes[PASSWORD] = values[-1:]
    return [Change("add", entry.dn, attributes), *_second_passwords(entry.dn, values)]


def _modifications(dn: str, steps: list[Modification], values: tuple[str, ...]) -> list[Change]:
    if values:
        steps.append(Modification("replace", PASSWORD, values[-1:]))
    return [Change("modify", dn, steps=tuple(steps)), *_second_passwords(dn, values)] if steps else []


def _second_passwords(dn: str, values: tuple[str, ...]) -> list[Change]:
    # ppolicy lets nobody, not even root, give two passwords at once; one after the other it does.
    return [Change("modify", dn, steps=(Modification("add", PASSWORD, (value,)),)) for value in values[:-1]]


def _steps(entry: Entry, present: Mapping[str, Sequence[str]]) -> list[Modification]:
    found = []
    for name, values in entry.attributes.items():
        there = present.get(name, ())
        if name in entry.shared:
            have = {_key(name, value) for value in there}
            missing = tuple(value for value in values if _key(name, value) not in have)
            found += [Modification("add", name, missing)] if missing else []
        elif name == LOCKED and not values and LOCKED_FOR_EVER not in there:
            continue  # a lock that guessing has brought ends by itself
        elif {_key(name, value) for value in values} != {_key(name, value) for value in there}:
            found.append(Modification("replace", name, tuple(values)))
    return found


def _key(name: str, value: str) -> str:
    if name in DN_ATTRIBUTES:
        return normal_dn(value)
    return value.lower() if name == "objectClass" else value


def _missing_passwords(dn: str, passwords: Passwords) -> tuple[str, ...]:
    """Return the passwords that an entry has to be given; of one that was remembered, a digest stands for them."""
    secret, key = passwords.wanted.get(dn), normal_dn(dn)
    if not secret or (key in passwords.having if secret["first"] else passwords.held.get(key) == digests(secret)):
        return ()
    return tuple(secret.get("values") or ("",))


def _pruned(base: str, wanted: Sequence[Entry], present: Present, prune: Prune) -> list[str]:
    found = others(base, wanted, present)
    for unit in (PEOPLE, GROUPS):
        end = normal_dn(f",ou={unit},{base}")
        here = [dn for dn in found if dn.endswith(end)]
        total = sum(dn.endswith(end) for dn in present)
        if not prune.consent and len(here) * 100 > prune.at_most * total:
            few = ", ".join(dn.partition(",")[0] for dn in here[:5]) + (", ..." if len(here) > 5 else "")
            what = f"would delete {len(here)} of {total} entries of ou={unit} ({few}), more than {prune.at_most} %"
            raise refused("directory_prune", what, "declare them, or set directory_prune_consent for this run")
    return found


def shown(changes: Collection[Change], present: Present) -> dict[str, str]:
    """Return before and after of the changes, passwords hidden."""
    before, after = [], []
    for change in changes:
        there = present.get(normal_dn(change.dn), {})
        if change.verb == "delete":
            before.append(_text(change.dn, {name: list(values) for name, values in there.items()}))
        elif change.verb == "add":
            after.append(_text(change.dn, change.attributes or {}))
        else:
            names = [step.attribute for step in change.steps]
            before.append(_text(change.dn, {name: there.get(name, ()) for name in names if name != PASSWORD}))
            after.append(_text(change.dn, {step.attribute: _after(step, there) for step in change.steps}))
    return {"before": "".join(before), "after": "".join(after)}


def _after(step: Modification, there: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return [*there.get(step.attribute, ()), *step.values] if step.verb == "add" else step.values


def _text(dn: str, attributes: Mapping[str, Sequence[str]]) -> str:
    lines = [
        f"{name}: {'(hidden)' if name == PASSWORD else value}"
        for name, values in sorted(attributes.items())
        for value in ([""] if name == PASSWORD else values)
    ]
    return "\n".join([f"dn: {dn}", *lines]) + "\n\n"
