"""An authenticator in software (WebAuthn, level 2): keeps keys, signs, and lies where a test wants it to."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Key:
    """One credential."""

    id: bytes
    private: ec.EllipticCurvePrivateKey
    owner: bytes
    count: int = 0


@dataclass
class Device:
    """A security key or a phone. What it says of itself can be changed between two answers."""

    origin: str = "https://portal.alt"
    rp: str = ""  # what it signs for; the site's own wish where it is empty
    verifies: bool = True
    present: bool = True
    counts: bool = True
    names_owner: bool = True
    algorithm: int = -7
    keys: list[Key] = field(default_factory=list)

    def create(self, options: str) -> str:
        """Answer navigator.credentials.create, as JSON."""
        asked = json.loads(options)["publicKey"]
        key = Key(os.urandom(32), ec.generate_private_key(ec.SECP256R1()), websafe_decode(asked["user"]["id"]))
        self.keys.append(key)
        point = key.private.public_key().public_numbers()
        public = {1: 2, 3: self.algorithm, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(key.id).to_bytes(2, "big") + key.id + cbor.encode(public)
        data = self.data(asked["rp"]["id"], 0, ATTESTED) + attested
        client = self.client("webauthn.create", asked["challenge"])
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self.answer(key, {"clientDataJSON": client, "attestationObject": attestation})

    def get(self, options: str) -> str:
        """Answer navigator.credentials.get, as JSON."""
        asked = json.loads(options)["publicKey"]
        allowed = [websafe_decode(one["id"]) for one in asked.get("allowCredentials") or ()]
        key = next(key for key in self.keys if not allowed or key.id in allowed)
        key.count += int(self.counts)
        data = self.data(asked["rpId"], key.count if self.counts else 0)
        client = self.client("webauthn.get", asked["challenge"])
        signature = key.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self.answer(key, said | ({"userHandle": key.owner} if self.names_owner else {}))

    def data(self, rp: str, count: int, more: int = 0) -> bytes:
        """Return authenticator data (§6.1), without what was attested."""
        flags = more | (PRESENT if self.present else 0) | (VERIFIED if self.verifies else 0)
        return hashlib.sha256((self.rp or rp).encode()).digest() + bytes((flags,)) + count.to_bytes(4, "big")

    def client(self, kind: str, challenge: str) -> bytes:
        """Return what the browser adds: for which page that was."""
        return json.dumps(
            {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}, separators=(",", ":")
        ).encode()

    @staticmethod
    def answer(key: Key, said: dict[str, bytes]) -> str:
        """Return a credential as ``toJSON`` writes it."""
        name = websafe_encode(key.id)
        response: dict[str, Any] = {part: websafe_encode(value) for part, value in said.items()}
        whole = {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        return json.dumps(whole)
