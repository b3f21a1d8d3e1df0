"""The key that signs the audit log's head, from the settings."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ...errors import Problem
from ..settings import Settings, SettingsError

_MIN = 32


def key(settings: Settings) -> Ed25519PrivateKey | None:
    """Return the key: a PEM file's, or one made from a secret in the file; None where the settings name none."""
    if not settings.signing_key_file:
        return None
    secret = settings.secret("signing_key_file")
    if secret.startswith(b"-----BEGIN"):
        try:
            found = load_pem_private_key(secret, None)
        except (ValueError, TypeError):
            found = None
        if isinstance(found, Ed25519PrivateKey):
            return found
    elif len(secret) >= _MIN:
        return settings.signing_key()
    what = "holds no Ed25519 key in PEM, and no secret of 32 characters"
    raise SettingsError(Problem("", "signing_key_file", what, "run the role registry (site.yml), which writes it"))
