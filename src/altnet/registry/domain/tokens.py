"""Tokens of the API: what they look like, and what a scope may say.

A secret is ``altnet_`` with 43 characters of base 62 (256 bits), and six more that are its checksum: so that programs
that look for leaked secrets know one when they see it, and a mistyped one is refused without asking the database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from ipaddress import ip_network
from typing import Final

from ...naming.names import wrong_owner
from ...naming.rdata import wrong_type
from .errors import Fault
from .model import Scope

PREFIX: Final = "altnet_"
VERBS: Final = ("read", "write", "full")
MOST: Final = 50  # names, types or sources of one scope
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 43, 6
SHAPE: Final = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")


def secret() -> str:
    """Return a new token's secret."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return PREFIX + body + _checksum(body)


def well_formed(text: str) -> bool:
    """Say whether a text can be a token at all."""
    return bool(SHAPE.fullmatch(text)) and _checksum(text[len(PREFIX) : -_CHECK]) == text[-_CHECK:]


def digest(text: str) -> str:
    """Return what is kept of a secret, in hexadecimal. It is random, so that a plain hash is enough."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def normal(scope: Scope) -> Scope:
    """Return a scope in its one form: names absolute and in small letters, types in capitals, prefixes canonical.

    What is wrong stays as it is, for :func:`judge` to say so.
    """
    return Scope(
        tuple(verb for verb in VERBS if verb in scope.verbs) + tuple(v for v in scope.verbs if v not in VERBS),
        tuple(dict.fromkeys(name.strip().lower().rstrip(".") + "." for name in scope.names)),
        tuple(dict.fromkeys(kind.strip().upper() for kind in scope.types)),
        tuple(dict.fromkeys(_source(source) for source in scope.sources)),
    )


def judge(scope: Scope) -> list[Fault]:
    """Return what is wrong with a scope in its one form."""
    found = []
    strangers = [verb for verb in scope.verbs if verb not in VERBS]
    if strangers or not scope.verbs:
        found.append(Fault("scope.verbs", "verb", "A token's verbs are read, write and full", "name one or more"))
    for field, values in (("names", scope.names), ("types", scope.types), ("sources", scope.sources)):
        if len(values) > MOST:
            found.append(Fault(f"scope.{field}", "too-many", f"A token has at most {MOST} of them"))
            return found
    found += _wrong_names(scope.names)
    for number, kind in enumerate(scope.types):
        if wrong_type(kind):
            found.append(Fault(f"scope.types[{number}]", "type", f"{kind[:20]} is no type of record", "AAAA is one"))
    for number, source in enumerate(scope.sources):
        if _network(source) is None:
            found.append(Fault(f"scope.sources[{number}]", "source", "This is no prefix", "write it like fd12::/16"))
    if "full" in scope.verbs and (scope.names or scope.types):
        what = "A token that may do everything is not limited to names or types"
        found.append(Fault("scope.names", "contradiction", what, "leave full out, or the limits"))
    return found


def _wrong_names(names: tuple[str, ...]) -> list[Fault]:
    found = []
    for number, name in enumerate(names):
        if len(name) < 2 or (wrong := wrong_owner(name, "TXT")):
            why = f"This name {wrong[0]}" if len(name) >= 2 and wrong else "This is no name"
            found.append(Fault(f"scope.names[{number}]", "name", why, "write it like home.garden.alt or *.garden.alt"))
    return found


def _source(text: str) -> str:
    network = _network(text.strip())
    return text.strip() if network is None else network


def _network(text: str) -> str | None:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return None
