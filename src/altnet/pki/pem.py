"""Certificates and keys as text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..errors import AltnetError, Problem

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


class PkiError(AltnetError):
    """The network's authority cannot do what is asked of it."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key: ECDSA on P-256, which every client since 2010 knows."""
    return ec.generate_private_key(ec.SECP256R1())


def private_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PKCS #8, not encrypted: whoever writes it encrypts it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def private_key(text: str, where: str) -> ec.EllipticCurvePrivateKey:
    """Read what :func:`private_text` wrote; ``where`` is its place, for the error."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError(Problem("", where, "holds no ECDSA key", "take it from git's history, or from your backup"))
    return key


def text(*certificates: x509.Certificate) -> str:
    """Return certificates as PEM, one after the other."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def certificates(content: str, where: str) -> tuple[x509.Certificate, ...]:
    """Read all certificates of a PEM text; ``where`` is its place, for the error."""
    if _BEGIN not in content:
        if content.strip():
            raise PkiError(Problem("", where, "holds no certificate", "take it from git's history"))
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(content.encode()))
    except ValueError:
        what = "holds a certificate that cannot be read"
        raise PkiError(Problem("", where, what, "take it from git's history")) from None


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint as browsers show it: ``AB:CD:...``."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest().hex(":").upper()


def same_key(one: x509.Certificate | x509.CertificateSigningRequest, key: ec.EllipticCurvePublicKey) -> bool:
    """Say whether a certificate or a request is for ``key``."""
    return one.public_key() == key


def common_name(name: x509.Name) -> str:
    """Return a name's common name, ``""`` where it has none."""
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def without(found: Iterable[x509.Certificate], gone: x509.Certificate) -> tuple[x509.Certificate, ...]:
    """Return certificates less one."""
    return tuple(one for one in found if one != gone)
