"""A root that signs what it is asked for, whatever that is: for servers on loopback, and for what nobody may accept."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from altnet.pki import pem
from altnet.pki.authority import Signer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def names_of(*names: str) -> list[x509.GeneralName]:
    """Return DNS names, and addresses where they are some."""
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def subject(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed(
    signer: Signer,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[x509.GeneralName],
    common_name: str,
    *,
    now: datetime | None = None,
    days: int = 90,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> x509.Certificate:
    """Return a leaf; nobody asks whether ``names`` are any that the signer may sign."""
    start = now or datetime.now(UTC).replace(microsecond=0)
    builder = (
        _started(key, signer.certificate.subject, subject(common_name), start, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer.key, hashes.SHA256())


def boundless_root() -> Signer:
    """Return a root without constraints: a real one of ours could not sign for localhost."""
    key, name = pem.new_key(), subject("Test root")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _started(key, name, name, datetime.now(UTC).replace(microsecond=0), 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return Signer(builder.sign(key, hashes.SHA256()), key)


def _started(
    key: ec.EllipticCurvePrivateKey, issuer: x509.Name, name: x509.Name, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


class Authority:
    """Such a root, with certificates where a host has them: ``roots.pem``, and below it NAME/cert.pem and key.pem."""

    def __init__(self, place: Path, signer: Signer | None = None) -> None:
        self.place = place
        self.signer = signer or boundless_root()
        (place / "roots.pem").write_text(pem.text(self.signer.certificate))

    def issue(self, name: str, *names: str, directory: Path | None = None, now: datetime | None = None) -> None:
        """Write a certificate for ``names``, or for ``name``, and its key."""
        place = directory or self.place / name
        place.mkdir(exist_ok=True)
        key = pem.new_key()
        one = signed(self.signer, key, names_of(*(names or (name,))), name, now=now)
        (place / "cert.pem").write_text(pem.text(one))
        (place / "key.pem").write_text(pem.private_text(key))
