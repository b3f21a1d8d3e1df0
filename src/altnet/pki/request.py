"""A host's certificate request: the proof that it has the key. What it asks to be called counts for nothing."""

from __future__ import annotations

from collections.abc import Collection

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from ..errors import Problem
from .pem import PkiError


def read(content: str, host: str, name: str, names: Collection[str] = ()) -> ec.EllipticCurvePublicKey:
    """Return the key of request ``name`` of ``host``, after its signature was proved.

    A request may ask for no name besides ``names``: what else it asks for was written by somebody else than us.
    """
    where = f"/etc/altnet/pki/{name}/request.pem"
    mend = f"remove {where.rpartition('/')[0]} on the host, so that key and request are made anew"
    try:
        found = x509.load_pem_x509_csr(content.encode())
        key = found.public_key()
        valid = found.is_signature_valid
        asked = _asked(found)
    except (ValueError, UnsupportedAlgorithm):
        raise PkiError(Problem(host, where, "holds no certificate request", mend)) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PkiError(Problem(host, where, "is for a key that is not ECDSA on P-256", mend))
    if not valid:
        raise PkiError(Problem(host, where, "is not signed by its own key", mend))
    strangers = sorted(set(asked).difference(name.lower() for name in names))
    if strangers:
        what = f"asks for {', '.join(strangers)}, which the inventory does not give to this host"
        raise PkiError(Problem(host, where, what, mend))
    return key


def _asked(request: x509.CertificateSigningRequest) -> list[str]:
    try:
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value).lower() for name in found]
