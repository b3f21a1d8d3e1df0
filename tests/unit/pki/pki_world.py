"""A network's authority for tests, and certificates that it would never sign itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.certificates import signed

from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_root
from altnet.pki.scope import Scope

PREFIX = "fd12:3456:789a::/48"
SCOPE = Scope(("alt", "neo"), PREFIX)
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class World:
    root: Signer
    infra: Signer


def authority(scope: Scope = SCOPE, now: datetime = NOW, purpose: str = "infra") -> World:
    key = pem.new_key()
    root = Signer(make_root(scope, key, now), key)
    return World(root, below(root, purpose, now))


def below(root: Signer, purpose: str = "infra", now: datetime = NOW) -> Signer:
    key = pem.new_key()
    return Signer(make_intermediate(root, purpose, key.public_key(), now), key)


def request(key: ec.EllipticCurvePrivateKey, *names: str, subject: str = "slapd") -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if names:
        found = [x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    return builder.sign(key, hashes.SHA256())


def forged(
    signer: Signer,
    names: Sequence[x509.GeneralName],
    common_name: str = "forged",
    *,
    now: datetime = NOW,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """What a broken-into issuer signs: whatever it is asked for."""
    key = pem.new_key()
    return key, signed(signer, key, names, common_name, now=now, usage=usage)
