"""Whether a certificate that a host has will do, or another has to be signed, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from .authority import general
from .pem import same_key

#: What is left of a certificate's life when it is renewed.
RENEWED_AT: Final = 3


def renew_at(certificate: x509.Certificate) -> datetime:
    """Return when a third of a certificate's life is left."""
    life: timedelta = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - life / RENEWED_AT


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Say whether an authority signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def reason(
    chain: Sequence[x509.Certificate],
    key: ec.EllipticCurvePublicKey,
    names: Collection[str],
    authority: x509.Certificate,
    now: datetime,
) -> str:
    """Return why another certificate is due; ``""`` where the one at the beginning of ``chain`` will do."""
    if not chain:
        return "there is none"
    leaf = chain[0]
    days = (leaf.not_valid_after_utc - now).days
    why = {
        "it is for another key": not same_key(leaf, key),
        "it has other names": _names(leaf) != {general(name) for name in names},
        "it is from another intermediate": list(chain[1:]) != [authority] or not issued_by(leaf, authority),
        "it is for the future": now < leaf.not_valid_before_utc,
        "it has expired": now >= leaf.not_valid_after_utc,
        # One that its signer's end cuts short is not renewed at each run: a new one would be no longer.
        f"{days} days of it are left": now >= renew_at(leaf)
        and leaf.not_valid_after_utc < authority.not_valid_after_utc,
    }
    return next((reason for reason, holds in why.items() if holds), "")


def _names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()
