"""The part of the tree that every network has, and the first entries of a provider that has none."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import ldif
from .model import GROUPS, PEOPLE, SERVICES, STANDARD_GROUPS, Entry, group_dn, nobody, service_dn

#: Older than any change: whatever another provider says of these entries is newer.
_LONG_AGO = "20200101000000"
_CSN = f"{_LONG_AGO}.000000Z#000000#000#000000"
_NAMESPACE = uuid.UUID("6f1d9a1e-6c4c-5d0b-9a55-2f1b7f0c7a10")


@dataclass(frozen=True)
class Policy:
    """What is asked of passwords, and when guessing is stopped."""

    min_length: int = 12
    max_failures: int = 5
    lockout_seconds: int = 900


def base_entries(base: str, policy: Policy) -> list[Entry]:
    """Return the entries above and beside people and groups, parents first; passwords are not in them."""
    label = base.partition("=")[2]
    units = {
        PEOPLE: "People, one entry each",
        GROUPS: "Groups of people",
        "policies": "What is asked of passwords",
        "services": "Programs that log in",
    }
    return [
        Entry(base, {"objectClass": ("dcObject", "organization"), "dc": (label,), "o": (label,)}, _CLASSES),
        *(
            Entry(f"ou={name},{base}", {"objectClass": ("organizationalUnit",), "ou": (name,), "description": (text,)},
                  _CLASSES)
            for name, text in units.items()
        ),
        _policy(base, "default", {
            "pwdMinLength": policy.min_length,
            "pwdMaxFailure": policy.max_failures,
            "pwdLockoutDuration": policy.lockout_seconds,
            "pwdFailureCountInterval": policy.lockout_seconds,
        }, lockout=True),
        # Whoever guesses at a service's password would else cut off replication.
        _policy(base, "services", {}, lockout=False),
        *(
            Entry(service_dn(name, base), {
                "objectClass": ("organizationalRole", "simpleSecurityObject"),
                "cn": (name,),
                "description": (text,),
                "pwdPolicySubentry": (f"cn=services,ou=policies,{base}",),
            }, _CLASSES)
            for name, text in SERVICES.items()
        ),
    ]  # fmt: skip


_CLASSES = frozenset(("objectClass",))


def _policy(base: str, name: str, numbers: Mapping[str, int], *, lockout: bool) -> Entry:
    return Entry(
        f"cn={name},ou=policies,{base}",
        {
            "objectClass": ("organizationalRole", "pwdPolicy"),
            "cn": (name,),
            "pwdAttribute": ("userPassword",),
            "pwdCheckQuality": ("2",),
            "pwdLockout": ("TRUE" if lockout else "FALSE",),
            **{key: (str(number),) for key, number in numbers.items()},
        },
        _CLASSES,
    )


def first_entries(base: str, policy: Policy, passwords: Mapping[str, Sequence[str]]) -> str:
    """Return the LDIF that a provider without entries starts from.

    It is the same on all providers, down to identifiers and times, so none of them has anything to tell the others,
    and one that has lost its disk takes everything from those that have not. Raises ValueError for a service account
    without a password.
    """
    without = [name for name in SERVICES if not passwords.get(name)]
    if without:
        raise ValueError(f"there is no password of {', '.join(without)}: set directory_service_hashes")
    entries = [
        *base_entries(base, policy),
        *(
            Entry(group_dn(name, base), {
                "objectClass": ("groupOfNames",), "cn": (name,), "description": (text,), "member": (nobody(base),)
            })
            for name, text in STANDARD_GROUPS.items()
        ),
    ]  # fmt: skip
    secrets = {service_dn(name, base): values for name, values in passwords.items()}
    return "".join(
        ldif.entry(
            one.dn,
            {
                **one.attributes,
                **({"userPassword": tuple(secrets[one.dn])} if one.dn in secrets else {}),
                "entryUUID": (str(uuid.uuid5(_NAMESPACE, one.dn)),),
                "entryCSN": (_CSN,),
                "createTimestamp": (f"{_LONG_AGO}Z",),
                "modifyTimestamp": (f"{_LONG_AGO}Z",),
                "creatorsName": (base,),
                "modifiersName": (base,),
            },
        )
        for one in entries
    )
