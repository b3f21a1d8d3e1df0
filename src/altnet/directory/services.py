"""Passwords of the service accounts, from the master secret: as clients use them, and as the directory has them.

Runs on the control node. The form that slapd holds is the same in every run, so that it can be compared.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ..secrets import derive, derive_base64
from .model import SERVICES

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: The fewest there are: against a guess at 32 random bytes more of them add nothing, and each login pays for them.
_ROUNDS = 1000


def password(master: str, service: str, epoch: int) -> str:
    """Return a service account's password."""
    return derive_base64(master, f"directory/{service}", epoch)


@functools.cache
def hashed(master: str, service: str, epoch: int) -> str:
    """Return the form in which slapd holds a service account's password."""
    from passlib.hash import sha512_crypt  # noqa: PLC0415  # not on hosts

    salt = "".join(_ALPHABET[byte % 64] for byte in derive(master, f"directory/{service}/salt", epoch, 16))
    return "{CRYPT}" + str(sha512_crypt.using(salt=salt, rounds=_ROUNDS).hash(password(master, service, epoch)))


def epoch_of(service: str, epochs: Mapping[str, int]) -> int:
    """Return how often a service account's password was changed; ValueError for one that there is not."""
    strangers = sorted({service, *epochs} - set(SERVICES))
    if strangers:
        raise ValueError(f"{strangers[0]} is no service account; there are {', '.join(SERVICES)}")
    return int(epochs.get(service, 0))


def accepted(master: str, epochs: Mapping[str, int]) -> dict[str, list[str]]:
    """Return what each service account may log in with: its epoch's password, and the one before while it changes."""
    found = {}
    for service in SERVICES:
        epoch = epoch_of(service, epochs)
        found[service] = [hashed(master, service, number) for number in range(max(0, epoch - 1), epoch + 1)]
    return found
