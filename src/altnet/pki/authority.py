"""Signing: the root, intermediates below it, and certificates for hosts and their daemons."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import Problem
from .pem import PkiError
from .scope import Scope, constraints, permits, scope_of

ROOT_LIFE: Final = timedelta(days=7300)
INTERMEDIATE_LIFE: Final = timedelta(days=730)
LEAF_LIFE: Final = timedelta(days=90)
#: A host whose clock is behind must not take a new certificate for one of the future.
BACKDATED: Final = timedelta(hours=1)
#: X.520 gives a common name 64 characters.
_COMMON_NAME_MAX: Final = 64


@dataclass(frozen=True)
class Signer:
    """A certificate that may sign, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_root(scope: Scope, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """Return the root for a network: signed by itself, with one level of intermediates below it."""
    name = _name(f"{scope.tlds[0]} network root", key.public_key())
    builder = _authority(name, key.public_key(), scope, 1).issuer_name(name)
    return _signed(builder, key, key.public_key(), now, now + ROOT_LIFE)


def make_intermediate(root: Signer, purpose: str, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
    """Return an intermediate for ``purpose`` (``infra``, or ``issuer`` and a host), limited as the root is."""
    scope = scope_of(root.certificate)
    if scope is None:
        what = "is not limited to this network, and what it signed could be used against anybody"
        raise PkiError(Problem("", "pki/root.pem", what, "replace it: playbooks/replace-root.yml"))
    builder = _authority(_name(f"{scope.tlds[0]} {purpose}", key), key, scope, 0)
    until = min(now + INTERMEDIATE_LIFE, root.certificate.not_valid_after_utc)
    return _signed(builder.issuer_name(root.certificate.subject), root.key, root.key.public_key(), now, until)


def make_leaf(signer: Signer, names: Sequence[str], key: ec.EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
    """Return a certificate for ``names`` (host names and addresses), for servers and clients.

    It does not outlive its signer. Raises PkiError for a name that every verifier would refuse.
    """
    scope = scope_of(signer.certificate)
    refused = [name for name in names if scope is None or not permits(scope, name)]
    if refused or not names:
        what = f"{', '.join(refused) or 'no name'} cannot be in a certificate of this network's authority"
        raise PkiError(Problem("", "names", what, "use names under its top-level domains, and its own addresses"))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if _fits(names[0]) else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        # Strict verifiers (Python 3.13) want it critical where there is no subject.
        .add_extension(x509.SubjectAlternativeName([general(name) for name in names]), critical=not _fits(names[0]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    until = min(now + LEAF_LIFE, signer.certificate.not_valid_after_utc)
    return _signed(builder, signer.key, signer.key.public_key(), now, until)


def general(name: str) -> x509.GeneralName:
    """Return a host name or an address as a certificate holds it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower().removesuffix("."))


def _fits(name: str) -> bool:
    # GnuTLS holds an address in the subject against the constraints for host names.
    return len(name) <= _COMMON_NAME_MAX and isinstance(general(name), x509.DNSName)


def _name(words: str, key: ec.EllipticCurvePublicKey) -> x509.Name:
    # With a piece of the key: a replaced authority beside the new one has another name, and is never taken for it.
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shown = f"{words} {hashlib.sha256(point).hexdigest()[:8]}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown[-_COMMON_NAME_MAX:].lstrip())])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(subject: x509.Name, key: ec.EllipticCurvePublicKey, scope: Scope, below: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(constraints(scope), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    until: datetime,
) -> x509.Certificate:
    if until <= now:
        what = "has expired, and what it signs now would be refused"
        raise PkiError(Problem("", "the signing authority", what, "replace it first: docs/concepts/pki.md says how"))
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(until)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
