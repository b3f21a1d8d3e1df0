"""Each zone's signing key, derived from the master secret, and what parents and resolvers know of it.

ECDSA P-256 with SHA-256 (algorithm 13, RFC 6605), one key a zone, which signs everything in it. The private number
is made from 384 bits of HKDF's output (FIPS 186-5 A.2.1, extra random bits). So the vault is the keys' backup, and
DS records and trust anchors are known before any server has run.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Final

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from ..secrets import derive

ALGORITHM: Final = 13
FLAGS: Final = 257
_PROTOCOL: Final = 3
_SHA256: Final = 2
_SEED_BYTES: Final = 48
#: The order of the group of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def key_label(zone: str) -> str:
    """Return the label under which a zone's key is derived; capitals and the final dot make no difference."""
    return f"dnssec/{zone.lower().removesuffix('.')}"


def scalar(master: str | bytes, zone: str, epoch: int) -> int:
    """Return the private number of a zone's key."""
    return int.from_bytes(derive(master, key_label(zone), epoch, _SEED_BYTES), "big") % (ORDER - 1) + 1


def private_text(master: str | bytes, zone: str, epoch: int) -> str:
    """Return a zone's private key as BIND's private-key-format v1.2, which PowerDNS imports."""
    number = scalar(master, zone, epoch).to_bytes(32, "big")
    return (
        "Private-key-format: v1.2\n"
        f"Algorithm: {ALGORITHM} (ECDSAP256SHA256)\n"
        f"PrivateKey: {base64.b64encode(number).decode()}\n"
    )


def dnskey(master: str | bytes, zone: str, epoch: int) -> DNSKEY:
    """Return the DNSKEY rdata of a zone's key."""
    wire = _wire(master, zone, epoch)
    rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.DNSKEY, wire, 0, len(wire))
    assert isinstance(rdata, DNSKEY)  # noqa: S101 - the type asked for
    return rdata


def key_tag(master: str | bytes, zone: str, epoch: int) -> int:
    """Return the key's tag (RFC 4034, appendix B)."""
    return int(dns.dnssec.key_id(dnskey(master, zone, epoch)))


def ds(master: str | bytes, zone: str, epoch: int) -> str:
    """Return the DS rdata of a zone's key, with SHA-256.

    Made from bytes (RFC 4034 §5.1.4 and appendix B): dnspython reads and writes texts on the way, which for ten
    thousand zones is seconds.
    """
    name = dns.name.from_text(zone.lower().removesuffix(".") + ".").to_digestable()
    wire = _wire(master, zone, epoch)
    total = sum(wire[0::2]) * 256 + sum(wire[1::2])
    tag = (total + (total >> 16)) & 0xFFFF
    return f"{tag} {ALGORITHM} {_SHA256} {hashlib.sha256(name + wire).hexdigest()}"


def _wire(master: str | bytes, zone: str, epoch: int) -> bytes:
    """Return the DNSKEY's rdata as it travels."""
    private = ec.derive_private_key(scalar(master, zone, epoch), ec.SECP256R1())
    # RFC 6605 §4: the two coordinates, without the byte that says they are uncompressed.
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    return struct.pack("!HBB", FLAGS, _PROTOCOL, ALGORITHM) + point
